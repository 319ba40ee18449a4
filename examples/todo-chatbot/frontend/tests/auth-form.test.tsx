// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AuthForm } from "@/components/auth-form";
import { fakeServer } from "./fake-server";

const { replace, refresh } = vi.hoisted(() => ({ replace: vi.fn(), refresh: vi.fn() }));
vi.mock("next/navigation", () => ({ useRouter: () => ({ replace, refresh }) }));

const OWN = window.location.origin;
beforeEach(() => {
  replace.mockReset();
});
afterEach(cleanup);

test("signs up with trimmed name and address and the password as it is", async () => {
  const asked = fakeServer({ "POST /api/auth/sign-up/email": [200, {}] });
  render(<AuthForm mode="sign-up" publicOrigin={OWN} />);
  await userEvent.type(screen.getByLabelText("Name"), " Ada ");
  await userEvent.type(screen.getByLabelText("E-mail"), "ada@example.test");
  await userEvent.type(screen.getByLabelText("Password"), " a password ");
  await userEvent.click(screen.getByRole("button", { name: "Create account" }));
  expect(asked).toEqual([
    {
      method: "POST",
      path: "/api/auth/sign-up/email",
      body: { name: "Ada", email: "ada@example.test", password: " a password " },
    },
  ]);
  expect(replace).toHaveBeenCalledWith("/todos");
});

test.each([
  [401, { code: "INVALID_EMAIL_OR_PASSWORD", message: "x" }, "The e-mail address or the password is not right."],
  [429, { message: "x" }, "Too many attempts. Wait a minute, then try again."],
  [500, {}, "The server cannot do that right now. Try again in a moment."],
  [403, { code: "INVALID_ORIGIN", message: "x" }, "Sign-in is refused at this address. Open the app at its own address."],
])("a refusal with status %i becomes a sentence", async (status, body, sentence) => {
  fakeServer({ "POST /api/auth/sign-in/email": [status, body] });
  render(<AuthForm mode="sign-in" publicOrigin={OWN} />);
  await userEvent.type(screen.getByLabelText("E-mail"), "ada@example.test");
  await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
  expect((await screen.findByRole("alert")).textContent).toBe(sentence);
  expect(replace).not.toHaveBeenCalled();
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Sign in" }).disabled).toBe(false);
});

test("says where the app belongs when it is opened under another address", () => {
  render(<AuthForm mode="sign-in" publicOrigin="http://192.168.49.2:30300" />);
  expect(screen.getByRole("status").textContent).toContain("sign-in is refused");
  expect(
    screen.getByRole("link", { name: "http://192.168.49.2:30300" }).getAttribute("href"),
  ).toBe("http://192.168.49.2:30300");
});

test("says nothing of that at its own address", () => {
  render(<AuthForm mode="sign-in" publicOrigin={OWN} />);
  expect(screen.queryByRole("status")).toBeNull();
});
