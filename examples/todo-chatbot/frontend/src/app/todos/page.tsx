import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Workspace } from "@/components/workspace";
import { currentUser } from "@/server/auth";

export const metadata: Metadata = { title: "Your todos" };

export default async function Todos() {
  const user = await currentUser();
  if (user === null) redirect("/sign-in");
  return <Workspace userName={user.name || user.email} />;
}
