import { expect, test } from "@playwright/test";
import { newAccount, signUpByApi } from "./app.js";

// Better Auth skips its origin check while a request has no cookies, so a wrong BETTER_AUTH_URL
// shows only when somebody signs in for the second time.

const WRONG = "http://evil.example";

function ownOrigin(baseURL: string | undefined): string {
  if (baseURL === undefined) throw new Error("no base URL");
  return new URL(baseURL).origin;
}

test("a second sign-in, which carries cookies, passes the origin check", async ({
  request,
  baseURL,
}) => {
  const account = newAccount();
  const origin = ownOrigin(baseURL);
  await signUpByApi(request, account, origin);
  for (const attempt of ["second", "third"]) {
    const answer = await request.post("/api/auth/sign-in/email", {
      data: account,
      headers: { origin },
    });
    expect(answer.status(), `${attempt} sign-in`).toBe(200);
    const { cookies } = await request.storageState();
    expect(cookies.map((cookie) => cookie.name)).toContain(
      origin.startsWith("https:") ? "__Secure-better-auth.session_token" : "better-auth.session_token",
    );
  }
});

test("a sign-in with cookies from another origin is refused", async ({ request, baseURL }) => {
  const account = newAccount();
  await signUpByApi(request, account, ownOrigin(baseURL));
  const answer = await request.post("/api/auth/sign-in/email", {
    data: account,
    headers: { origin: WRONG },
  });
  expect(answer.status()).toBe(403);
  expect(await answer.json()).toMatchObject({ code: "INVALID_ORIGIN" });
});

test("a change from another origin is refused, with a session or without", async ({
  request,
  baseURL,
}) => {
  const origin = ownOrigin(baseURL);
  await signUpByApi(request, newAccount(), origin);
  const post = (headers: Record<string, string>) =>
    request.post("/api/backend/todos", { data: { title: "planted" }, headers });
  expect((await post({ origin: WRONG })).status()).toBe(403);
  expect((await post({})).status()).toBe(403);
  const own = await post({ origin });
  expect(own.status()).toBe(201);
  const list = await request.get("/api/backend/todos");
  expect(await list.json()).toHaveLength(1);
});

test("without a session nothing is answered", async ({ request, baseURL }) => {
  const origin = ownOrigin(baseURL);
  const list = await request.get("/api/backend/todos");
  expect(list.status()).toBe(401);
  expect(await list.json()).toEqual({
    error: { code: "unauthorized", message: "Sign in first." },
  });
  const add = await request.post("/api/backend/todos", {
    data: { title: "planted" },
    headers: { origin },
  });
  expect(add.status()).toBe(401);
  expect((await request.get("/api/backend/health/ready")).status()).toBe(404);
});

test("the probes answer", async ({ request }) => {
  expect(await (await request.get("/api/health")).json()).toEqual({ status: "ok" });
  const ready = await request.get("/api/health/ready");
  expect(ready.status(), await ready.text()).toBe(200);
});
