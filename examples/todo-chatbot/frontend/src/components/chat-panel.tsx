"use client";

import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { ApiError, call, sentence } from "@/lib/api";
import { changedTodos, withReply } from "@/lib/chat-log";
import {
  MESSAGE_MAX,
  type ChatReply,
  type Conversation,
  type ConversationDetail,
  type Message,
} from "@/lib/types";
import { useHydrated } from "@/lib/use-hydrated";
import { SendIcon } from "./icons";
import { ToolCalls } from "./tool-calls";
import styles from "./chat-panel.module.css";

interface Props {
  provider: string | null;
  onTodosChanged: () => Promise<void>;
  onSignedOut: () => void;
}

const EXAMPLES = ["list", "add buy milk", "complete buy milk", "delete buy milk"];

export function ChatPanel({ provider, onTodosChanged, onSignedOut }: Props) {
  const hydrated = useHydrated();
  const id = useId();
  const log = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const [conversation, setConversation] = useState<string | null>(null);
  const [messages, setMessages] = useState<Message[]>([]);
  const [text, setText] = useState("");
  const [state, setState] = useState<"loading" | "ready" | "waiting">("loading");
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    const aborter = new AbortController();
    const { signal } = aborter;
    async function loadLatest() {
      const [latest] = await call<Conversation[]>("chat/conversations", { signal });
      if (latest === undefined) return;
      const detail = await call<ConversationDetail>(`chat/conversations/${latest.id}`, { signal });
      setConversation(detail.id);
      setMessages(detail.messages);
    }
    loadLatest()
      .catch((failure: unknown) => {
        if (!signal.aborted) setError(sentence(failure));
      })
      .finally(() => {
        if (!signal.aborted) setState("ready");
      });
    return () => aborter.abort();
  }, []);

  useEffect(() => {
    const box = log.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
  }, [messages, state]);

  async function turn(body: Record<string, unknown>, said: string | null) {
    const before = messages;
    const asked = said === null ? before : [...before, ownMessage(said, before.length)];
    setMessages(asked);
    setState("waiting");
    setError(null);
    try {
      const reply = await call<ChatReply>("chat", {
        method: "POST",
        json: conversation === null ? body : { ...body, conversation_id: conversation },
      });
      setConversation(reply.conversation_id);
      setMessages(withReply(asked, reply, new Date().toISOString()));
      if (changedTodos(reply.tool_calls)) void onTodosChanged();
    } catch (failure) {
      if (failure instanceof ApiError && failure.status === 401) onSignedOut();
      setMessages(before);
      if (said !== null) setText(said); // nothing that was typed is lost
      setError(sentence(failure));
      void onTodosChanged(); // what was done before the failure stays done
    }
    setState("ready");
    input.current?.focus();
  }

  async function send(event?: FormEvent) {
    event?.preventDefault();
    const message = text.trim();
    if (message === "" || state !== "ready") return;
    setText("");
    await turn({ message }, message);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // While composing, Enter belongs to the input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  }

  function startOver() {
    setConversation(null);
    setMessages([]);
    setError(null);
    input.current?.focus();
  }

  return (
    <section className={styles.panel} data-panel="chat" aria-labelledby={`${id}-title`}>
      <div className={styles.top}>
        <h2 id={`${id}-title`}>Assistant</h2>
        {provider !== null && <span className={styles.provider}>{providerName(provider)}</span>}
        {messages.length > 0 && (
          <button
            type="button"
            className="button small"
            onClick={startOver}
            aria-label="New chat: leave this conversation"
            disabled={state === "waiting"}
          >
            New chat
          </button>
        )}
      </div>
      <div
        className={styles.log}
        ref={log}
        role="log"
        aria-label="Conversation"
        aria-busy={state !== "ready"}
        tabIndex={0}
      >
        {state === "loading" && <p className={styles.hint}>Loading the conversation …</p>}
        {state !== "loading" && messages.length === 0 && (
          <div className={styles.hint}>
            <p>Ask for your list, or have something added, completed, renamed or deleted.</p>
            <ul className={styles.examples} aria-label="Examples">
              {EXAMPLES.map((example) => (
                <li key={example}>
                  <button
                    type="button"
                    className={styles.example}
                    onClick={() => {
                      setText(example);
                      input.current?.focus();
                    }}
                  >
                    {example}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        {messages.map((message) => (
          <div
            key={message.id}
            className={message.role === "user" ? styles.own : styles.reply}
            data-role={message.role}
            data-failed={message.error ? "" : undefined}
          >
            <span className="visually-hidden">
              {message.role === "user" ? "You: " : "Assistant: "}
            </span>
            {message.content !== "" && <p className={styles.text}>{message.content}</p>}
            {message.tool_calls.length > 0 && (
              <ToolCalls
                calls={message.tool_calls}
                disabled={state !== "ready"}
                onAnswer={(toolCall, approve) =>
                  void turn({ message: "", confirm: { tool_call_id: toolCall, approve } }, null)
                }
              />
            )}
          </div>
        ))}
        {state === "waiting" && <p className={styles.hint}>The assistant is at work …</p>}
      </div>
      {error !== null && (
        <p className="message error" role="alert">
          {error}
        </p>
      )}
      <form className={styles.form} onSubmit={send}>
        <label htmlFor={`${id}-text`} className="visually-hidden">
          Message to the assistant
        </label>
        <textarea
          id={`${id}-text`}
          ref={input}
          className="input"
          rows={2}
          placeholder="Write to the assistant"
          value={text}
          maxLength={MESSAGE_MAX}
          disabled={!hydrated}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          className="button primary"
          aria-label="Send"
          disabled={!hydrated || state !== "ready" || text.trim() === ""}
        >
          <SendIcon />
        </button>
      </form>
    </section>
  );
}

function ownMessage(content: string, position: number): Message {
  return {
    id: `own-${position}`,
    role: "user",
    content,
    provider: null,
    created_at: new Date().toISOString(),
    tool_calls: [],
  };
}

function providerName(provider: string): string {
  return provider === "rules" ? "local rules" : provider;
}
