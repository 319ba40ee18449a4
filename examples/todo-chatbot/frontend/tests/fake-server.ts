import { vi } from "vitest";

type Answer = [status: number, body: unknown];
export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

/** Answers the components' requests with `routes["METHOD /path"]`; gives what was asked. */
export function fakeServer(
  routes: Record<string, Answer | ((body: unknown) => Answer | Promise<Answer>)>,
): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    asked.push({ method, path, body });
    const route = routes[`${method} ${path}`];
    if (route === undefined) throw new Error(`not expected: ${method} ${path}`);
    const [status, answer] = typeof route === "function" ? await route(body) : route;
    return new Response(status === 204 ? null : JSON.stringify(answer), { status });
  });
  return asked;
}
