import { currentUser } from "@/server/auth";
import { env } from "@/server/env";
import { errorResponse } from "@/server/errors";
import { backendPath, forward, isOwnOrigin } from "@/server/forward";
import { backendToken } from "@/server/token";

interface Context {
  params: Promise<{ path: string[] }>;
}

async function handle(request: Request, context: Context): Promise<Response> {
  const { authSecret, backendUrl, publicOrigin } = env();
  const path = backendPath((await context.params).path);
  if (path === null) return errorResponse(404, "not_found", "There is nothing at this address.");
  if (!isOwnOrigin(request, publicOrigin)) {
    const message = `Requests from this address are refused; open the app at ${publicOrigin}.`;
    return errorResponse(403, "invalid_origin", message);
  }
  let user;
  try {
    user = await currentUser(request.headers);
  } catch (error) {
    console.error(`session not read: ${error instanceof Error ? error.message : String(error)}`);
    const message = "The database does not answer. Try again in a moment.";
    return errorResponse(503, "database_unavailable", message, { "Retry-After": "5" });
  }
  if (user === null) return errorResponse(401, "unauthorized", "Sign in first.");
  const token = await backendToken(user, authSecret);
  return forward(request, path, { backendUrl, token });
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST };
