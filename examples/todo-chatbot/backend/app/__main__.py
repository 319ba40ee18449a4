"""`python -m app`: settings, migrations if asked for, then the server."""

import signal
import sys
from types import FrameType

import uvicorn

from app import db, logs
from app.main import create_app
from app.settings import load_or_exit


def _interrupted(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _stopped(_number: int, _: FrameType | None) -> None:
    # uvicorn raises the signal again once every request is answered.
    sys.exit(0)


def main() -> None:
    """Run until SIGTERM; then answer what is under way and leave with 0."""
    settings = load_or_exit()
    logs.configure(settings.log_level)
    if settings.run_migrations:
        # As process 1 of a container a signal without a handler would be ignored.
        signal.signal(signal.SIGTERM, _interrupted)
        db.migrate()
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    uvicorn.run(
        create_app(settings),
        host="0.0.0.0",  # noqa: S104  # a container's port is published by its platform
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,  # longer than the frontend keeps idle connections
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )


if __name__ == "__main__":
    main()
