"""The tool loop against a server that speaks OpenAI's format and refuses what OpenAI refuses."""

import json
import logging
import socket
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import ANN
from tests.test_chat import calls, say, titles

Make = Callable[..., TestClient]
KEYS = {"openai": "openai_api_key", "openrouter": "openrouter_api_key", "gemini": "gemini_api_key"}


@pytest.fixture
def llm(make_client: Make, llm_url: str) -> Callable[..., TestClient]:
    """Starts the application with a provider whose address is the test server."""

    def make(provider: str = "openai", key: str = "sk-test", **changes: Any) -> TestClient:
        settings = {"llm_provider": provider, KEYS[provider]: key, "openai_base_url": llm_url}
        return make_client(**(settings | changes))

    return make


@pytest.mark.parametrize("provider", KEYS)
def test_a_conversation(llm: Callable[..., TestClient], provider: str) -> None:
    client = llm(provider)
    added = say(client, "add milk and bread")
    assert added["provider"] == provider
    assert calls(added) == [("add_todo", "done")] * 2
    assert added["reply"] == "Test model: added milk, bread."
    conversation = added["conversation_id"]

    done = say(client, "complete milk", conversation)
    assert calls(done) == [("list_todos", "done"), ("complete_todo", "done")]
    renamed = say(client, "rename bread to rye bread", conversation)
    assert calls(renamed)[-1] == ("update_todo", "done")
    listed = say(client, "list", conversation)
    assert listed["reply"] == "Test model: 2 todos: milk (done); rye bread"

    asked = say(client, "delete bread", conversation)
    assert calls(asked)[-1] == ("delete_todo", "needs_confirmation")
    assert asked["reply"].startswith("Delete “rye bread”?")
    confirm = {"tool_call_id": asked["tool_calls"][-1]["id"], "approve": True}
    deleted = say(client, "", conversation, confirm)
    assert deleted["reply"] == "Test model: deleted."
    assert titles(client) == ["milk"]


def test_several_deletions_are_confirmed_one_by_one(llm: Callable[..., TestClient]) -> None:
    client = llm()
    say(client, "add red apple and green apple")
    asked = say(client, "delete apple")
    first, second = [c["id"] for c in asked["tool_calls"] if c["status"] == "needs_confirmation"]
    conversation = asked["conversation_id"]
    one = say(client, "", conversation, {"tool_call_id": first, "approve": True})
    assert calls(one) == [("delete_todo", "done"), ("delete_todo", "needs_confirmation")]
    assert "“green apple”" in one["reply"]
    assert titles(client) == ["green apple"]
    two = say(client, "", conversation, {"tool_call_id": second, "approve": False})
    assert two["reply"] == "Test model: fine, I left it."
    assert titles(client) == ["green apple"]


def test_another_wish_drops_the_question_and_the_history_stays_valid(
    llm: Callable[..., TestClient],
) -> None:
    client = llm()
    conversation = say(client, "add milk")["conversation_id"]
    say(client, "delete milk", conversation)
    answer = say(client, "list", conversation)
    assert calls(answer) == [("delete_todo", "refused"), ("list_todos", "done")]
    assert answer["error"] is None
    assert titles(client) == ["milk"]


def test_a_conversation_outlives_a_change_of_provider(llm: Callable[..., TestClient]) -> None:
    clients = [llm("gemini"), llm("openai"), llm("gemini")]
    conversation = None
    for number, client in enumerate(clients):
        answer = say(client, f"add todo {number}", conversation)
        assert answer["error"] is None, answer
        conversation = answer["conversation_id"]
    assert len(titles(clients[0])) == 3


