"""Tables of the backend. Better Auth's own tables are made by the migrations and belong to the
frontend; `user` appears here only as the target of foreign keys."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TITLE_MAX = 200

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

user_table = Table("user", metadata, Column("id", Text, primary_key=True))


class Base(DeclarativeBase):
    """All models."""

    metadata = metadata


def _owner() -> Mapped[str]:
    return mapped_column(Text, ForeignKey("user.id", ondelete="CASCADE"))


def _created() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=func.now())


class Todo(Base):
    """One thing to do."""

    __tablename__ = "todo"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[str] = _owner()
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    completed: Mapped[bool] = mapped_column(Boolean, default=False)
    # Not now(): several todos of one transaction keep their order.
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp(), onupdate=func.now()
    )


class Attachment(Base):
    """A file of a todo; the bytes are in the object store."""

    __tablename__ = "attachment"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    todo_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("todo.id", ondelete="CASCADE"), index=True
    )
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = _created()


class Conversation(Base):
    """A user's chat."""

    __tablename__ = "conversation"
    __table_args__ = (Index(None, "user_id", "updated_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[str] = _owner()
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    created_at: Mapped[datetime] = _created()
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ChatMessage(Base):
    """One message. An assistant's turn with tool calls is several of them."""

    __tablename__ = "chat_message"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        CheckConstraint("kind IN ('message', 'answer', 'error')", name="kind"),
    )

    # Counted by the database: the order of a conversation.
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(String(16))
    # `answer`: the user's yes or no to a confirmation, written as text. `error`: a reply that
    # reports a failure of the provider; it isn't sent to a provider again.
    kind: Mapped[str] = mapped_column(String(16), default="message")
    content: Mapped[str] = mapped_column(Text, default="")
    provider: Mapped[str | None] = mapped_column(String(32))
    error_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = _created()
    tool_calls: Mapped[list["ToolCall"]] = relationship(
        order_by="ToolCall.position", lazy="selectin", back_populates="message"
    )


class ToolCall(Base):
    """What the assistant asked for and what came of it."""

    __tablename__ = "tool_call"
    __table_args__ = (
        CheckConstraint(
            "status IN ('done', 'needs_confirmation', 'refused', 'error')", name="status"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    message_id: Mapped[int] = mapped_column(
        ForeignKey("chat_message.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(Integer)
    # The provider's own name for the call; not unique across conversations.
    provider_call_id: Mapped[str] = mapped_column(Text)
    # Fields beyond the OpenAI format that the provider wants back (Gemini's thought signature).
    provider_extra: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    name: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    result: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = _created()
    message: Mapped[ChatMessage] = relationship(back_populates="tool_calls")
