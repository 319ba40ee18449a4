import { describe, expect, test } from "vitest";
import { EnvError, readEnv } from "@/server/env";

const GOOD = {
  DATABASE_URL: "postgresql://todo:pa%40ss@db:5432/todo?sslmode=require",
  BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef",
  BETTER_AUTH_URL: "http://192.168.49.2:30300/",
  BACKEND_URL: "http://backend-service:8000/",
};

function problem(changes: Record<string, string | undefined>): string {
  try {
    readEnv({ ...GOOD, ...changes });
  } catch (error) {
    if (error instanceof EnvError) return error.message;
    throw error;
  }
  throw new Error("the environment was taken");
}

test("a complete environment is taken, trailing slashes aside", () => {
  expect(readEnv(GOOD)).toEqual({
    databaseUrl: GOOD.DATABASE_URL,
    authSecret: GOOD.BETTER_AUTH_SECRET,
    publicOrigin: "http://192.168.49.2:30300",
    backendUrl: "http://backend-service:8000",
  });
});

test("all problems are in one line", () => {
  expect(() => readEnv({})).toThrow(
    "configuration error: DATABASE_URL is missing; BETTER_AUTH_SECRET is missing; " +
      "BETTER_AUTH_URL is missing; BACKEND_URL is missing",
  );
});

describe("each wrong value is named and not shown", () => {
  test.each([
    ["DATABASE_URL", "mysql://root:hunter22@db/todo", "must start with postgresql:// or postgres://"],
    ["DATABASE_URL", "postgresql://todo:hunter22@db:5432", "names no database"],
    ["DATABASE_URL", "postgresql://todo:hunter22@db:port/todo", "is not a PostgreSQL URL"],
    ["BETTER_AUTH_SECRET", "hunter22", "must have at least 32 characters"],
    ["BETTER_AUTH_SECRET", "   ", "is missing"],
    ["BETTER_AUTH_URL", "hunter22:30300", "must be an http:// or https:// URL"],
    ["BETTER_AUTH_URL", "http://hunter22/app", "must be an origin"],
    ["BACKEND_URL", "ftp://hunter22", "must be an http:// or https:// URL"],
  ])("%s", (name, value, reason) => {
    const message = problem({ [name]: value });
    expect(message).toContain(`${name} ${reason}`);
    expect(message).not.toContain("hunter22");
    expect(message).not.toContain("\n");
  });
});

test("a database on a unix socket has no host name in its URL", () => {
  const databaseUrl = "postgresql:///todo?host=/run/postgresql";
  expect(readEnv({ ...GOOD, DATABASE_URL: databaseUrl }).databaseUrl).toBe(databaseUrl);
});
