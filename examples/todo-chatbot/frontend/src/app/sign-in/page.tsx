import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuthForm } from "@/components/auth-form";
import { currentUser } from "@/server/auth";
import { env } from "@/server/env";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignIn() {
  if ((await currentUser()) !== null) redirect("/todos");
  return <AuthForm mode="sign-in" publicOrigin={env().publicOrigin} />;
}
