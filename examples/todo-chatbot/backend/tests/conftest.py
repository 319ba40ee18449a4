"""Fixtures: a database, the application over it, tokens, the model test server."""

import importlib.util
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt
import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.main import create_app
from app.settings import Settings
from tests import postgres

BACKEND = Path(__file__).resolve().parent.parent
SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """The tests' settings come from the tests alone."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.upper() in names}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL in which databases can be made."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    binaries = postgres.find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: set TEST_DATABASE_URL or install the package `postgresql`")
    with postgres.private_cluster(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def make_database(server_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; they are dropped at the end."""
    parts = {key: value for key, value in conninfo_to_dict(server_url).items() if value}
    made: list[str] = []

    def make() -> str:
        name = f"todo_test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        made.append(name)
        password = f":{parts['password']}" if "password" in parts else ""
        address = f"{parts.get('user', 'postgres')}{password}@{parts['host']}"
        return f"postgresql://{address}:{parts.get('port', 5432)}/{name}"

    yield make
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in made:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the backend's directory with nothing in the environment but what is given."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BACKEND,
        env=base | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="session")
def alembic() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`python -m alembic` on a database, as the migration Job runs it."""

    def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_python("-m", "alembic", *arguments, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    return run


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[], str], alembic: Callable[..., Any]) -> str:
    """A database at head."""
    url = make_database()
    done = alembic(url, "upgrade", "head")
    assert done.returncode == 0, done.stderr
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The database, empty but for two users."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute('TRUNCATE "user" CASCADE')
        for name in ("ann", "bob"):
            connection.execute(
                'INSERT INTO "user" (id, name, email, "emailVerified") VALUES (%s, %s, %s, true)',
                (name, name.title(), f"{name}@example.com"),
            )
        yield connection


def make_settings(url: str, **changes: Any) -> Settings:
    """Settings for the tests."""
    return Settings(database_url=url, better_auth_secret=SECRET, **changes)


@pytest.fixture
def make_client(
    database_url: str, database: psycopg.Connection[Any]
) -> Iterator[Callable[..., TestClient]]:
    """Starts the application with settings of the test's choice."""
    started: list[TestClient] = []

    def make(**changes: Any) -> TestClient:
        settings = make_settings(changes.pop("url", database_url), **changes)
        client = TestClient(create_app(settings), raise_server_exceptions=False)
        client.__enter__()
        started.append(client)
        return client

    yield make
    for client in started:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    """The application with the local assistant and no attachments."""
    return make_client()


def claims(user: str = "ann", **changes: Any) -> dict[str, Any]:
    """The claims of a good token; a change to None leaves one out."""
    now = int(time.time())
    good = {
        "sub": user,
        "email": f"{user}@example.com",
        "name": user.title(),
        "iss": "todo-frontend",
        "aud": "todo-backend",
        "iat": now,
        "exp": now + 300,
    }
    return {key: value for key, value in (good | changes).items() if value is not None}


def bearer(user: str = "ann", secret: str = SECRET, **changes: Any) -> dict[str, str]:
    """Headers of a signed-in user."""
    token = jwt.encode(claims(user, **changes), secret, "HS256")
    return {"Authorization": f"Bearer {token}"}


ANN = bearer("ann", exp=int(time.time()) + 3000)
BOB = bearer("bob", exp=int(time.time()) + 3000)


@pytest.fixture(scope="session")
def llm_module() -> ModuleType:
    """The model test server's code."""
    path = BACKEND.parent / "llm-test-server" / "server.py"
    if not path.is_file():
        pytest.skip(f"no test server at {path}")
    spec = importlib.util.spec_from_file_location("llm_test_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def llm_url(llm_module: ModuleType) -> Iterator[str]:
    """The address of a running model test server."""
    server = llm_module.serve(0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
