"""What the local assistant understands."""

import pytest

from app.chat.rules import PREFIX, Intent, RulesProvider, parse
from app.chat.types import AssistantMessage, Call, Item, ToolResult, UserMessage


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("list", Intent("list")),
        ("Show my todos!", Intent("list", "todos")),
        ("what is left?", Intent("list", "is left")),
        ("my tasks", Intent("list", "tasks")),
        ("open todos", Intent("list", "open todos")),
        ("add new tyres", Intent("add", title="new tyres")),
        ("add the report to the agenda", Intent("add", title="the report to the agenda")),
        ("add a new task: sweep", Intent("add", title="sweep")),
        ("rename  milk\nto  oat milk", Intent("rename", "milk", "oat milk")),
        ("rename" + " " * 3900 + "x", Intent("help")),
        ("add buy milk", Intent("add", title="buy milk")),
        ("Please add a todo: buy milk.", Intent("add", title="buy milk")),
        ("add “buy milk”", Intent("add", title="buy milk")),
        ("can you remind me to call mum", Intent("add", title="call mum")),
        ("add task list to the wiki", Intent("add", title="list to the wiki")),
        ("complete milk", Intent("complete", "milk")),
        ("mark the milk as done", Intent("complete", "milk")),
        ("finish todo 2", Intent("complete", "2")),
        ("done #3", Intent("complete", "3")),
        ("reopen milk", Intent("reopen", "milk")),
        ("rename milk to oat milk", Intent("rename", "milk", "oat milk")),
        ("change 'milk' to 'oat milk'", Intent("rename", "milk", "oat milk")),
        ("delete the milk", Intent("delete", "milk")),
        ("remove item 1", Intent("delete", "1")),
        ("how are you", Intent("help")),
        ("", Intent("help")),
        ("add", Intent("help")),
    ],
)
def test_intents(text: str, intent: Intent) -> None:
    assert parse(text) == intent


MILK = {"id": "1", "title": "buy milk", "completed": False}
OATS = {"id": "2", "title": "buy oats", "completed": True}


async def _respond(wish: str, *items: Item) -> AssistantMessage:
    return await RulesProvider().respond([UserMessage(wish), *items], [])


def respond(wish: str, *items: Item) -> AssistantMessage:
    import asyncio

    return asyncio.run(_respond(wish, *items))


def listed() -> list[Item]:
    return [
        AssistantMessage("", (Call("a", "list_todos", {"filter": "all"}),)),
        ToolResult("a", "list_todos", "done", {"todos": [MILK, OATS]}),
    ]


@pytest.mark.parametrize(
    ("wish", "name", "arguments"),
    [
        ("complete milk", "complete_todo", {"id": "1"}),
        ("complete BUY MILK", "complete_todo", {"id": "1"}),
        ("delete 2", "delete_todo", {"id": "2"}),
        ("reopen oats", "update_todo", {"id": "2", "completed": False}),
        ("rename milk to oat milk", "update_todo", {"id": "1", "title": "oat milk"}),
    ],
)
def test_a_title_becomes_an_id(wish: str, name: str, arguments: dict[str, object]) -> None:
    (call,) = respond(wish, *listed()).calls
    assert (call.name, call.arguments) == (name, arguments)


@pytest.mark.parametrize(
    ("wish", "reply"),
    [
        ("complete buy", "“buy” could be several"),
        ("delete bread", "I find no todo that matches “bread”"),
        ("delete 3", "I find no todo that matches “3”"),
        ("list", "You have 2 todos:\n1. [ ] buy milk\n2. [x] buy oats"),
        ("sing", "I follow fixed rules and use no language model"),
    ],
)
def test_replies_say_who_speaks(wish: str, reply: str) -> None:
    answer = respond(wish, *([] if wish == "sing" else listed()))
    assert answer.calls == ()
    assert answer.content.startswith(PREFIX)
    assert reply in answer.content


def test_an_answer_is_no_new_wish() -> None:
    refused = ToolResult("b", "delete_todo", "refused", {"refused": "the user did not confirm"})
    answer = respond("delete milk", *listed(), refused, UserMessage("no", answer=True))
    assert answer.content == f"{PREFIX}Nothing was deleted."
