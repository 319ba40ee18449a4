// @vitest-environment jsdom
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ChatPanel } from "@/components/chat-panel";
import { fakeServer } from "./fake-server";

afterEach(cleanup);

const CHAT = "POST /api/backend/chat";
const NONE = { "GET /api/backend/chat/conversations": [200, []] as [number, unknown] };
const PENDING = {
  id: "t1",
  name: "delete_todo",
  arguments: { id: "1" },
  result: null,
  status: "needs_confirmation",
};

async function open(onTodosChanged = vi.fn(async () => undefined)) {
  render(<ChatPanel provider="rules" onTodosChanged={onTodosChanged} onSignedOut={vi.fn()} />);
  await screen.findByText(/Ask for your list/);
  return { input: screen.getByLabelText<HTMLTextAreaElement>("Message to the assistant") };
}

test("shows the reply with its tool calls and reloads the list", async () => {
  const asked = fakeServer({
    ...NONE,
    [CHAT]: [
      200,
      {
        conversation_id: "c1",
        reply: "Added “milk”.",
        provider: "rules",
        tool_calls: [
          { id: "t0", name: "add_todo", arguments: { title: "milk" }, result: {}, status: "done" },
        ],
      },
    ],
  });
  const onTodosChanged = vi.fn(async () => undefined);
  const { input } = await open(onTodosChanged);
  await userEvent.type(input, "add milk{Enter}");
  expect(await screen.findByText("Added “milk”.")).toBeTruthy();
  expect(screen.getByText("add_todo")).toBeTruthy();
  expect(screen.getByText("done")).toBeTruthy();
  expect(asked.at(-1)?.body).toEqual({ message: "add milk" });
  expect(onTodosChanged).toHaveBeenCalledOnce();
  expect(input.value).toBe("");
});

test.each([
  ["Delete it", true, "done", "done"],
  ["Keep it", false, "refused", "not confirmed"],
])("%s answers the question in its conversation", async (button, approve, status, shown) => {
  const asked = fakeServer({
    ...NONE,
    [CHAT]: (body) => {
      const confirmed = (body as { confirm?: unknown }).confirm !== undefined;
      return [
        200,
        {
          conversation_id: "c1",
          reply: confirmed ? "So be it." : "Delete “milk”?",
          provider: "rules",
          tool_calls: [confirmed ? { ...PENDING, status } : PENDING],
        },
      ];
    },
  });
  const { input } = await open();
  await userEvent.type(input, "delete milk{Enter}");
  await userEvent.click(await screen.findByRole("button", { name: button }));
  expect(await screen.findByText("So be it.")).toBeTruthy();
  expect(asked.at(-1)?.body).toEqual({
    message: "",
    conversation_id: "c1",
    confirm: { tool_call_id: "t1", approve },
  });
  expect(screen.getByText(shown)).toBeTruthy();
  expect(screen.queryByRole("button", { name: button })).toBeNull();
  expect(screen.getAllByText("delete_todo")).toHaveLength(1);
});

test("a failure keeps what was typed", async () => {
  const message = "The backend took too long. Try again.";
  fakeServer({ ...NONE, [CHAT]: [504, { error: { code: "backend_timeout", message } }] });
  const { input } = await open();
  await userEvent.type(input, "list{Enter}");
  expect((await screen.findByRole("alert")).textContent).toBe(message);
  expect(input.value).toBe("list");
});

test("Shift+Enter breaks the line", async () => {
  const asked = fakeServer(NONE);
  const { input } = await open();
  await userEvent.type(input, "add{Shift>}{Enter}{/Shift}milk");
  expect(input.value).toBe("add\nmilk");
  expect(asked).toHaveLength(1);
});

test("the latest conversation comes back", async () => {
  fakeServer({
    "GET /api/backend/chat/conversations": [200, [{ id: "c9", title: "t" }]],
    "GET /api/backend/chat/conversations/c9": [
      200,
      {
        id: "c9",
        title: "t",
        messages: [
          { id: "1", role: "user", content: "delete milk", provider: null, created_at: "", tool_calls: [] },
          { id: "2", role: "assistant", content: "Delete?", provider: "rules", created_at: "", tool_calls: [PENDING] },
        ],
      },
    ],
  });
  render(<ChatPanel provider="rules" onTodosChanged={vi.fn()} onSignedOut={vi.fn()} />);
  expect(await screen.findByText("delete milk")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Delete it" })).toBeTruthy();
  await waitFor(() =>
    expect(screen.getByRole("log").getAttribute("aria-busy")).toBe("false"),
  );
});
