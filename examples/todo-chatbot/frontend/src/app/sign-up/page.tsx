import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuthForm } from "@/components/auth-form";
import { currentUser } from "@/server/auth";
import { env } from "@/server/env";

export const metadata: Metadata = { title: "Create an account" };

export default async function SignUp() {
  if ((await currentUser()) !== null) redirect("/todos");
  return <AuthForm mode="sign-up" publicOrigin={env().publicOrigin} />;
}
