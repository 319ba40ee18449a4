import { beforeEach, describe, expect, test, vi } from "vitest";

const ORIGIN = "http://app.test:30300";
const { currentUser, forward } = vi.hoisted(() => ({ currentUser: vi.fn(), forward: vi.fn() }));

vi.mock("@/server/auth", () => ({ currentUser }));
vi.mock("@/server/forward", async (original) => ({
  ...(await original<typeof import("@/server/forward")>()),
  forward,
}));
vi.mock("@/server/env", () => ({
  env: () => ({
    authSecret: "0123456789abcdef0123456789abcdef",
    backendUrl: "http://backend.test",
    publicOrigin: ORIGIN,
  }),
}));

const { GET, POST } = await import("@/app/api/backend/[...path]/route");
const health = await import("@/app/api/health/route");

function ask(handler: typeof GET, path: string[], init: RequestInit = {}): Promise<Response> {
  const request = new Request(`${ORIGIN}/api/backend/${path.join("/")}`, init);
  return handler(request, { params: Promise.resolve({ path }) });
}

async function code(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

describe("/api/backend", () => {
  beforeEach(() => {
    currentUser.mockReset().mockResolvedValue({ id: "u1", email: "ada@example.test", name: "Ada" });
    forward.mockReset().mockResolvedValue(new Response("[]"));
  });

  test("a signed-in user is forwarded with a token", async () => {
    const response = await ask(GET, ["todos"]);
    expect(response.status).toBe(200);
    expect(forward).toHaveBeenCalledWith(expect.any(Request), "/api/todos", {
      backendUrl: "http://backend.test",
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    });
  });

  test("nobody signed in", async () => {
    currentUser.mockResolvedValue(null);
    const response = await ask(GET, ["todos"]);
    expect(response.status).toBe(401);
    expect(await code(response)).toBe("unauthorized");
    expect(forward).not.toHaveBeenCalled();
  });

  test("a change from another origin, before the session is even read", async () => {
    const headers = { origin: "http://evil.example" };
    const response = await ask(POST, ["todos"], { method: "POST", headers, body: "{}" });
    expect(response.status).toBe(403);
    expect(await code(response)).toBe("invalid_origin");
    expect(currentUser).not.toHaveBeenCalled();
  });

  test("a path that isn't for browsers", async () => {
    const response = await ask(GET, ["health", "ready"]);
    expect(response.status).toBe(404);
    expect(forward).not.toHaveBeenCalled();
  });

  test("a database that is away is not a signed-out user", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    currentUser.mockRejectedValue(new Error("connect ECONNREFUSED"));
    const response = await ask(GET, ["todos"]);
    expect(response.status).toBe(503);
    expect(await code(response)).toBe("database_unavailable");
  });
});

test("liveness depends on nothing", async () => {
  const response = health.GET();
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ok" });
});
