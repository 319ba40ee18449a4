import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import { backendToken } from "@/server/token";

const SECRET = "0123456789abcdef0123456789abcdef";
const USER = { id: "user-1", email: "ada@example.test", name: "Ada" };

test("the token says who is asking, to whom, and for five minutes", async () => {
  const token = await backendToken(USER, SECRET);
  const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
    algorithms: ["HS256"],
    issuer: "todo-frontend",
    audience: "todo-backend",
    subject: "user-1",
    requiredClaims: ["iat", "exp"],
  });
  expect(protectedHeader.alg).toBe("HS256");
  expect(payload).toMatchObject({ email: "ada@example.test", name: "Ada" });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
});

test("another secret does not verify it", async () => {
  const token = await backendToken(USER, SECRET);
  const other = new TextEncoder().encode("another secret of more than 32 characters");
  await expect(jwtVerify(token, other)).rejects.toThrow("signature verification failed");
});
