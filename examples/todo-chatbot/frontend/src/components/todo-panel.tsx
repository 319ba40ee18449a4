"use client";

import { useId, useRef, useState, type FormEvent } from "react";
import { TITLE_MAX } from "@/lib/types";
import { useHydrated } from "@/lib/use-hydrated";
import type { Todos } from "@/lib/use-todos";
import { TodoRow } from "./todo-row";
import styles from "./todo-panel.module.css";

interface Props {
  todos: Todos;
  attachments: boolean;
}

export function TodoPanel({ todos, attachments }: Props) {
  const hydrated = useHydrated();
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [title, setTitle] = useState("");
  const [adding, setAdding] = useState(false);
  const [announcement, setAnnouncement] = useState("");
  const { items, error } = todos;

  async function add(event: FormEvent) {
    event.preventDefault();
    const wanted = title.trim();
    if (wanted === "" || adding) return;
    setAdding(true);
    if (await todos.add(wanted)) {
      setTitle("");
      setAnnouncement(`Added ${wanted}`);
      input.current?.focus(); // the button is disabled now
    }
    setAdding(false);
  }

  return (
    <section className={styles.panel} data-panel="todos" id="todos" aria-labelledby={`${id}-title`}>
      <div className={styles.top}>
        <h2 id={`${id}-title`} ref={heading} tabIndex={-1}>
          Todos
        </h2>
        {items !== null && items.length > 0 && <p className={styles.count}>{summary(items)}</p>}
      </div>
      <form onSubmit={add} className={styles.add}>
        <label htmlFor={`${id}-new`} className="visually-hidden">
          New todo
        </label>
        <input
          id={`${id}-new`}
          ref={input}
          className="input"
          placeholder="What is to be done?"
          value={title}
          maxLength={TITLE_MAX}
          autoComplete="off"
          disabled={!hydrated}
          onChange={(event) => setTitle(event.target.value)}
        />
        <button
          type="submit"
          className="button primary"
          disabled={!hydrated || adding || title.trim() === ""}
        >
          Add
        </button>
      </form>
      {error !== null && (
        <div className="message error" role="alert">
          <span>{error}</span>
          <button type="button" className="button small" onClick={() => void todos.reload()}>
            Load again
          </button>
        </div>
      )}
      {items === null && error === null && (
        <div role="status" className={styles.loading}>
          <span className="visually-hidden">Loading the todos …</span>
          <span className={styles.bone} />
          <span className={styles.bone} />
          <span className={styles.bone} />
        </div>
      )}
      {items !== null && items.length === 0 && (
        <div className={styles.empty}>
          <p>Nothing to do.</p>
          <p>Add a first todo above, or ask the assistant to do it.</p>
        </div>
      )}
      {items !== null && items.length > 0 && (
        <ul className={styles.list} aria-label="Todos">
          {items.map((todo) => (
            <TodoRow
              key={todo.id}
              todo={todo}
              busy={todos.busy.has(todo.id)}
              attachments={attachments}
              onChange={async (changes) => {
                const done = await todos.change(todo.id, changes);
                if (done && changes.completed !== undefined) {
                  const state = changes.completed ? "Completed" : "Reopened";
                  setAnnouncement(`${state} ${todo.title}`);
                }
                return done;
              }}
              onDelete={async () => {
                if (await todos.remove(todo.id)) {
                  setAnnouncement(`Deleted ${todo.title}`);
                  heading.current?.focus(); // the focused button is gone
                }
              }}
            />
          ))}
        </ul>
      )}
      <p className="visually-hidden" role="status">
        {announcement}
      </p>
    </section>
  );
}

function summary(items: readonly { completed: boolean }[]): string {
  const open = items.filter((todo) => !todo.completed).length;
  return open === 0 ? "All done" : `${open} of ${items.length} open`;
}
