import { randomUUID } from "node:crypto";
import { expect, type APIRequestContext, type Locator, type Page } from "@playwright/test";

export interface Account {
  name: string;
  email: string;
  password: string;
}

/** Someone who has never been here; every test brings its own. */
export function newAccount(name = "Ada"): Account {
  const id = randomUUID();
  return { name, email: `${name.toLowerCase().replaceAll(" ", ".")}-${id}@example.test`, password: `pw-${id}` };
}

export async function signUp(page: Page, account: Account): Promise<void> {
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill(account.name);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Todos" })).toBeVisible();
}

export async function signIn(page: Page, account: Account, password?: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(password ?? account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
}

export async function addTodo(page: Page, title: string): Promise<void> {
  await page.getByLabel("New todo").fill(title);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(row(page, title)).toBeVisible();
}

/** The entry of the list with this title. */
export function row(page: Page, title: string): Locator {
  return page.getByRole("list", { name: "Todos" }).getByRole("listitem").filter({ hasText: title });
}

/** Says something to the assistant and waits for the whole answer; gives the answer. */
export async function say(page: Page, message: string): Promise<Locator> {
  const replies = page.getByRole("log").locator('[data-role="assistant"]');
  const before = await replies.count();
  await page.getByLabel("Message to the assistant").fill(message);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(replies).toHaveCount(before + 1);
  return replies.nth(before);
}

/** Signs up over HTTP, as a page of `origin` would. */
export async function signUpByApi(
  api: APIRequestContext,
  account: Account,
  origin: string,
): Promise<void> {
  const answer = await api.post("/api/auth/sign-up/email", {
    data: account,
    headers: { origin },
  });
  expect(answer.status(), await answer.text()).toBe(200);
}
