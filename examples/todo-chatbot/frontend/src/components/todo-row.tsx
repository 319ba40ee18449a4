"use client";

import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { TITLE_MAX, type Todo } from "@/lib/types";
import { Attachments } from "./attachments";
import { ClipIcon, PencilIcon, TrashIcon } from "./icons";
import styles from "./todo-row.module.css";

interface Props {
  todo: Todo;
  busy: boolean;
  attachments: boolean;
  onChange: (changes: { title?: string; completed?: boolean }) => Promise<boolean>;
  onDelete: () => Promise<void>;
}

type Mode = "show" | "edit" | "delete";

export function TodoRow({ todo, busy, attachments, onChange, onDelete }: Props) {
  const id = useId();
  const editButton = useRef<HTMLButtonElement>(null);
  const deleteButton = useRef<HTMLButtonElement>(null);
  const [mode, setMode] = useState<Mode>("show");
  const [title, setTitle] = useState(todo.title);
  const [files, setFiles] = useState(false);

  const leftFrom = useRef<"edit" | "delete" | null>(null);

  // The buttons are there again only after the row was drawn.
  useEffect(() => {
    if (mode !== "show" || leftFrom.current === null) return;
    const button = leftFrom.current === "edit" ? editButton : deleteButton;
    leftFrom.current = null;
    button.current?.focus();
  }, [mode]);

  /** Back to the plain row, with the focus where the user left it. */
  function close(from: "edit" | "delete") {
    leftFrom.current = from;
    setMode("show");
  }

  async function save(event: FormEvent) {
    event.preventDefault();
    const wanted = title.trim();
    if (wanted === "" || busy) return;
    if (wanted === todo.title || (await onChange({ title: wanted }))) close("edit");
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape" && mode !== "show") close(mode);
  }

  if (mode === "edit") {
    return (
      <li className={styles.row}>
        <form className={styles.edit} onSubmit={save} onKeyDown={onKeyDown}>
          <label htmlFor={`${id}-edit`} className="visually-hidden">
            New title of {todo.title}
          </label>
          <input
            id={`${id}-edit`}
            className="input"
            value={title}
            maxLength={TITLE_MAX}
            autoFocus
            onChange={(event) => setTitle(event.target.value)}
          />
          <div className={styles.actions}>
            <button
              type="submit"
              className="button primary small"
              disabled={title.trim() === ""}
            >
              Save
            </button>
            <button type="button" className="button small" onClick={() => close("edit")}>
              Cancel
            </button>
          </div>
        </form>
      </li>
    );
  }
  if (mode === "delete") {
    return (
      <li className={styles.row}>
        <div
          className={styles.edit}
          role="group"
          aria-labelledby={`${id}-question`}
          onKeyDown={onKeyDown}
        >
          <p id={`${id}-question`} className={styles.question}>
            Delete “{todo.title}”?
          </p>
          <div className={styles.actions}>
            <button
              type="button"
              className="button danger small"
              aria-disabled={busy}
              onClick={() => {
                if (!busy) void onDelete();
              }}
            >
              Delete
            </button>
            <button
              type="button"
              className="button small"
              autoFocus
              onClick={() => close("delete")}
            >
              Keep
            </button>
          </div>
        </div>
      </li>
    );
  }
  return (
    <li className={styles.row} aria-busy={busy}>
      <div className={styles.line}>
        <input
          id={`${id}-done`}
          type="checkbox"
          className={styles.check}
          checked={todo.completed}
          onChange={(event) => {
            // Not disabled meanwhile: that would take the keyboard's focus away.
            if (!busy) void onChange({ completed: event.target.checked });
          }}
        />
        <label
          htmlFor={`${id}-done`}
          className={todo.completed ? `${styles.title} ${styles.done}` : styles.title}
        >
          {todo.title}
        </label>
        <div className={styles.actions}>
          {attachments && (
            <button
              type="button"
              className="icon-button"
              aria-label={`Files of ${todo.title}`}
              aria-expanded={files}
              aria-controls={`${id}-files`}
              onClick={() => setFiles(!files)}
            >
              <ClipIcon />
            </button>
          )}
          <button
            type="button"
            className="icon-button"
            ref={editButton}
            aria-label={`Edit ${todo.title}`}
            onClick={() => {
              setTitle(todo.title);
              setMode("edit");
            }}
          >
            <PencilIcon />
          </button>
          <button
            type="button"
            className="icon-button"
            ref={deleteButton}
            aria-label={`Delete ${todo.title}`}
            onClick={() => setMode("delete")}
          >
            <TrashIcon />
          </button>
        </div>
      </div>
      {attachments && files && <Attachments id={`${id}-files`} todo={todo} />}
    </li>
  );
}
