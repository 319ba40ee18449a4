import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backendPath, forward, isOwnOrigin } from "@/server/forward";

describe("which paths browsers reach", () => {
  test.each([
    [["todos"], "/api/todos"],
    [["todos", "a1"], "/api/todos/a1"],
    [["chat", "conversations"], "/api/chat/conversations"],
    [["features"], "/api/features"],
    [["todos", "a/../b?c#d"], "/api/todos/a%2F..%2Fb%3Fc%23d"],
  ])("%j", (segments, path) => {
    expect(backendPath(segments)).toBe(path);
  });
  test.each([[[]], [["health"]], [["openapi.json"]], [["todos", ".."]], [["todos", ""]], [["."]]])(
    "not %j",
    (segments) => {
      expect(backendPath(segments)).toBeNull();
    },
  );
});

describe("whose changes are taken", () => {
  const own = "http://app.test:30300";
  const ask = (method: string, origin?: string) =>
    isOwnOrigin(
      new Request(`${own}/api/backend/todos`, { method, headers: origin ? { origin } : {} }),
      own,
    );
  test("reading needs no origin", () => expect(ask("GET")).toBe(true));
  test("the app's own pages", () => expect(ask("POST", own)).toBe(true));
  test("another port is another origin", () =>
    expect(ask("POST", "http://app.test:8080")).toBe(false));
  test("an unknown sender", () => expect(ask("DELETE")).toBe(false));
});

// A real server stands in for the backend, so that headers and bodies are what travels.
describe("forwarding", () => {
  let answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => answer(request, response, Buffer.concat(parts)));
  });
  let backendUrl = "";

  beforeEach(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    backendUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const send = (path: string, init: RequestInit = {}, search = "") =>
    forward(new Request(`http://app.test/api/backend/x${search}`, init), path, {
      backendUrl,
      token: "t0ken",
    });

  test("sends the token and not the cookies; keeps method, query and body", async () => {
    let seen: { method?: string; url?: string; headers: IncomingMessage["headers"]; body: string };
    seen = { headers: {}, body: "" };
    answer = (request, response, body) => {
      const { method = "", url = "", headers } = request;
      seen = { method, url, headers, body: body.toString() };
      response.writeHead(201, { "content-type": "application/json", "set-cookie": "planted=1" });
      response.end('{"id":"1"}');
    };
    const response = await send(
      "/api/todos",
      {
        method: "POST",
        headers: {
          cookie: "better-auth.session_token=s3cret",
          authorization: "Bearer planted",
          "content-type": "application/json",
        },
        body: '{"title":"milk"}',
      },
      "?a=1",
    );
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ id: "1" });
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(seen.method).toBe("POST");
    expect(seen.url).toBe("/api/todos?a=1");
    expect(seen.body).toBe('{"title":"milk"}');
    expect(seen.headers.authorization).toBe("Bearer t0ken");
    expect(seen.headers.cookie).toBeUndefined();
    expect(seen.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("passes the backend's refusals on", async () => {
    answer = (_, response) => {
      response.writeHead(404, { "content-type": "application/json" });
      response.end('{"error":{"code":"todo_not_found","message":"There is no such todo."}}');
    };
    const response = await send("/api/todos/1");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "todo_not_found" } });
  });

  test("a 204 has no body", async () => {
    answer = (_, response) => response.writeHead(204).end();
    const response = await send("/api/todos/1", { method: "DELETE" });
    expect(response.status).toBe(204);
    expect(response.body).toBeNull();
  });

  test("a user's file is saved, never shown on the app's origin", async () => {
    const disposition = "inline; filename=\"a.html\"; filename*=UTF-8''a.html";
    answer = (_, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-disposition": disposition });
      response.end("<script>1</script>");
    };
    const { headers } = await send("/api/todos/1/attachments/2");
    expect(headers.get("content-disposition")).toBe(disposition.replace("inline", "attachment"));
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("an upload arrives byte for byte", async () => {
    const file = crypto.getRandomValues(new Uint8Array(60_000));
    let received: Uint8Array = new Uint8Array();
    answer = (_, response, body) => {
      received = body;
      response.writeHead(201).end();
    };
    await send("/api/todos/1/attachments", { method: "POST", body: file });
    expect(Buffer.compare(received, file)).toBe(0);
  });

  test("a backend that is not there becomes a sentence", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    backendUrl = "http://127.0.0.1:1";
    const response = await send("/api/todos");
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      error: {
        code: "backend_unreachable",
        message: "The backend does not answer. Try again in a moment.",
      },
    });
    expect(log).toHaveBeenCalledOnce();
  });
});
