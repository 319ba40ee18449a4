import "server-only";
import { betterAuth } from "better-auth";
import { headers } from "next/headers";
import { pool } from "@/server/db";
import { env } from "@/server/env";

const DAY_SECONDS = 60 * 60 * 24;

function create() {
  const { authSecret, publicOrigin } = env();
  return betterAuth({
    appName: "Todo Chatbot",
    baseURL: publicOrigin,
    secret: authSecret,
    database: pool(),
    // Exactly one: whoever opens the app under another address is told so on the sign-in page.
    trustedOrigins: [publicOrigin],
    emailAndPassword: { enabled: true, minPasswordLength: 8, maxPasswordLength: 128 },
    session: { expiresIn: 7 * DAY_SECONDS, updateAge: DAY_SECONDS },
    // Browsers drop Secure cookies on http://192.168.49.2:30300, so the origin decides.
    advanced: { useSecureCookies: publicOrigin.startsWith("https://") },
    // Behind a NodePort every user has the node's address, so the default of three sign-ins in
    // ten seconds would be shared by all of them.
    rateLimit: {
      enabled: true,
      window: 10,
      max: 200,
      customRules: {
        "/sign-in/email": { window: 60, max: 60 },
        "/sign-up/email": { window: 60, max: 60 },
      },
    },
    telemetry: { enabled: false },
  });
}

type Auth = ReturnType<typeof create>;
let cached: Auth | undefined;

/** Better Auth, made on first use: the environment is not known while building. */
export function auth(): Auth {
  cached ??= create();
  return cached;
}

export interface User {
  id: string;
  email: string;
  name: string;
}

/** The signed-in user of the current request, or null. */
export async function currentUser(requestHeaders?: Headers): Promise<User | null> {
  const found = await auth().api.getSession({ headers: requestHeaders ?? (await headers()) });
  if (found === null) return null;
  const { id, email, name } = found.user;
  return { id, email, name };
}
