// The browser's only way to the backend: the app's own server, which adds the token.

/** An answer that says no, with the server's sentence for the user. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const UNREACHABLE = "The app's server does not answer. Check the connection and try again.";

interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  json?: unknown;
  form?: FormData;
  signal?: AbortSignal;
}

/** Calls `/api/backend/<path>`; null for an answer without a body. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  return request<T>(`/api/backend/${path}`, options);
}

/** Calls any of the app's own routes. */
export async function request<T>(url: string, options: Options = {}): Promise<T> {
  const { method = "GET", json, form, signal } = options;
  const init: RequestInit = { method, credentials: "same-origin" };
  if (signal !== undefined) init.signal = signal;
  if (form !== undefined) init.body = form;
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { "content-type": "application/json" };
  }
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", UNREACHABLE);
  }
  if (!answer.ok) throw await readError(answer);
  return (answer.status === 204 ? null : await answer.json()) as T;
}

async function readError(answer: Response): Promise<ApiError> {
  const fallback = `The server answered with status ${answer.status}. Try again in a moment.`;
  let body: unknown;
  try {
    body = await answer.json();
  } catch {
    return new ApiError(answer.status, "http_error", fallback); // e.g. a proxy's HTML page
  }
  // The backend nests code and message in `error`; Better Auth has them at the top.
  const source = isRecord(body) && isRecord(body.error) ? body.error : body;
  if (!isRecord(source)) return new ApiError(answer.status, "http_error", fallback);
  const code = typeof source.code === "string" ? source.code : "http_error";
  const message = typeof source.message === "string" ? source.message : fallback;
  return new ApiError(answer.status, code, message);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The sentence to show for whatever was thrown. */
export function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : "Something went wrong here. Try again.";
}
