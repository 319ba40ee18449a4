import { SignJWT } from "jose";

const LIFETIME_SECONDS = 300;

interface Subject {
  id: string;
  email: string;
  name: string;
}

/** A token with which the backend knows the user; it lives five minutes and stays on the server. */
export async function backendToken(user: Subject, secret: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ email: user.email, name: user.name })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user.id)
    .setIssuer("todo-frontend")
    .setAudience("todo-backend")
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME_SECONDS)
    .sign(new TextEncoder().encode(secret));
}
