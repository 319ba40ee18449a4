"""Conversations in the database: what is kept, and what of it a provider is shown."""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.chat.types import AssistantMessage, Call, Item, ToolResult, UserMessage
from app.errors import ApiError
from app.models import ChatMessage, Conversation, ToolCall
from app.todos import flush_owned

HISTORY_MESSAGES = 60
"""How many of the last messages a provider is shown."""

LISTED_CONVERSATIONS = 100
_TITLE_LENGTH = 60


async def open_conversation(
    session: AsyncSession, user_id: str, conversation_id: uuid.UUID | None, message: str
) -> Conversation:
    """The user's conversation, locked until the transaction ends, or a new one."""
    if conversation_id is None:
        title = " ".join(message.split())[:_TITLE_LENGTH]
        conversation = Conversation(user_id=user_id, title=title)
        session.add(conversation)
        await flush_owned(session)
        return conversation
    found = await get_conversation(session, user_id, conversation_id, lock=True)
    found.updated_at = func.now()
    return found


async def get_conversation(
    session: AsyncSession, user_id: str, conversation_id: uuid.UUID, lock: bool = False
) -> Conversation:
    """The user's conversation; another user's counts as missing."""
    query = select(Conversation).where(
        Conversation.id == conversation_id, Conversation.user_id == user_id
    )
    if lock:
        query = query.with_for_update()
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise ApiError(404, "conversation_not_found", "There is no such conversation.")
    return found


async def list_conversations(session: AsyncSession, user_id: str) -> Sequence[Conversation]:
    """The user's latest conversations, newest first."""
    query = (
        select(Conversation)
        .where(Conversation.user_id == user_id)
        .order_by(Conversation.updated_at.desc())
        .limit(LISTED_CONVERSATIONS)
    )
    return (await session.scalars(query)).all()


async def read_messages(
    session: AsyncSession, conversation_id: uuid.UUID, limit: int | None = None
) -> list[ChatMessage]:
    """The messages in order, the last `limit` of them."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.conversation_id == conversation_id)
        .order_by(ChatMessage.id.desc())
        .limit(limit)
    )
    return list((await session.scalars(query)).all())[::-1]


async def pending_calls(session: AsyncSession, conversation_id: uuid.UUID) -> Sequence[ToolCall]:
    """Calls that wait for the user's word, oldest first."""
    query = (
        select(ToolCall)
        .join(ChatMessage)
        .where(
            ChatMessage.conversation_id == conversation_id,
            ToolCall.status == "needs_confirmation",
        )
        .order_by(ChatMessage.id, ToolCall.position)
    )
    return (await session.scalars(query)).all()


def as_call(record: ToolCall, with_extra: bool = False) -> Call:
    """A recorded call as the provider made it."""
    extra = record.provider_extra if with_extra else None
    return Call(record.provider_call_id, record.name, record.arguments, extra=extra)


def as_history(messages: Sequence[ChatMessage], provider: str) -> list[Item]:
    """What a provider is shown: each call directly followed by its result, no error reports, and
    a wish of the user first. Fields beyond the common format go back only to whom they are from."""
    items: list[Item] = []
    for message in messages:
        if message.role == "user":
            if items or message.kind == "message":
                items.append(UserMessage(message.content, answer=message.kind == "answer"))
        elif items and message.kind == "message":
            own = message.provider == provider
            calls = tuple(as_call(record, own) for record in message.tool_calls)
            items.append(AssistantMessage(message.content, calls))
            items.extend(
                ToolResult(record.provider_call_id, record.name, record.status, record.result)
                for record in message.tool_calls
            )
    return items
