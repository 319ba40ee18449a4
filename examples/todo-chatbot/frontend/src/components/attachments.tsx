"use client";

import { useCallback, useEffect, useId, useRef, useState } from "react";
import { call, sentence } from "@/lib/api";
import type { Attachment, Todo } from "@/lib/types";
import styles from "./attachments.module.css";

/** The files of one todo. */
export function Attachments({ id, todo }: { id: string; todo: Todo }) {
  const inputId = useId();
  const input = useRef<HTMLInputElement>(null);
  const [items, setItems] = useState<Attachment[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const base = `todos/${todo.id}/attachments`;

  const load = useCallback(async () => {
    try {
      setItems(await call<Attachment[]>(base));
    } catch (failure) {
      setError(sentence(failure));
    }
  }, [base]);

  useEffect(() => {
    void load();
  }, [load]);

  async function attempt(work: () => Promise<unknown>) {
    setBusy(true);
    setError(null);
    try {
      await work();
      await load();
    } catch (failure) {
      setError(sentence(failure));
    }
    setBusy(false);
  }

  async function upload(file: File) {
    const form = new FormData();
    form.set("file", file);
    await attempt(() => call(base, { method: "POST", form }));
    if (input.current !== null) input.current.value = "";
  }

  return (
    <div id={id} className={styles.box}>
      {error !== null && (
        <p className="message error" role="alert">
          {error}
        </p>
      )}
      {items === null && error === null && <p role="status">Loading the files …</p>}
      {items !== null && items.length === 0 && <p className={styles.none}>No files.</p>}
      {items !== null && items.length > 0 && (
        <ul className={styles.list} aria-label={`Files of ${todo.title}`}>
          {items.map((file) => (
            <li key={file.id}>
              <a href={`/api/backend/${base}/${file.id}`} download={file.filename}>
                {file.filename}
              </a>
              <span className={styles.size}>{readableSize(file.size)}</span>
              <button
                type="button"
                className="button small"
                aria-label={`Remove the file ${file.filename}`}
                disabled={busy}
                onClick={() => void attempt(() => call(`${base}/${file.id}`, { method: "DELETE" }))}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <label htmlFor={inputId} className={styles.label}>
        {busy ? "Working …" : "Add a file"}
      </label>
      <input
        id={inputId}
        ref={input}
        type="file"
        disabled={busy}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) void upload(file);
        }}
      />
    </div>
  );
}

export function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
