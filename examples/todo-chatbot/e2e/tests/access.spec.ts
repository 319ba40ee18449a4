import { mkdirSync } from "node:fs";
import { join } from "node:path";
import AxeCore from "axe-core";
import { expect, test, type Page } from "@playwright/test";
import { addTodo, newAccount, row, say, signUp } from "./app.js";

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
/** Where pictures go; none are taken without it. */
const PICTURES = process.env.E2E_SCREENSHOTS;

interface Violation {
  id: string;
  nodes: { target: unknown; failureSummary?: string }[];
}

/** What axe finds against WCAG 2.2 A and AA, contrast in the current theme included. */
async function violations(page: Page): Promise<Violation[]> {
  await page.evaluate(AxeCore.source); // not a script tag: the page's policy would refuse it
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof AxeCore };
    const found = await axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return found.violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ target, failureSummary }) => ({
        target,
        ...(failureSummary === undefined ? {} : { failureSummary }),
      })),
    }));
  });
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

for (const theme of ["light", "dark"] as const) {
  test.describe(`${theme} theme`, () => {
    test.use({ colorScheme: theme, viewport: DESKTOP });

    test("sign-up and sign-in pages have no accessibility violations", async ({ page }) => {
      for (const path of ["/sign-up", "/sign-in"]) {
        await page.goto(path);
        await expect(page.getByRole("button", { name: /Sign in|Create account/ })).toBeEnabled();
        expect(await violations(page)).toEqual([]);
        await picture(page, `${path.slice(1)}-${theme}`);
      }
    });

    test("todos and chat have no accessibility violations, empty and full", async ({ page }) => {
      await signUp(page, newAccount("Ada Lovelace"));
      await expect(page.getByText("Nothing to do.")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await picture(page, `empty-${theme}`);

      for (const title of ["Buy milk", "Water the plants", "Call the bank at nine"]) {
        await addTodo(page, title);
      }
      await addTodo(page, "Read the chapter about rolling updates, then try one on the cluster");
      await page.getByRole("checkbox", { name: "Water the plants" }).check();
      await say(page, "add book a table for Friday");
      const asked = await say(page, "delete buy milk");
      await expect(asked.getByText("waits for you")).toBeVisible();
      await expect(row(page, "book a table")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await picture(page, `app-${theme}`);

      await page.getByRole("button", { name: "Edit Call the bank at nine" }).click();
      await page.getByRole("button", { name: "Delete Buy milk", exact: true }).click();
      expect(await violations(page)).toEqual([]);
      await picture(page, `edit-${theme}`);

      await page.setViewportSize(PHONE);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await picture(page, `phone-todos-${theme}`);
      await page.getByRole("button", { name: "Chat", exact: true }).click();
      await expect(page.getByRole("heading", { name: "Assistant" })).toBeVisible();
      await expect(page.getByRole("heading", { name: "Todos" })).toBeHidden();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(await violations(page)).toEqual([]);
      await picture(page, `phone-chat-${theme}`);
    });
  });
}

test("everything is reached by keyboard", async ({ page }) => {
  await signUp(page, newAccount());
  const input = page.getByLabel("New todo");
  await input.focus();
  await page.keyboard.type("Buy milk");
  await page.keyboard.press("Enter");
  await expect(row(page, "Buy milk")).toBeVisible();
  await expect(input).toBeFocused();

  const checkbox = page.getByRole("checkbox", { name: "Buy milk" });
  await page.keyboard.press("Tab"); // the add button is disabled while the field is empty
  await expect(checkbox).toBeFocused();
  await page.keyboard.press("Space");
  await expect(checkbox).toBeChecked();
  await expect(checkbox).toBeFocused();

  // Where the installation keeps files, their button comes first.
  const files = await page.getByRole("button", { name: "Files of Buy milk" }).count();
  for (let presses = 0; presses <= files; presses += 1) await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Edit Buy milk" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("New title of Buy milk")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Edit Buy milk" })).toBeFocused();

  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Keep" })).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(row(page, "Buy milk")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Todos" })).toBeFocused();
});

test("nothing is loaded from elsewhere and nothing breaks the page's policy", async ({
  page,
  baseURL,
}) => {
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on("request", (asked) => {
    if (baseURL !== undefined && !asked.url().startsWith(baseURL)) foreign.push(asked.url());
  });
  page.on("console", (line) => {
    if (line.type() === "error") complaints.push(line.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await signUp(page, newAccount());
  await addTodo(page, "Buy milk");
  await say(page, "list");
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

test("a failing backend is told and can be asked again", async ({ page }) => {
  await signUp(page, newAccount());
  await addTodo(page, "Buy milk");
  const message = "The backend does not answer. Try again in a moment.";
  const failing = (url: URL) => url.pathname.startsWith("/api/backend/");
  await page.route(failing, (route) =>
    route.fulfill({ status: 502, json: { error: { code: "backend_unreachable", message } } }),
  );
  await page.reload();
  await expect(page.getByRole("alert").filter({ hasText: message }).first()).toBeVisible();
  await picture(page, "error-light");
  await page.unroute(failing);
  await page.getByRole("button", { name: "Load again" }).click();
  await expect(row(page, "Buy milk")).toBeVisible();
});
