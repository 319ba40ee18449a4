"""Runs the migrations with the application's settings, one process at a time."""

import logging
import time

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import OperationalError

from app import logs
from app.db import DRIVER_URL, connect_args
from app.models import metadata
from app.settings import load_or_exit

LOCK_KEY = 4_011_200_815
"""Advisory lock of this application's migrations; any constant that others don't use."""

CONNECT_SECONDS = 60
"""How long a database that is still starting is waited for."""

BETTER_AUTH_TABLES = {"user", "session", "account", "verification"}

log = logging.getLogger("alembic.env")


def is_ours(thing, name, kind, reflected, compare_to) -> bool:
    """Leave Better Auth's tables out of `alembic check` and `--autogenerate`."""
    table = name if kind == "table" else getattr(getattr(thing, "table", None), "name", None)
    return table not in BETTER_AUTH_TABLES


def is_final(reason: str) -> bool:
    """Whether waiting cannot help: the server answered, and refuses the user or the database."""
    passing = ("starting up", "shutting down", "recovery", "too many", "remaining connection")
    return "FATAL:" in reason and not any(words in reason for words in passing)


def connect():
    """A connection, waiting for a database that starts at the same time."""
    settings = load_or_exit()
    engine = create_engine(DRIVER_URL, connect_args=connect_args(settings), poolclass=pool.NullPool)
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            if time.monotonic() > deadline or is_final(str(error.orig)):
                log.error("database unreachable", extra={"reason": reason})
                raise SystemExit(f"migrations: database unreachable: {reason}") from None
            log.warning("waiting for the database", extra={"reason": reason})
            time.sleep(2)


def run() -> None:
    """Upgrade under an advisory lock, all revisions in one transaction."""
    with connect() as connection:
        # Held by the transaction: a pooler in transaction mode keeps it on one server
        # connection, and a killed pod gives it back.
        context.configure(connection=connection, target_metadata=metadata, include_object=is_ours)
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    if not logging.getLogger().handlers:
        logs.configure("info")
    run()
