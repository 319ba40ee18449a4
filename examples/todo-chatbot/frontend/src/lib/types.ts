// What the backend answers, as its OpenAPI document describes it.

export interface Todo {
  id: string;
  title: string;
  completed: boolean;
  created_at: string;
  updated_at: string;
}

export type ToolStatus = "done" | "needs_confirmation" | "refused" | "error";

export interface ToolCall {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  result: unknown;
  status: ToolStatus;
}

export interface ChatReply {
  conversation_id: string;
  reply: string;
  provider: string;
  tool_calls: ToolCall[];
  error?: { code: string } | null;
}

export interface Conversation {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  content: string;
  provider: string | null;
  error?: { code: string } | null;
  created_at: string;
  tool_calls: ToolCall[];
}

export interface ConversationDetail extends Conversation {
  messages: Message[];
}

export interface Features {
  attachments: boolean;
  llm_provider: string;
}

export interface Attachment {
  id: string;
  filename: string;
  content_type: string;
  size: number;
  created_at: string;
}

export const TITLE_MAX = 200;
export const MESSAGE_MAX = 4000;
