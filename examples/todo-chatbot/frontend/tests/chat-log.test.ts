import { expect, test } from "vitest";
import { changedTodos, withReply } from "@/lib/chat-log";
import type { Message, ToolCall } from "@/lib/types";

const AT = "2026-01-01T00:00:00Z";

function call(id: string, status: ToolCall["status"], name = "delete_todo"): ToolCall {
  return { id, name, arguments: {}, result: null, status };
}

function message(id: string, calls: ToolCall[]): Message {
  return { id, role: "assistant", content: id, provider: "rules", created_at: AT, tool_calls: calls };
}

test("a settled call changes where it stands; new calls come with the reply", () => {
  const before = [message("m1", [call("a", "needs_confirmation")]), message("m2", [])];
  const after = withReply(
    before,
    {
      conversation_id: "c",
      reply: "Deleted.",
      provider: "rules",
      tool_calls: [call("a", "done"), call("b", "done", "list_todos")],
    },
    AT,
  );
  expect(after).toHaveLength(3);
  expect(after[0]?.tool_calls).toEqual([call("a", "done")]);
  expect(after[1]).toBe(before[1]);
  expect(after[2]).toMatchObject({ content: "Deleted.", role: "assistant" });
  expect(after[2]?.tool_calls).toEqual([call("b", "done", "list_todos")]);
});

test.each([
  [[call("a", "done", "add_todo")], true],
  [[call("a", "done", "list_todos")], false],
  [[call("a", "needs_confirmation"), call("b", "error", "add_todo")], false],
  [[], false],
] as const)("whether %j changed the list", (calls, changed) => {
  expect(changedTodos(calls)).toBe(changed);
});