FAULTS = [
    ("401", "llm_key_refused", "OpenAI refused the key; OPENAI_API_KEY has to be checked."),
    ("403", "llm_key_refused", "OpenAI refused the key; OPENAI_API_KEY has to be checked."),
    ("402", "llm_quota", "The credit at OpenAI is used up."),
    ("404", "llm_model_unknown", "OpenAI does not know the model `gpt-4o-mini`"),
    ("nowhere", "llm_address_wrong", "There is no OpenAI at its address"),
    ("429", "llm_rate_limited", "OpenAI takes no more requests for now."),
    ("500", "llm_failed", "OpenAI has a fault of its own (HTTP 500)."),
    ("503", "llm_failed", "OpenAI has a fault of its own (HTTP 503)."),
    ("timeout", "llm_timeout", "OpenAI did not answer within 0.5 seconds."),
    ("garbage", "llm_unreadable", "The answer of OpenAI could not be read."),
    ("empty", "llm_unreadable", "The answer of OpenAI could not be read."),
    ("loop", "too_many_steps", "I took too many steps"),
]


@pytest.mark.parametrize(("fault", "code", "sentence"), FAULTS)
def test_a_failure_becomes_a_sentence(
    llm: Callable[..., TestClient],
    caplog: pytest.LogCaptureFixture,
    fault: str,
    code: str,
    sentence: str,
) -> None:
    seconds = 0.5 if fault == "timeout" else 20
    client = llm(key=f"sk-test-{fault}", llm_timeout_seconds=seconds)
    with caplog.at_level(logging.INFO):
        answer = say(client, "list")
    assert answer["error"] == {"code": code}
    assert sentence in answer["reply"]
    assert f"sk-test-{fault}" not in answer["reply"] + caplog.text

    path = f"/api/chat/conversations/{answer['conversation_id']}"
    last = client.get(path, headers=ANN).json()["messages"][-1]
    assert (last["content"], last["error"]) == (answer["reply"], {"code": code})


def test_the_conversation_goes_on_after_a_failure(llm: Callable[..., TestClient]) -> None:
    failed = say(llm(key="sk-test-500"), "list")
    answer = say(llm(), "add milk", failed["conversation_id"])
    assert (answer["reply"], answer["error"]) == ("Test model: added milk.", None)


@pytest.mark.parametrize("provider", KEYS)
def test_each_provider_names_its_own_key(llm: Callable[..., TestClient], provider: str) -> None:
    answer = say(llm(provider, key="wrong"), "list")
    assert f"{provider.upper()}_API_KEY has to be checked" in answer["reply"]


def test_nobody_there(make_client: Make) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        client = make_client(llm_provider="openai", openai_api_key="k", openai_base_url=url)
        answer = say(client, "list")
    assert answer["reply"] == "OpenAI cannot be reached. Try again in a moment."


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("badargs", "the arguments are not a JSON object"),
        ("invent", "There is no such todo."),
        ("unknown", "there is no tool `drop_database`"),
    ],
)
def test_a_confused_model_harms_nothing(
    llm: Callable[..., TestClient], fault: str, reason: str
) -> None:
    client = llm()
    conversation = say(client, "add milk")["conversation_id"]
    confused = llm(key=f"sk-test-{fault}")
    answer = say(confused, "complete milk", conversation)
    assert ("error", {"error": reason}) in [
        (call["status"], call["result"]) for call in answer["tool_calls"]
    ]
    assert client.get("/api/todos", headers=ANN).json()[0]["completed"] is False
    assert say(client, "list", conversation)["error"] is None


def test_what_was_done_before_a_failure_is_shown(
    llm: Callable[..., TestClient], llm_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = llm()
    real = llm_module.completion

    def second_time_wrong(body: dict[str, Any], fault: str | None) -> Any:
        if body["messages"][-1]["role"] == "tool":
            raise llm_module.BadRequest("no")
        return real(body, fault)

    monkeypatch.setattr(llm_module, "completion", second_time_wrong)
    answer = say(client, "add milk")
    assert calls(answer) == [("add_todo", "done")]
    assert answer["error"] == {"code": "llm_refused"}
    assert titles(client) == ["milk"]


def test_the_provider_is_told_nothing_of_the_user(
    llm: Callable[..., TestClient], llm_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = llm_module.check

    def keep(body: dict[str, Any]) -> None:
        seen.append(json.dumps(body))
        real(body)

    monkeypatch.setattr(llm_module, "check", keep)
    say(llm(), "list")
    assert len(seen) == 2
    assert not [body for body in seen if "example.com" in body or '"ann"' in body]
