// @vitest-environment jsdom
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { TodoPanel } from "@/components/todo-panel";
import { useTodos } from "@/lib/use-todos";
import type { Todo } from "@/lib/types";
import { fakeServer } from "./fake-server";

afterEach(cleanup);

function todo(id: string, title: string, completed = false): Todo {
  return { id, title, completed, created_at: "", updated_at: "" };
}

const ignore = () => undefined;

function Panel({ onSignedOut = ignore as () => void, attachments = false }) {
  return <TodoPanel todos={useTodos(onSignedOut)} attachments={attachments} />;
}

const LIST = "/api/backend/todos";
const DOWN = { error: { code: "backend_unreachable", message: "The backend does not answer." } };

test("loading, then the list with its count", async () => {
  fakeServer({ [`GET ${LIST}`]: [200, [todo("1", "Buy milk"), todo("2", "Rest", true)]] });
  render(<Panel />);
  expect(screen.getByText("Loading the todos …")).toBeTruthy();
  expect(await screen.findByText("1 of 2 open")).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>("checkbox", { name: "Rest" }).checked).toBe(true);
});

test("an empty list says so; adding announces and clears the field", async () => {
  const asked = fakeServer({
    [`GET ${LIST}`]: [200, []],
    [`POST ${LIST}`]: (body) => [201, todo("1", (body as { title: string }).title)],
  });
  render(<Panel />);
  expect(await screen.findByText("Nothing to do.")).toBeTruthy();
  const input = screen.getByLabelText<HTMLInputElement>("New todo");
  await userEvent.type(input, "  Buy milk {Enter}");
  expect(await screen.findByRole("checkbox", { name: "Buy milk" })).toBeTruthy();
  expect(asked.at(-1)?.body).toEqual({ title: "Buy milk" });
  expect(input.value).toBe("");
  expect(document.activeElement).toBe(input);
  expect(screen.getByText("Added Buy milk").getAttribute("role")).toBe("status");
});

test("a failed change is undone and told", async () => {
  fakeServer({
    [`GET ${LIST}`]: [200, [todo("1", "Buy milk")]],
    [`PATCH ${LIST}/1`]: [502, DOWN],
  });
  render(<Panel />);
  const box = await screen.findByRole<HTMLInputElement>("checkbox", { name: "Buy milk" });
  await userEvent.click(box);
  expect((await screen.findByRole("alert")).textContent).toContain("The backend does not answer.");
  expect(box.checked).toBe(false);
});

test("a change shows before the server has answered", async () => {
  let finish: () => void = () => undefined;
  const stored = new Promise<void>((resolve) => {
    finish = resolve;
  });
  fakeServer({
    [`GET ${LIST}`]: [200, [todo("1", "Buy milk")]],
    [`PATCH ${LIST}/1`]: async () => {
      await stored;
      return [200, todo("1", "Buy milk", true)];
    },
  });
  render(<Panel />);
  const box = await screen.findByRole<HTMLInputElement>("checkbox", { name: "Buy milk" });
  await userEvent.click(box);
  expect(box.checked).toBe(true);
  finish();
  expect(await screen.findByText("Completed Buy milk")).toBeTruthy();
});

test("deleting asks first, and Escape keeps", async () => {
  const asked = fakeServer({
    [`GET ${LIST}`]: [200, [todo("1", "Buy milk")]],
    [`DELETE ${LIST}/1`]: [204, null],
  });
  render(<Panel />);
  await userEvent.click(await screen.findByRole("button", { name: "Delete Buy milk" }));
  const question = screen.getByRole("group", { name: "Delete “Buy milk”?" });
  expect(document.activeElement).toBe(within(question).getByRole("button", { name: "Keep" }));
  await userEvent.keyboard("{Escape}");
  expect(asked).toHaveLength(1);
  await userEvent.click(screen.getByRole("button", { name: "Delete Buy milk" }));
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(await screen.findByText("Nothing to do.")).toBeTruthy();
  expect(document.activeElement?.textContent).toBe("Todos");
});

test("editing saves a new title and gives the focus back", async () => {
  const asked = fakeServer({
    [`GET ${LIST}`]: [200, [todo("1", "Buy milk")]],
    [`PATCH ${LIST}/1`]: [200, todo("1", "Buy oat milk")],
  });
  render(<Panel />);
  await userEvent.click(await screen.findByRole("button", { name: "Edit Buy milk" }));
  const input = screen.getByLabelText("New title of Buy milk");
  await userEvent.clear(input);
  await userEvent.type(input, "Buy oat milk{Enter}");
  const edit = await screen.findByRole("button", { name: "Edit Buy oat milk" });
  await waitFor(() => expect(document.activeElement).toBe(edit));
  expect(asked.at(-1)?.body).toEqual({ title: "Buy oat milk" });
});

test("an ended session leads to the sign-in page", async () => {
  const onSignedOut = vi.fn();
  fakeServer({ [`GET ${LIST}`]: [401, { error: { code: "unauthorized", message: "x" } }] });
  render(<Panel onSignedOut={onSignedOut} />);
  await waitFor(() => expect(onSignedOut).toHaveBeenCalledOnce());
});

test("files are offered only where the installation has them", async () => {
  fakeServer({
    [`GET ${LIST}`]: [200, [todo("1", "Buy milk")]],
    [`GET ${LIST}/1/attachments`]: [
      200,
      [{ id: "f", filename: "list.txt", content_type: "text/plain", size: 2048, created_at: "" }],
    ],
  });
  const { rerender } = render(<Panel />);
  await screen.findByRole("checkbox", { name: "Buy milk" });
  expect(screen.queryByRole("button", { name: "Files of Buy milk" })).toBeNull();
  rerender(<Panel attachments />);
  await userEvent.click(screen.getByRole("button", { name: "Files of Buy milk" }));
  const file = await screen.findByRole("link", { name: "list.txt" });
  expect(file.getAttribute("href")).toBe("/api/backend/todos/1/attachments/f");
  expect(screen.getByText("2.0 KiB")).toBeTruthy();
});
