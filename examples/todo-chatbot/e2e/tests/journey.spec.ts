import { expect, test } from "@playwright/test";
import { addTodo, newAccount, row, say, signIn, signOut, signUp } from "./app.js";

test("sign up, keep todos, sign out, sign in again", async ({ page }) => {
  const account = newAccount();
  await signUp(page, account);
  await expect(page.getByText("Nothing to do.")).toBeVisible();

  await addTodo(page, "Buy milk");
  await addTodo(page, "Call the bank");
  await page.getByRole("checkbox", { name: "Buy milk" }).check();
  await expect(page.getByText("1 of 2 open")).toBeVisible();

  await page.getByRole("button", { name: "Edit Call the bank" }).click();
  await page.getByLabel("New title of Call the bank").fill("Call the bank at nine");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Edit Call the bank at nine" })).toBeFocused();

  await page.getByRole("button", { name: "Delete Buy milk", exact: true }).click();
  await page.getByRole("button", { name: "Keep" }).click();
  await expect(row(page, "Buy milk")).toBeVisible();
  await page.getByRole("button", { name: "Delete Buy milk", exact: true }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row(page, "Buy milk")).toHaveCount(0);

  await signOut(page);
  await page.goto("/todos");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();

  await signIn(page, account, "not the password");
  await expect(page.getByRole("main").getByRole("alert")).toHaveText(
    "The e-mail address or the password is not right.",
  );
  await signIn(page, account);
  await expect(row(page, "Call the bank at nine")).toBeVisible();
  await expect(page.getByText("1 of 1 open")).toBeVisible();
});

test("an e-mail address signs up once", async ({ page }) => {
  const account = newAccount();
  await signUp(page, account);
  await signOut(page);
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill("Eve");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill("another password");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("main").getByRole("alert")).toContainText("already");
});

test("the assistant works on the list and asks before it deletes", async ({ page }) => {
  await signUp(page, newAccount());
  await addTodo(page, "Buy milk");

  const added = await say(page, "add water the plants");
  await expect(added.getByText("add_todo")).toBeVisible();
  await expect(row(page, "water the plants")).toBeVisible();

  const listed = await say(page, "list");
  await expect(listed).toContainText("water the plants");
  await expect(listed.getByText("list_todos")).toBeVisible();

  const asked = await say(page, "delete Buy milk");
  await expect(asked.getByText("delete_todo")).toBeVisible();
  await expect(asked.getByText("waits for you")).toBeVisible();
  await expect(row(page, "Buy milk")).toBeVisible();
  await asked.getByRole("button", { name: "Keep it" }).click();
  await expect(asked.getByText("not confirmed")).toBeVisible();
  await expect(row(page, "Buy milk")).toBeVisible();

  const again = await say(page, "delete Buy milk");
  await again.getByRole("button", { name: "Delete it" }).click();
  await expect(row(page, "Buy milk")).toHaveCount(0);
  await expect(row(page, "water the plants")).toBeVisible();

  // The conversation, with its tool calls, is kept on the server.
  await page.reload();
  const log = page.getByRole("log");
  await expect(log.getByText("add_todo")).toBeVisible();
  await expect(log.getByText("not confirmed")).toBeVisible();
  await expect(log.getByRole("button", { name: "Delete it" })).toHaveCount(0);
});

test("a second user sees nothing of the first", async ({ browser }) => {
  const first = await (await browser.newContext()).newPage();
  await signUp(first, newAccount("Ada"));
  await addTodo(first, "A secret plan");
  await say(first, "list");
  const [todo] = (await (await first.request.get("/api/backend/todos")).json()) as { id: string }[];
  const [conversation] = (await (
    await first.request.get("/api/backend/chat/conversations")
  ).json()) as { id: string }[];
  if (todo === undefined || conversation === undefined) throw new Error("nothing to hide");

  const second = await (await browser.newContext()).newPage();
  await signUp(second, newAccount("Grace"));
  await expect(second.getByText("Nothing to do.")).toBeVisible();
  await expect(second.getByText("Ask for your list")).toBeVisible();
  const origin = new URL(second.url()).origin;
  const headers = { origin };
  const urls = [`todos/${todo.id}`, `chat/conversations/${conversation.id}`];
  const attempts = await Promise.all([
    second.request.patch(`/api/backend/${urls[0]}`, { headers, data: { completed: true } }),
    second.request.delete(`/api/backend/${urls[0]}`, { headers }),
    second.request.get(`/api/backend/${urls[1]}`),
    second.request.post("/api/backend/chat", {
      headers,
      data: { message: "list", conversation_id: conversation.id },
    }),
  ]);
  expect(attempts.map((attempt) => attempt.status())).toEqual([404, 404, 404, 404]);

  await first.reload();
  await expect(first.getByRole("checkbox", { name: "A secret plan" })).not.toBeChecked();
});
