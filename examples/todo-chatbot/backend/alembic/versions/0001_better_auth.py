"""Better Auth core tables

Users, sessions, accounts and verifications as Better Auth's own migration generator makes them
(`getMigrations` of better-auth 1.6.0 and of 1.7.7 for PostgreSQL with e-mail and password; both
find nothing to add to these). The camelCase of the columns is Better Auth's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("CURRENT_TIMESTAMP")


def upgrade() -> None:
    op.create_table(
        "user",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("emailVerified", sa.Boolean, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("createdAt", TIME, nullable=False, server_default=NOW),
        sa.Column("updatedAt", TIME, nullable=False, server_default=NOW),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("expiresAt", TIME, nullable=False),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("createdAt", TIME, nullable=False, server_default=NOW),
        sa.Column("updatedAt", TIME, nullable=False),
        sa.Column("ipAddress", sa.Text),
        sa.Column("userAgent", sa.Text),
        _user_id(),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("accountId", sa.Text, nullable=False),
        sa.Column("providerId", sa.Text, nullable=False),
        _user_id(),
        sa.Column("accessToken", sa.Text),
        sa.Column("refreshToken", sa.Text),
        sa.Column("idToken", sa.Text),
        sa.Column("accessTokenExpiresAt", TIME),
        sa.Column("refreshTokenExpiresAt", TIME),
        sa.Column("scope", sa.Text),
        sa.Column("password", sa.Text),
        sa.Column("createdAt", TIME, nullable=False, server_default=NOW),
        sa.Column("updatedAt", TIME, nullable=False),
    )
    op.create_table(
        "verification",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("expiresAt", TIME, nullable=False),
        sa.Column("createdAt", TIME, nullable=False, server_default=NOW),
        sa.Column("updatedAt", TIME, nullable=False, server_default=NOW),
    )
    op.create_index("session_userId_idx", "session", ["userId"])
    op.create_index("account_userId_idx", "account", ["userId"])
    op.create_index("verification_identifier_idx", "verification", ["identifier"])


def _user_id() -> sa.Column:
    return sa.Column(
        "userId", sa.Text, sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False
    )


def downgrade() -> None:
    for table in ("verification", "account", "session", "user"):
        op.drop_table(table)
