import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { addTodo, newAccount, signUp } from "./app.js";

test("files: there with an object store, absent without trace otherwise", async ({ page }) => {
  test.slow();
  await signUp(page, newAccount());
  await addTodo(page, "Buy milk");
  const features = await (await page.request.get("/api/backend/features")).json();
  const button = page.getByRole("button", { name: "Files of Buy milk" });
  if ((features as { attachments: boolean }).attachments === false) {
    await expect(button).toHaveCount(0);
    const [todo] = (await (await page.request.get("/api/backend/todos")).json()) as { id: string }[];
    const answer = await page.request.get(`/api/backend/todos/${todo?.id}/attachments`);
    expect(answer.status()).toBe(404);
    return;
  }
  await button.click();
  await expect(page.getByText("No files.")).toBeVisible();
  // Larger than any buffer on the way, and a page if a browser were to show it.
  const content = Buffer.concat([Buffer.from("<script>alert(1)</script>"), Buffer.alloc(2_000_000)]);
  await page.getByLabel("Add a file").setInputFiles({
    name: "Einkauf für Ada.html",
    mimeType: "text/html",
    buffer: content,
  });
  const link = page.getByRole("link", { name: "Einkauf für Ada.html" });
  await expect(link).toBeVisible({ timeout: 60_000 }); // a small pod takes its time
  await expect(page.getByText("1.9 MiB")).toBeVisible();

  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe("Einkauf für Ada.html");
  expect(readFileSync(await download.path()).equals(content)).toBe(true);
  const answer = await page.request.get((await link.getAttribute("href")) ?? "");
  expect(answer.headers()["content-disposition"]).toMatch(/^attachment;/);
  expect(answer.headers()).toMatchObject({
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
  });

  await page.getByLabel("Add a file").setInputFiles({
    name: "large.bin",
    mimeType: "application/octet-stream",
    buffer: Buffer.alloc(12 * 1024 * 1024),
  });
  await expect(page.getByRole("listitem").getByRole("alert")).toContainText("At most", {
    timeout: 60_000,
  });
  await page.getByRole("button", { name: "Remove the file Einkauf für Ada.html" }).click();
  await expect(page.getByText("No files.")).toBeVisible();
});
