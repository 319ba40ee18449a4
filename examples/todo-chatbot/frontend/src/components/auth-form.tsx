"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useId, useRef, useState, type FormEvent } from "react";
import { request } from "@/lib/api";
import { authSentence } from "@/lib/auth-errors";
import { useHydrated } from "@/lib/use-hydrated";
import styles from "./auth-form.module.css";

interface Props {
  mode: "sign-in" | "sign-up";
  /** The address that the server takes sign-ins from. */
  publicOrigin: string;
}

const TEXTS = {
  "sign-in": {
    title: "Sign in",
    action: "Sign in",
    busy: "Signing in …",
    question: "No account yet?",
    other: { href: "/sign-up", label: "Create one" },
  },
  "sign-up": {
    title: "Create an account",
    action: "Create account",
    busy: "Creating the account …",
    question: "Have an account?",
    other: { href: "/sign-in", label: "Sign in" },
  },
} as const;

export function AuthForm({ mode, publicOrigin }: Props) {
  const router = useRouter();
  const hydrated = useHydrated();
  const id = useId();
  const errorRef = useRef<HTMLParagraphElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const text = TEXTS[mode];
  const signUp = mode === "sign-up";
  const elsewhere = hydrated && window.location.origin !== publicOrigin;

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const field = (name: string) => String(data.get(name) ?? "");
    setBusy(true);
    setError(null);
    try {
      await request(`/api/auth/${mode}/email`, {
        method: "POST",
        json: {
          email: field("email").trim(),
          password: field("password"),
          ...(signUp ? { name: field("name").trim() } : {}),
        },
      });
      router.replace("/todos");
      router.refresh();
    } catch (failure) {
      setError(authSentence(failure));
      setBusy(false);
      requestAnimationFrame(() => errorRef.current?.focus());
    }
  }

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <p className={styles.brand}>Todo Chatbot</p>
        <h1>{text.title}</h1>
        {elsewhere && (
          <p className="message warning" role="status">
            This app belongs to <a href={publicOrigin}>{publicOrigin}</a>. At the address that you
            have open, sign-in is refused.
          </p>
        )}
        {error !== null && (
          <p className="message error" role="alert" tabIndex={-1} ref={errorRef}>
            {error}
          </p>
        )}
        <form method="post" onSubmit={submit} className={styles.form}>
          {signUp && (
            <div className={styles.field}>
              <label htmlFor={`${id}-name`}>Name</label>
              <input
                id={`${id}-name`}
                name="name"
                autoComplete="name"
                required
                maxLength={100}
                className="input"
              />
            </div>
          )}
          <div className={styles.field}>
            <label htmlFor={`${id}-email`}>E-mail</label>
            <input
              id={`${id}-email`}
              name="email"
              type="email"
              autoComplete="email"
              required
              maxLength={254}
              className="input"
            />
          </div>
          <div className={styles.field}>
            <label htmlFor={`${id}-password`}>Password</label>
            <input
              id={`${id}-password`}
              name="password"
              type="password"
              autoComplete={signUp ? "new-password" : "current-password"}
              required
              minLength={signUp ? 8 : undefined}
              maxLength={128}
              aria-describedby={signUp ? `${id}-hint` : undefined}
              className="input"
            />
            {signUp && (
              <p id={`${id}-hint`} className={styles.hint}>
                At least 8 characters.
              </p>
            )}
          </div>
          <button type="submit" className="button primary" disabled={!hydrated || busy}>
            {busy ? text.busy : text.action}
          </button>
        </form>
        <p className={styles.other}>
          {text.question} <Link href={text.other.href}>{text.other.label}</Link>
        </p>
      </div>
    </main>
  );
}
