"""The tool loop over HTTP with the local assistant: records, confirmations, ownership."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.conftest import ANN, BOB
from tests.test_todos import add


def say(
    client: TestClient,
    message: str = "",
    conversation: str | None = None,
    confirm: dict[str, Any] | None = None,
    headers: dict[str, str] = ANN,
) -> dict[str, Any]:
    body = {"message": message, "conversation_id": conversation, "confirm": confirm}
    answer = client.post("/api/chat", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def calls(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(call["name"], call["status"]) for call in answer["tool_calls"]]


def titles(client: TestClient, headers: dict[str, str] = ANN) -> list[str]:
    return [todo["title"] for todo in client.get("/api/todos", headers=headers).json()]


def test_tools_act_and_are_recorded(client: TestClient) -> None:
    added = say(client, "add buy milk")
    assert added["provider"] == "rules"
    assert added["error"] is None
    assert calls(added) == [("add_todo", "done")]
    assert added["tool_calls"][0]["arguments"] == {"title": "buy milk"}
    assert added["tool_calls"][0]["result"]["title"] == "buy milk"

    conversation = added["conversation_id"]
    done = say(client, "complete milk", conversation)
    assert done["conversation_id"] == conversation
    assert calls(done) == [("list_todos", "done"), ("complete_todo", "done")]
    assert client.get("/api/todos", headers=ANN).json()[0]["completed"] is True

    found = client.get(f"/api/chat/conversations/{conversation}", headers=ANN).json()
    assert found["title"] == "add buy milk"
    assert [(m["role"], m["content"], calls(m)) for m in found["messages"]] == [
        ("user", "add buy milk", []),
        ("assistant", added["reply"], calls(added)),
        ("user", "complete milk", []),
        ("assistant", done["reply"], calls(done)),
    ]
    listed = client.get("/api/chat/conversations", headers=ANN).json()
    assert [item["id"] for item in listed] == [conversation]


def ask_to_delete(client: TestClient) -> tuple[str, str]:
    add(client, "buy milk")
    asked = say(client, "delete milk")
    assert calls(asked) == [("list_todos", "done"), ("delete_todo", "needs_confirmation")]
    assert "“buy milk”" in asked["reply"]
    assert titles(client) == ["buy milk"]
    return asked["conversation_id"], asked["tool_calls"][-1]["id"]


@pytest.mark.parametrize(
    ("approve", "status", "left", "reply"),
    [(True, "done", [], "Deleted “buy milk”."), (False, "refused", ["buy milk"], "Nothing was")],
)
def test_deletion_waits_for_the_button(
    client: TestClient, approve: bool, status: str, left: list[str], reply: str
) -> None:
    conversation, call = ask_to_delete(client)
    confirm = {"tool_call_id": call, "approve": approve}
    answer = say(client, "", conversation, confirm)
    assert calls(answer) == [("delete_todo", status)]
    assert reply in answer["reply"]
    assert titles(client) == left

    body = {"conversation_id": conversation, "confirm": confirm}
    again = client.post("/api/chat", json=body, headers=ANN)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_answered")


@pytest.mark.parametrize(
    ("message", "status", "left"),
    [
        ("yes", "done", []),
        ("OK!", "done", []),
        ("no", "refused", ["buy milk"]),
        ("yes but not that one", "refused", ["buy milk"]),
        ("list", "refused", ["buy milk"]),
    ],
)
def test_deletion_waits_for_a_clear_yes(
    client: TestClient, message: str, status: str, left: list[str]
) -> None:
    conversation, _ = ask_to_delete(client)
    answer = say(client, message, conversation)
    assert calls(answer)[0] == ("delete_todo", status)
    assert titles(client) == left


def test_of_several_clicks_one_counts(client: TestClient) -> None:
    conversation, call = ask_to_delete(client)
    confirm = {"tool_call_id": call, "approve": True}
    body = {"conversation_id": conversation, "confirm": confirm}
    with ThreadPoolExecutor(4) as pool:
        clicks = [pool.submit(client.post, "/api/chat", json=body, headers=ANN) for _ in range(4)]
    assert sorted(click.result().status_code for click in clicks) == [200, 409, 409, 409]
    assert titles(client) == []


def test_a_yes_to_nothing_deletes_nothing(client: TestClient) -> None:
    ask_to_delete(client)
    answer = say(client, "yes")  # another conversation
    assert calls(answer) == []
    assert titles(client) == ["buy milk"]


def test_what_is_gone_already_is_said(client: TestClient) -> None:
    conversation, call = ask_to_delete(client)
    todo = client.get("/api/todos", headers=ANN).json()[0]
    client.delete(f"/api/todos/{todo['id']}", headers=ANN)
    answer = say(client, "", conversation, {"tool_call_id": call, "approve": True})
    assert calls(answer) == [("delete_todo", "error")]
    assert "There is no such todo." in answer["reply"]


def test_a_second_user_reaches_nothing_of_the_first(client: TestClient) -> None:
    conversation, call = ask_to_delete(client)
    assert client.get("/api/chat/conversations", headers=BOB).json() == []
    path = f"/api/chat/conversations/{conversation}"
    assert client.get(path, headers=BOB).status_code == 404
    for body in (
        {"message": "list", "conversation_id": conversation},
        {"conversation_id": conversation, "confirm": {"tool_call_id": call, "approve": True}},
        {"message": "yes", "conversation_id": conversation},
    ):
        assert client.post("/api/chat", json=body, headers=BOB).status_code == 404
    own = say(client, "add bread", headers=BOB)["conversation_id"]
    confirm = {"tool_call_id": call, "approve": True}
    stolen = {"conversation_id": own, "confirm": confirm}
    assert client.post("/api/chat", json=stolen, headers=BOB).status_code == 404
    assert "no todo that matches" in say(client, "delete milk", headers=BOB)["reply"]
    assert titles(client) == ["buy milk"]
    assert titles(client, BOB) == ["bread"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "  "},
        {"message": "x" * 4001},
        {"message": "a\x00b"},
        {"message": "x", "conversation_id": "7"},
        {"confirm": {"tool_call_id": "7d7b51f1-1b05-4b5f-a0f8-3d1f5c1c2b11", "approve": True}},
    ],
)
def test_what_cannot_be_answered(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/api/chat", json=body, headers=ANN).status_code == 422


def test_a_failed_call_is_recorded_and_said(client: TestClient) -> None:
    answer = say(client, "add " + "x" * 201)
    assert calls(answer) == [("add_todo", "error")]
    assert "That did not work" in answer["reply"]
    assert titles(client) == []


def test_conversations_leave_with_their_user(
    client: TestClient, database: psycopg.Connection[Any]
) -> None:
    say(client, "list")
    database.execute("""DELETE FROM "user" WHERE id = 'ann'""")
    for table in ("conversation", "chat_message", "tool_call"):
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
