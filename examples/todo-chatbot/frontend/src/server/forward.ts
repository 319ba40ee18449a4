import { randomUUID } from "node:crypto";
import { errorResponse } from "@/server/errors";

const OPEN_PATHS = new Set(["todos", "chat", "features", "version"]);
const REQUEST_HEADERS = ["accept", "content-type", "content-length", "x-request-id"];
const RESPONSE_HEADERS = [
  "content-type",
  "content-length",
  "content-disposition",
  "retry-after",
  "x-request-id",
];
const TIMEOUT_MS = 15_000;
/** A chat turn may ask a language model several times. */
const CHAT_TIMEOUT_MS = 120_000;
/** An upload goes on to the object store before it is answered. */
const UPLOAD_TIMEOUT_MS = 120_000;
const SAFE_METHODS = new Set(["GET", "HEAD"]);

export interface Target {
  backendUrl: string;
  token: string;
}

/** The backend's URL for the path after /api/backend, or null when it isn't one that browsers
 * may reach. */
export function backendPath(segments: string[]): string | null {
  const [first] = segments;
  if (first === undefined || !OPEN_PATHS.has(first)) return null;
  // A segment arrives decoded; dots would climb out of the list above.
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) return null;
  return `/api/${segments.map(encodeURIComponent).join("/")}`;
}

/** Whether a request that changes something comes from the app's own pages. Cookies are SameSite,
 * but another port of the same host is the same site. */
export function isOwnOrigin(request: Request, publicOrigin: string): boolean {
  return SAFE_METHODS.has(request.method) || request.headers.get("origin") === publicOrigin;
}

function timeoutFor(path: string): number {
  if (path.startsWith("/api/chat")) return CHAT_TIMEOUT_MS;
  return path.includes("/attachments") ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS;
}

function pick(from: Headers, names: string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

/** Sends the request on to the backend and streams its answer back. */
export async function forward(request: Request, path: string, target: Target): Promise<Response> {
  const sent = pick(request.headers, REQUEST_HEADERS);
  sent.set("authorization", `Bearer ${target.token}`);
  if (!sent.has("x-request-id")) sent.set("x-request-id", randomUUID());
  const deadline = AbortSignal.timeout(timeoutFor(path));
  let answer: Response;
  try {
    answer = await fetch(`${target.backendUrl}${path}${new URL(request.url).search}`, {
      method: request.method,
      headers: sent,
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.any([request.signal, deadline]),
      ...(request.body === null ? {} : { body: request.body, duplex: "half" as const }),
    });
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (deadline.aborted) {
      return errorResponse(504, "backend_timeout", "The backend took too long. Try again.");
    }
    console.error(`backend unreachable: ${describe(error)}`);
    const message = "The backend does not answer. Try again in a moment.";
    return errorResponse(502, "backend_unreachable", message, { "Retry-After": "5" });
  }
  const received = pick(answer.headers, RESPONSE_HEADERS);
  // fetch() has decoded a compressed body, so its length is no longer the one that was sent.
  if (answer.headers.has("content-encoding")) received.delete("content-length");
  received.set("cache-control", "private, no-store");
  if (path.includes("/attachments/")) protectDownload(received);
  return new Response(answer.body, { status: answer.status, headers: received });
}

/** Users' files are on the app's own origin: a browser must save them, never run them. */
function protectDownload(headers: Headers): void {
  const disposition = headers.get("content-disposition") ?? "";
  const parameters = /^[^;]*;(.*)$/s.exec(disposition)?.[1];
  headers.set("content-disposition", parameters ? `attachment;${parameters}` : "attachment");
  headers.set("content-security-policy", "default-src 'none'; sandbox");
  headers.set("x-content-type-options", "nosniff");
}

/** The reason beneath fetch's "fetch failed", e.g. ECONNREFUSED. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) {
    return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  }
  return error.message;
}
