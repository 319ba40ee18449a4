import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, call, sentence } from "@/lib/api";
import type { Todo } from "@/lib/types";

export interface Todos {
  /** Null until the first answer. */
  items: Todo[] | null;
  /** Why the list or the last change failed. */
  error: string | null;
  /** Ids of todos with a change under way. */
  busy: ReadonlySet<string>;
  reload: () => Promise<void>;
  add: (title: string) => Promise<boolean>;
  change: (id: string, changes: { title?: string; completed?: boolean }) => Promise<boolean>;
  remove: (id: string) => Promise<boolean>;
}

/** The user's todos and what can be done with them. Changes resolve to whether they went through;
 * the reason why not is in `error`. */
export function useTodos(onSignedOut: () => void): Todos {
  const [items, setItems] = useState<Todo[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef(0);

  const fail = useCallback(
    (failure: unknown) => {
      if (failure instanceof ApiError && failure.status === 401) onSignedOut();
      else setError(sentence(failure));
    },
    [onSignedOut],
  );

  const reload = useCallback(async () => {
    const turn = ++latest.current;
    try {
      const found = await call<Todo[]>("todos");
      if (turn !== latest.current) return; // a later one is under way
      setItems(found);
      setError(null);
    } catch (failure) {
      if (turn === latest.current) fail(failure);
    }
  }, [fail]);

  useEffect(() => {
    void reload();
  }, [reload]);

  const attempt = useCallback(
    async (id: string | null, work: () => Promise<void>): Promise<boolean> => {
      if (id !== null) setBusy((now) => new Set(now).add(id));
      try {
        await work();
        setError(null);
        return true;
      } catch (failure) {
        if (failure instanceof ApiError && failure.status === 404) await reload();
        fail(failure);
        return false;
      } finally {
        if (id !== null) setBusy((now) => new Set([...now].filter((other) => other !== id)));
      }
    },
    [fail, reload],
  );

  const add = useCallback(
    (title: string) =>
      attempt(null, async () => {
        const todo = await call<Todo>("todos", { method: "POST", json: { title } });
        setItems((now) => [...(now ?? []), todo]);
      }),
    [attempt],
  );

  const change = useCallback(
    (id: string, changes: { title?: string; completed?: boolean }) =>
      attempt(id, async () => {
        const put = (todo: Todo) =>
          setItems((now) => (now ?? []).map((other) => (other.id === id ? todo : other)));
        const before = items?.find((other) => other.id === id);
        if (before !== undefined) put({ ...before, ...changes }); // shown before it is stored
        try {
          put(await call<Todo>(`todos/${id}`, { method: "PATCH", json: changes }));
        } catch (failure) {
          if (before !== undefined) put(before);
          throw failure;
        }
      }),
    [attempt, items],
  );

  const remove = useCallback(
    (id: string) =>
      attempt(id, async () => {
        await call<null>(`todos/${id}`, { method: "DELETE" });
        setItems((now) => (now ?? []).filter((other) => other.id !== id));
      }),
    [attempt],
  );

  return { items, error, busy, reload, add, change, remove };
}
