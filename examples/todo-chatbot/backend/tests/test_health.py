"""Probes and what they wait for."""

import json
import logging
import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from app import __version__
from app.logs import JsonFormatter
from tests.conftest import ANN


def test_ready(client: TestClient) -> None:
    answer = client.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "waiting_for": []})


def waiting(client: TestClient) -> str:
    answer = client.get("/api/health/ready")
    body = answer.json()
    assert (answer.status_code, body["status"], len(body["waiting_for"])) == (503, "waiting", 1)
    assert client.get("/api/health").json() == {"status": "ok"}
    reason: str = body["waiting_for"][0]
    return reason


def test_an_unreachable_database_is_named(make_client: Callable[..., TestClient]) -> None:
    with socket.socket() as closed:  # bound and not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        client = make_client(url=f"postgresql://todo:hunter2@127.0.0.1:{port}/todo")
        reason = waiting(client)
        assert reason.startswith("database: ")
        assert str(port) in reason
        assert "hunter2" not in reason
        answer = client.get("/api/todos", headers=ANN)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "database_unavailable"


def test_a_database_that_does_not_answer_is_named(make_client: Callable[..., TestClient]) -> None:
    with socket.socket() as silent:  # accepts and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = make_client(url=f"postgresql://todo@127.0.0.1:{silent.getsockname()[1]}/todo")
        assert waiting(client) == "database: no answer within 2 s"


def test_missing_migrations_are_named(
    make_client: Callable[..., TestClient],
    make_database: Callable[[], str],
    alembic: Callable[..., Any],
) -> None:
    url = make_database()
    client = make_client(url=url)
    assert waiting(client) == "migrations: none applied, head is 0002"
    assert alembic(url, "upgrade", "0001").returncode == 0
    assert waiting(client) == "migrations: at 0001, head is 0002"
    assert alembic(url, "upgrade", "head").returncode == 0
    assert client.get("/api/health/ready").status_code == 200


def test_the_log_says_once_what_is_waited_for(
    make_client: Callable[..., TestClient],
    make_database: Callable[[], str],
    alembic: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = make_database()
    client = make_client(url=url)
    with caplog.at_level(logging.INFO, "app.health"):
        for _ in range(3):
            waiting(client)
        assert alembic(url, "upgrade", "head").returncode == 0
        client.get("/api/health/ready")
    assert [record.message for record in caplog.records if record.name == "app.health"] == [
        "not ready",
        "ready",
    ]


def test_a_newer_schema_does_not_stop_the_old_pods(
    make_client: Callable[..., TestClient],
    make_database: Callable[[], str],
    alembic: Callable[..., Any],
) -> None:
    url = make_database()
    assert alembic(url, "upgrade", "head").returncode == 0
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert make_client(url=url).get("/api/health/ready").status_code == 200


def test_version_and_features(make_client: Callable[..., TestClient]) -> None:
    client = make_client(image_digest="sha256:abc")
    assert client.get("/api/version").json() == {
        "version": __version__,
        "image_digest": "sha256:abc",
        "llm_provider": "rules",
    }
    features = client.get("/api/features").json()
    assert features == {"attachments": False, "llm_provider": "rules"}


def test_openapi_names_every_operation(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert "POST /api/chat" in operations
    assert all(operation["summary"] for operation in operations.values())
    assert not any("attachments" in name for name in operations)


def test_unknown_addresses_and_methods(client: TestClient) -> None:
    for method, path, status in (("GET", "/api/nothing", 404), ("PUT", "/api/todos", 405)):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"code", "message"}


def test_cross_origin_only_where_listed(make_client: Callable[..., TestClient]) -> None:
    client = make_client(cors_origins="http://a.example, http://b.example")
    for origin, allowed in (("http://b.example", "http://b.example"), ("http://c.example", None)):
        answer = client.get("/api/health", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123", True), ("no spaces", False), ("x" * 65, False)]
)
def test_request_ids(client: TestClient, given: str, kept: bool) -> None:
    answer = client.get("/api/health", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_requests_are_logged_with_user_and_without_token(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.request"):
        client.get("/api/todos", headers=ANN)
    entry = json.loads(JsonFormatter().format(caplog.records[-1]))
    assert (entry["path"], entry["status"], entry["user_id"]) == ("/api/todos", 200, "ann")
    assert ANN["Authorization"].split()[1] not in json.dumps(entry)
