import http from "node:http";
import https from "node:https";
import "server-only";
import { pool } from "@/server/db";
import { env } from "@/server/env";

/** Below the probe's own timeout, so that the reason gets out. */
const CHECK_TIMEOUT_MS = 2_500;
const UNDEFINED_TABLE = "42P01";

/** What has to answer before requests can be served; empty when all does. */
export async function waitingFor(): Promise<string[]> {
  const reasons = await Promise.all([databaseReason(), backendReason()]);
  return reasons.filter((reason) => reason !== null);
}

async function databaseReason(): Promise<string | null> {
  try {
    await within(pool().query('SELECT 1 FROM "session" LIMIT 1'));
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === UNDEFINED_TABLE) return "database: no Better Auth tables; migrations have not run";
    return `database: ${typeof code === "string" ? code : reasonOf(error)}`;
  }
}

async function backendReason(): Promise<string | null> {
  try {
    const status = await freshStatus(`${env().backendUrl}/api/health`);
    return status === 200 ? null : `backend: answers ${status}`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return `backend: ${typeof code === "string" ? code : reasonOf(error)}`;
  }
}

/** The status of a GET over a connection of its own. fetch() would keep one open between probes,
 * and one that was made while the cluster's network was still settling would be asked forever. */
function freshStatus(url: string): Promise<number> {
  const { get } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    const asked = get(url, { agent: false, signal }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : error));
  });
}

function reasonOf(error: unknown): string {
  // Messages of pg can quote the connection's user; the class of the fault is enough here.
  return error instanceof Error && error.name === "TimeoutError" ? "no answer in time" : "no answer";
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DOMException("no answer in time", "TimeoutError")),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
