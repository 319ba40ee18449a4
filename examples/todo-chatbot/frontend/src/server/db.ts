import "server-only";
import { Pool } from "pg";
import { env } from "@/server/env";

const POOL_MAX = 5;
const CONNECT_TIMEOUT_MS = 5_000;

// On globalThis, because `next dev` loads this module anew after each change.
const holder = globalThis as typeof globalThis & { todoPool?: Pool };

/** The connection pool of this process. */
export function pool(): Pool {
  if (holder.todoPool === undefined) {
    const created = new Pool({
      connectionString: env().databaseUrl,
      max: POOL_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: "todo-frontend",
    });
    // Without a listener, a database restart would end this process: an idle connection that
    // breaks has nobody else to tell.
    created.on("error", (error) => {
      console.error(`database connection lost: ${error.message}`);
    });
    holder.todoPool = created;
  }
  return holder.todoPool;
}
