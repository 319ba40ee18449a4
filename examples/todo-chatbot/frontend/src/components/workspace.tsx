"use client";

import { useRouter } from "next/navigation";
import { useCallback, useEffect, useState } from "react";
import { call, request, sentence } from "@/lib/api";
import type { Features } from "@/lib/types";
import { useTodos } from "@/lib/use-todos";
import { useHydrated } from "@/lib/use-hydrated";
import { ChatPanel } from "./chat-panel";
import { TodoPanel } from "./todo-panel";
import styles from "./workspace.module.css";

type View = "todos" | "chat";

/** Todos and chat side by side; on a phone one at a time. */
export function Workspace({ userName }: { userName: string }) {
  const router = useRouter();
  const hydrated = useHydrated();
  const [view, setView] = useState<View>("todos");
  const [features, setFeatures] = useState<Features | null>(null);
  const [signOutError, setSignOutError] = useState<string | null>(null);
  const onSignedOut = useCallback(() => {
    router.replace("/sign-in");
    router.refresh();
  }, [router]);
  const todos = useTodos(onSignedOut);

  useEffect(() => {
    const aborter = new AbortController();
    // Without an answer the optional parts stay hidden; the list itself reports the failure.
    call<Features>("features", { signal: aborter.signal }).then(setFeatures, () => undefined);
    return () => aborter.abort();
  }, []);

  async function signOut() {
    setSignOutError(null);
    try {
      await request("/api/auth/sign-out", { method: "POST", json: {} });
      onSignedOut();
    } catch (error) {
      setSignOutError(sentence(error));
    }
  }

  return (
    <div className={styles.shell}>
      <a href="#todos" className="skip">
        Skip to the todos
      </a>
      <header className={styles.header}>
        <h1 className={styles.brand}>Todo Chatbot</h1>
        <p className={styles.user}>
          <span className="visually-hidden">Signed in as </span>
          {userName}
        </p>
        <button type="button" className="button" onClick={signOut} disabled={!hydrated}>
          Sign out
        </button>
      </header>
      {signOutError !== null && (
        <p className="message error" role="alert">
          {signOutError}
        </p>
      )}
      <nav className={styles.views} aria-label="Parts of the page">
        {(["todos", "chat"] as const).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={view === name}
            onClick={() => setView(name)}
            className={styles.view}
          >
            {name === "todos" ? "Todos" : "Chat"}
          </button>
        ))}
      </nav>
      <main className={styles.main} data-view={view}>
        <TodoPanel todos={todos} attachments={features?.attachments ?? false} />
        <ChatPanel
          provider={features?.llm_provider ?? null}
          onTodosChanged={todos.reload}
          onSignedOut={onSignedOut}
        />
      </main>
    </div>
  );
}
