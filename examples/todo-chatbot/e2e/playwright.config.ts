import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// The app under test, as a browser reaches it: BETTER_AUTH_URL has to be the same origin.
const baseURL = process.env.E2E_BASE_URL;
if (!baseURL) throw new Error("E2E_BASE_URL is not set: the origin of the running app");

// A browser of the system where there is one, else Playwright's own (npx playwright install).
const candidates = [process.env.E2E_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  // One app with one database, often on a small machine.
  workers: 1,
  forbidOnly: process.env.CI !== undefined,
  reporter: [["list"]],
  use: {
    baseURL,
    trace: "retain-on-failure",
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [
        "--no-sandbox", // a container's root has no other choice
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
