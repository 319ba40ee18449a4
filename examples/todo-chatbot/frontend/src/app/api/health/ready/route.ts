import { waitingFor } from "@/server/ready";

export const dynamic = "force-dynamic";

/** Readiness: 200, or 503 with what this server waits for. */
export async function GET(): Promise<Response> {
  const waiting = await waitingFor();
  const ok = waiting.length === 0;
  const body = { status: ok ? "ok" : "waiting", waiting_for: waiting };
  return Response.json(body, {
    status: ok ? 200 : 503,
    headers: { "cache-control": "no-store" },
  });
}
