"""Todos over HTTP."""

from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.conftest import ANN, BOB


def add(client: TestClient, title: str, headers: dict[str, str] = ANN) -> dict[str, Any]:
    answer = client.post("/api/todos", json={"title": title}, headers=headers)
    assert answer.status_code == 201
    todo: dict[str, Any] = answer.json()
    return todo


def test_the_life_of_a_todo(client: TestClient) -> None:
    todo = add(client, "  buy milk ")
    assert (todo["title"], todo["completed"]) == ("buy milk", False)
    assert set(todo) == {"id", "title", "completed", "created_at", "updated_at"}
    path = f"/api/todos/{todo['id']}"

    done = client.patch(path, json={"completed": True}, headers=ANN).json()
    assert done["completed"] is True
    assert done["updated_at"] > todo["updated_at"]
    renamed = client.patch(path, json={"title": "buy oat milk"}, headers=ANN).json()
    assert (renamed["title"], renamed["completed"]) == ("buy oat milk", True)
    assert client.get("/api/todos", headers=ANN).json() == [renamed]

    assert client.delete(path, headers=ANN).status_code == 204
    assert client.get("/api/todos", headers=ANN).json() == []
    assert client.delete(path, headers=ANN).json() == {
        "error": {"code": "todo_not_found", "message": "There is no such todo."}
    }


def test_a_second_user_sees_and_changes_nothing(client: TestClient) -> None:
    todo = add(client, "ann's secret")
    path = f"/api/todos/{todo['id']}"
    assert client.get("/api/todos", headers=BOB).json() == []
    assert client.patch(path, json={"completed": True}, headers=BOB).status_code == 404
    assert client.delete(path, headers=BOB).status_code == 404
    assert client.get("/api/todos", headers=ANN).json() == [todo]


def test_todos_leave_with_their_user(client: TestClient, database: psycopg.Connection[Any]) -> None:
    add(client, "ann's")
    add(client, "bob's", BOB)
    database.execute("""DELETE FROM "user" WHERE id = 'ann'""")
    assert database.execute("SELECT title FROM todo").fetchall() == [("bob's",)]


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": " \t"}, {"title": "x" * 201}, {"title": "a\x00b"}, []]
)
def test_a_title_that_cannot_be_kept(client: TestClient, body: Any) -> None:
    answer = client.post("/api/todos", json=body, headers=ANN)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid_request"
    assert error["message"].endswith(".")


def test_a_change_of_nothing_changes_nothing(client: TestClient) -> None:
    todo = add(client, "same")
    answer = client.patch(f"/api/todos/{todo['id']}", json={}, headers=ANN)
    assert answer.json() == todo


def test_an_id_that_is_none(client: TestClient) -> None:
    assert client.delete("/api/todos/17", headers=ANN).status_code == 422


def test_a_body_without_end_is_refused(client: TestClient) -> None:
    for body in (b"x" * 70_000, iter([b"x" * 40_000] * 2)):  # declared length; chunks
        answer = client.post("/api/todos", content=body, headers=ANN)
        assert answer.status_code == 413
