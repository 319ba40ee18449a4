import type { ChatReply, Message, ToolCall } from "@/lib/types";

/** The messages with a turn's outcome: calls that are shown already get their new state in place,
 * new ones stand with the reply. */
export function withReply(messages: readonly Message[], reply: ChatReply, at: string): Message[] {
  const returned = new Map(reply.tool_calls.map((call) => [call.id, call]));
  const shown = new Set(messages.flatMap((message) => message.tool_calls.map((call) => call.id)));
  const updated = messages.map((message) =>
    message.tool_calls.some((call) => returned.has(call.id))
      ? {
          ...message,
          tool_calls: message.tool_calls.map((call) => returned.get(call.id) ?? call),
        }
      : message,
  );
  const fresh: Message = {
    id: `reply-${reply.conversation_id}-${messages.length}`,
    role: "assistant",
    content: reply.reply,
    provider: reply.provider,
    error: reply.error ?? null,
    created_at: at,
    tool_calls: reply.tool_calls.filter((call) => !shown.has(call.id)),
  };
  return [...updated, fresh];
}

const CHANGING = new Set(["add_todo", "complete_todo", "update_todo", "delete_todo"]);

/** Whether a turn can have changed the list. */
export function changedTodos(calls: readonly ToolCall[]): boolean {
  return calls.some((call) => call.status === "done" && CHANGING.has(call.name));
}
