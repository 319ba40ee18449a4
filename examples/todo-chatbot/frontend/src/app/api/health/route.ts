export const dynamic = "force-dynamic";

/** Liveness: depends on nothing but the process. */
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });
}
