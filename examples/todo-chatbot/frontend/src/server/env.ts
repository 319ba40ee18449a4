// The environment contract of the frontend. Read at run time, never while building, so that one
// image runs everywhere and holds no address and no secret.

export interface Env {
  /** PostgreSQL connection URL; Better Auth's tables are in it. */
  databaseUrl: string;
  /** Signs sessions and the tokens for the backend; at least 32 characters. */
  authSecret: string;
  /** The origin as the browser sees it, without a trailing slash. */
  publicOrigin: string;
  /** Where this server reaches the backend, without a trailing slash. */
  backendUrl: string;
}

/** One line that names every variable at fault and none of their values. */
export class EnvError extends Error {
  constructor(problems: string[]) {
    super(`configuration error: ${problems.join("; ")}`);
    this.name = "EnvError";
  }
}

const SECRET_MIN = 32;

function parseUrl(value: string): URL | null {
  return URL.canParse(value) ? new URL(value) : null;
}

function postgresProblem(value: string): string | null {
  if (!/^postgres(ql)?:\/\//.test(value)) return "must start with postgresql:// or postgres://";
  const url = parseUrl(value);
  if (url === null) return "is not a PostgreSQL URL (special characters need %-encoding)";
  if (url.hostname === "" && !url.searchParams.has("host")) return "names no host";
  if (url.pathname.length < 2) return "names no database";
  return null;
}

function secretProblem(value: string): string | null {
  return value.length < SECRET_MIN ? `must have at least ${SECRET_MIN} characters` : null;
}

function httpProblem(value: string): string | null {
  const url = parseUrl(value);
  const isHttp = url !== null && (url.protocol === "http:" || url.protocol === "https:");
  return isHttp ? null : "must be an http:// or https:// URL";
}

function originProblem(value: string): string | null {
  const problem = httpProblem(value);
  if (problem !== null) return problem;
  const url = new URL(value);
  const bare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  return bare ? null : "must be an origin: scheme, host and port, with no path";
}

/** The settings in `source`; throws EnvError when any is missing or malformed. */
export function readEnv(source: Readonly<Record<string, string | undefined>>): Env {
  const problems: string[] = [];
  const read = (name: string, check: (value: string) => string | null): string => {
    const value = source[name]?.trim() ?? "";
    // Empty counts as missing: Kubernetes and compose pass optional keys that way.
    const problem = value === "" ? "is missing" : check(value);
    if (problem !== null) problems.push(`${name} ${problem}`);
    return value;
  };
  const databaseUrl = read("DATABASE_URL", postgresProblem);
  const authSecret = read("BETTER_AUTH_SECRET", secretProblem);
  const publicUrl = read("BETTER_AUTH_URL", originProblem);
  const backendUrl = read("BACKEND_URL", httpProblem);
  if (problems.length > 0) throw new EnvError(problems);
  return {
    databaseUrl,
    authSecret,
    publicOrigin: new URL(publicUrl).origin,
    backendUrl: backendUrl.replace(/\/+$/, ""),
  };
}

let cached: Env | undefined;

/** The settings of this process. */
export function env(): Env {
  cached ??= readEnv(process.env);
  return cached;
}
