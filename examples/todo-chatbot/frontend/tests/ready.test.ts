import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";

const { query, settings } = vi.hoisted(() => ({
  query: vi.fn(),
  settings: { backendUrl: "http://127.0.0.1:1" },
}));
vi.mock("@/server/db", () => ({ pool: () => ({ query }) }));
vi.mock("@/server/env", () => ({ env: () => settings }));

const { GET } = await import("@/app/api/health/ready/route");
let server: Server | undefined;

async function backendAnswers(status: number): Promise<void> {
  const started = createServer((_, response) => response.writeHead(status).end());
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  settings.backendUrl = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

afterEach(async () => {
  const started = server;
  server = undefined;
  settings.backendUrl = "http://127.0.0.1:1";
  if (started !== undefined) await new Promise((resolve) => started.close(resolve));
});

async function answer(): Promise<{ status: number; body: unknown }> {
  const response = await GET();
  return { status: response.status, body: await response.json() };
}

test("ready when database and backend answer", async () => {
  query.mockResolvedValue({ rows: [] });
  await backendAnswers(200);
  expect(await answer()).toEqual({ status: 200, body: { status: "ok", waiting_for: [] } });
});

test("names everything that it waits for, and no address", async () => {
  query.mockRejectedValue(Object.assign(new Error("10.0.0.7:5432"), { code: "ECONNREFUSED" }));
  expect(await answer()).toEqual({
    status: 503,
    body: {
      status: "waiting",
      waiting_for: ["database: ECONNREFUSED", "backend: ECONNREFUSED"],
    },
  });
});

test("missing tables mean that the migrations have not run", async () => {
  query.mockRejectedValue(Object.assign(new Error("no relation"), { code: "42P01" }));
  await backendAnswers(200);
  expect((await answer()).body).toMatchObject({
    waiting_for: ["database: no Better Auth tables; migrations have not run"],
  });
});

test("a backend that answers with an error is not ready", async () => {
  query.mockResolvedValue({ rows: [] });
  await backendAnswers(500);
  expect((await answer()).body).toMatchObject({ waiting_for: ["backend: answers 500"] });
});
