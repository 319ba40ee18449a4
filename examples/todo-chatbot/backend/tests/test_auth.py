"""Only a token that the frontend's server made for a living user opens anything."""

import time
from typing import Any

import jwt
import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.conftest import ANN, SECRET, bearer, claims

NOW = int(time.time())
PATHS = [
    ("GET", "/api/todos"),
    ("POST", "/api/todos"),
    ("PATCH", "/api/todos/7d7b51f1-1b05-4b5f-a0f8-3d1f5c1c2b11"),
    ("DELETE", "/api/todos/7d7b51f1-1b05-4b5f-a0f8-3d1f5c1c2b11"),
    ("POST", "/api/chat"),
    ("GET", "/api/chat/conversations"),
    ("GET", "/api/chat/conversations/7d7b51f1-1b05-4b5f-a0f8-3d1f5c1c2b11"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_no_token_no_answer(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, json={})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"error": {"code": "unauthorized", "message": "Sign in first."}}


@pytest.mark.parametrize(
    "headers",
    [
        bearer(secret="another-secret-that-is-long-enough-too"),
        bearer(iss="someone-else"),
        bearer(aud="another-backend"),
        bearer(exp=NOW - 60),
        bearer(iat=NOW + 3000, exp=NOW + 3300),
        bearer(exp=NOW + 86400),
        bearer(sub=""),
        *[bearer(**{name: None}) for name in ("sub", "email", "iss", "aud", "iat", "exp")],
        {"Authorization": f"Bearer {jwt.encode(claims(), '', 'none')}"},
        {"Authorization": f"Bearer {jwt.encode(claims(), SECRET * 2, 'HS512')}"},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Basic YW5uOmFubg=="},
    ],
)
def test_a_wrong_token_opens_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/todos", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


def test_a_good_token_opens_its_users_todos(client: TestClient) -> None:
    assert client.get("/api/todos", headers=bearer(name=None)).json() == []


def test_a_token_that_outlives_its_account(
    client: TestClient, database: psycopg.Connection[Any]
) -> None:
    database.execute("""DELETE FROM "user" WHERE id = 'ann'""")
    for path, body in (("/api/todos", {"title": "x"}), ("/api/chat", {"message": "add x"})):
        answer = client.post(path, json=body, headers=ANN)
        assert answer.status_code == 401
        assert "no longer exists" in answer.json()["error"]["message"]
