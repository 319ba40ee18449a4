"""Todos, attachments, conversations"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.now()


def _id() -> sa.Column:
    return sa.Column("id", sa.Uuid, primary_key=True)


def _parent(column: str, target: str, kind: type) -> sa.Column:
    return sa.Column(column, kind, sa.ForeignKey(target, ondelete="CASCADE"), nullable=False)


def _time(name: str, default: sa.Function = NOW) -> sa.Column:
    return sa.Column(name, TIME, nullable=False, server_default=default)


def upgrade() -> None:
    op.create_table(
        "todo",
        _id(),
        _parent("user_id", "user.id", sa.Text),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("completed", sa.Boolean, nullable=False),
        _time("created_at", sa.func.clock_timestamp()),
        _time("updated_at", sa.func.clock_timestamp()),
    )
    op.create_index("todo_user_id_created_at_idx", "todo", ["user_id", "created_at"])
    op.create_table(
        "attachment",
        _id(),
        _parent("todo_id", "todo.id", sa.Uuid),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False, unique=True),
        _time("created_at"),
    )
    op.create_index("attachment_todo_id_idx", "attachment", ["todo_id"])
    op.create_table(
        "conversation",
        _id(),
        _parent("user_id", "user.id", sa.Text),
        sa.Column("title", sa.String(200), nullable=False),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_index(
        "conversation_user_id_updated_at_idx", "conversation", ["user_id", "updated_at"]
    )
    op.create_table(
        "chat_message",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        _parent("conversation_id", "conversation.id", sa.Uuid),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("provider", sa.String(32)),
        sa.Column("error_code", sa.String(64)),
        _time("created_at"),
        sa.CheckConstraint("role IN ('user', 'assistant')", name="chat_message_role_check"),
        sa.CheckConstraint(
            "kind IN ('message', 'answer', 'error')", name="chat_message_kind_check"
        ),
    )
    op.create_index("chat_message_conversation_id_idx", "chat_message", ["conversation_id"])
    op.create_table(
        "tool_call",
        _id(),
        _parent("message_id", "chat_message.id", sa.BigInteger),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("provider_call_id", sa.Text, nullable=False),
        sa.Column("provider_extra", JSONB),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("result", JSONB),
        sa.Column("status", sa.String(32), nullable=False),
        _time("created_at"),
        sa.CheckConstraint(
            "status IN ('done', 'needs_confirmation', 'refused', 'error')",
            name="tool_call_status_check",
        ),
    )
    op.create_index("tool_call_message_id_idx", "tool_call", ["message_id"])


def downgrade() -> None:
    for table in ("tool_call", "chat_message", "conversation", "attachment", "todo"):
        op.drop_table(table)
