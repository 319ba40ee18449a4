"""Chat over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.auth import CurrentUser
from app.chat import store
from app.chat.service import Chat, Confirmation
from app.db import Session
from app.models import ChatMessage

router = APIRouter(prefix="/api/chat", tags=["chat"])
MESSAGE_MAX = 4000


class ConfirmIn(BaseModel):
    """The user's word on a tool call that waits for it."""

    tool_call_id: uuid.UUID
    approve: bool


class ChatIn(BaseModel):
    """A message, or a confirmation, or both (then the confirmation counts)."""

    message: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=MESSAGE_MAX, pattern=r"^[^\x00]*$")
    ] = ""
    conversation_id: uuid.UUID | None = None
    confirm: ConfirmIn | None = None

    @model_validator(mode="after")
    def _something_to_answer(self) -> "ChatIn":
        if self.confirm is None and not self.message:
            raise ValueError("the message is empty")
        if self.confirm is not None and self.conversation_id is None:
            raise ValueError("a confirmation needs its conversation_id")
        return self


class ToolCallOut(BaseModel):
    """A tool call and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    arguments: dict[str, Any]
    result: Any | None
    status: Literal["done", "needs_confirmation", "refused", "error"]


class ChatError(BaseModel):
    """Why the reply is an apology, for programs."""

    code: str


class ChatOut(BaseModel):
    """The reply with the tool calls of this turn."""

    conversation_id: uuid.UUID
    reply: str
    provider: str
    tool_calls: list[ToolCallOut]
    error: ChatError | None = Field(
        default=None, description="Set when the provider failed; `reply` says so in a sentence."
    )


class ConversationOut(BaseModel):
    """A conversation in the list."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    title: str
    created_at: datetime
    updated_at: datetime


class MessageOut(BaseModel):
    """A message as shown to the user."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    provider: str | None
    error: ChatError | None
    created_at: datetime
    tool_calls: list[ToolCallOut]


class ConversationDetail(ConversationOut):
    """A conversation with its messages."""

    messages: list[MessageOut]


@router.post("", summary="Say something to the assistant")
async def chat(body: ChatIn, request: Request, user: CurrentUser) -> ChatOut:
    """Answer a message, or act on a confirmation. A failing provider still answers 200: the
    reply is a sentence about it and `error` is set, since tools may have run before."""
    service: Chat = request.app.state.chat
    confirmation = None
    if body.confirm is not None:
        confirmation = Confirmation(body.confirm.tool_call_id, body.confirm.approve)
    turn = await service.turn(user.id, body.conversation_id, body.message, confirmation)
    return ChatOut(
        conversation_id=turn.conversation_id,
        reply=turn.reply,
        provider=service.provider.name,
        tool_calls=[ToolCallOut.model_validate(call) for call in turn.calls],
        error=ChatError(code=turn.error_code) if turn.error_code else None,
    )


@router.get("/conversations", summary="List the user's conversations")
async def read_conversations(user: CurrentUser, session: Session) -> list[ConversationOut]:
    """The latest conversations, newest first."""
    found = await store.list_conversations(session, user.id)
    return [ConversationOut.model_validate(item) for item in found]


@router.get("/conversations/{conversation_id}", summary="Read a conversation")
async def read_conversation(
    conversation_id: uuid.UUID, user: CurrentUser, session: Session
) -> ConversationDetail:
    """A conversation with its messages; tool calls stand with the reply that they led to."""
    conversation = await store.get_conversation(session, user.id, conversation_id)
    messages = await store.read_messages(session, conversation_id)
    head = ConversationOut.model_validate(conversation)
    return ConversationDetail(**head.model_dump(), messages=_shown(messages))


def _shown(messages: list[ChatMessage]) -> list[MessageOut]:
    shown: list[MessageOut] = []
    waiting: list[ToolCallOut] = []
    for position, message in enumerate(messages):
        waiting += [ToolCallOut.model_validate(call) for call in message.tool_calls]
        last = position + 1 == len(messages) or messages[position + 1].role == "user"
        if message.role == "assistant" and not message.content and not last:
            continue  # only called tools: they are shown with what followed
        shown.append(
            MessageOut(
                id=str(message.id),
                role="user" if message.role == "user" else "assistant",
                content=message.content,
                provider=message.provider,
                error=ChatError(code=message.error_code) if message.error_code else None,
                created_at=message.created_at,
                tool_calls=waiting,
            )
        )
        waiting = []
    return shown
