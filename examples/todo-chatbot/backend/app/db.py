"""Engine, sessions and the state of the schema."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.settings import Settings

_log = logging.getLogger("app.db")
_ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_SECONDS = 2.0
"""Below the timeout that probes usually have, so that the reason gets out."""

DRIVER_URL = "postgresql+psycopg://"


def connect_args(settings: Settings) -> dict[str, object]:
    """What both the application and the migrations connect with."""
    return {
        "connect_timeout": 10,
        "application_name": "todo-backend",
        **settings.connect_args,
        # Poolers in transaction mode (Neon's `-pooler` hosts) lose prepared statements.
        "prepare_threshold": None,
    }


def create_engine(settings: Settings) -> AsyncEngine:
    """The pool. A serverless database may have closed an idle connection: ask before use."""
    return create_async_engine(
        DRIVER_URL,
        connect_args=connect_args(settings),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=300,
    )


def create_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after a commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


def alembic_config() -> Config:
    """Alembic's configuration; there is no URL in it, env.py takes it from the settings."""
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "alembic"))
    return config


@lru_cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def migrate() -> None:
    """Bring the schema to head; env.py holds an advisory lock, so replicas may all try."""
    command.upgrade(alembic_config(), "head")


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    if state:
        return f"refused: SQLSTATE {state}"
    # psycopg's text names host, port and cause, never the password.
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return lines[0] if lines else type(original).__name__


async def waiting_for(engine: AsyncEngine) -> str | None:
    """What the application waits for before it can serve, or None.

    A schema newer than this image's counts as ready: during a rolling update the migrations run
    before the old pods go.
    """
    head = _scripts().get_current_head()
    try:
        async with asyncio.timeout(READY_TIMEOUT_SECONDS), engine.connect() as connection:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
            current = found.scalar_one_or_none()
    except TimeoutError:
        return f"database: no answer within {READY_TIMEOUT_SECONDS:g} s"
    except ProgrammingError:
        return f"migrations: none applied, head is {head}"
    except DBAPIError as error:
        return f"database: {_reason(error)}"
    except SQLAlchemyError as error:
        return f"database: {type(error).__name__}"
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is None or (current != head and current in known):
        return f"migrations: at {current}, head is {head}"
    return None
