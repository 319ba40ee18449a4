"""The local assistant: fixed rules, no model, no network. Its replies say so."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from app.chat.types import AssistantMessage, Call, Item, Tool, ToolResult, UserMessage

PREFIX = "Local rule-based assistant: "
_HELP = (
    "I follow fixed rules and use no language model. Try “list”, “list open”, “add buy milk”, "
    "“complete buy milk”, “reopen buy milk”, “rename buy milk to buy oat milk” or "
    "“delete buy milk”. A number stands for a place in the list."
)
_POLITE = re.compile(
    r"^(?:(?:please|can you|could you|would you|hey|hi|hello|i want to|i'd like to)\b[\s,]*)+", re.I
)
_FLAGS = re.IGNORECASE | re.DOTALL


@dataclass(frozen=True)
class Intent:
    """What the user wants, as far as the rules can tell."""

    verb: str  # list, add, complete, reopen, rename, delete, help
    subject: str = ""
    title: str = ""


_RULES: list[tuple[str, re.Pattern[str]]] = [
    (verb, re.compile(pattern, _FLAGS))
    for verb, pattern in [
        (
            "add",
            r"^(?:add|create|new|remember(?: to)?|remind me to)\b[\s:]*"
            r"(?:(?:(?:a|the|new|another)\s+)*(?:todo|task|item)\b[\s:]*)?(?P<title>.+)$",
        ),
        (
            "rename",
            r"^(?:rename|change|update|edit)\s+(?P<subject>.+?)\s+(?:to|into)\s+(?P<title>.+)$",
        ),
        ("reopen", r"^(?:reopen|uncomplete|uncheck|undo)\s+(?P<subject>.+)$"),
        (
            "complete",
            r"^(?:complete|finish|check(?: off)?|tick(?: off)?|close|done(?: with)?)"
            r"\s+(?P<subject>.+)$",
        ),
        ("complete", r"^mark\s+(?P<subject>.+?)\s+(?:as\s+)?(?:done|completed?|finished)$"),
        ("delete", r"^(?:delete|remove|drop|erase)\s+(?P<subject>.+)$"),
        ("list", r"^(?:list|show|what|which|tell me|give me)\b(?P<subject>.*)$"),
        ("list", r"^(?P<subject>(?:my\s+)?(?:(?:open|completed|done)\s+)?(?:todos?|tasks?)\b.*)$"),
    ]
]


def parse(text: str) -> Intent:
    """The intent of a message."""
    # Single spaces also keep the patterns linear on a message of nothing but spaces.
    plain = _POLITE.sub("", " ".join(text.split())).strip().rstrip(".!?").strip()
    for verb, pattern in _RULES:
        if match := pattern.match(plain):
            found = match.groupdict()
            return Intent(
                verb,
                _clean(found.get("subject") or ""),
                _unquote(found.get("title") or ""),
            )
    return Intent("help")


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and (text[0], text[-1]) in {('"', '"'), ("'", "'"), ("“", "”"), ("`", "`")}:
        text = text[1:-1].strip()
    return text


def _clean(subject: str) -> str:
    words = subject.strip()
    while match := re.match(r"^(?:(?:my|the|todo|task|item|number|no\.)\s+|#)(?=\S)", words, re.I):
        words = words[match.end() :]
    return _unquote(words)


def _find(subject: str, todos: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The todos that a subject may mean: same title, else its place, else a part of the title."""
    wanted = subject.casefold()
    same = [todo for todo in todos if todo["title"].casefold() == wanted]
    if same:
        return same
    if wanted.isdecimal() and 1 <= int(wanted) <= len(todos):
        return [todos[int(wanted) - 1]]
    return [todo for todo in todos if wanted and wanted in todo["title"].casefold()]


def _lines(todos: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{number}. [{'x' if todo['completed'] else ' '}] {todo['title']}"
        for number, todo in enumerate(todos, 1)
    )


def _say(text: str) -> AssistantMessage:
    return AssistantMessage(PREFIX + text)


def _call(name: str, **arguments: Any) -> AssistantMessage:
    return AssistantMessage("", (Call(f"rules_{uuid.uuid4().hex[:12]}", name, arguments),))


class RulesProvider:
    """Answers from the text of the last user message and the results of the turn."""

    name = "rules"
    signature = PREFIX

    async def respond(self, history: list[Item], tools: list[Tool]) -> AssistantMessage:
        """The next step of the turn."""
        wish = ""
        results: list[ToolResult] = []
        for item in history:
            match item:
                case UserMessage(content=content, answer=False):
                    wish, results = content, []
                case ToolResult():
                    results.append(item)
        return self._next(parse(wish), results)

    def _next(self, intent: Intent, results: list[ToolResult]) -> AssistantMessage:
        if results and results[-1].status == "error":
            return _say(f"That did not work: {results[-1].result['error']}")
        if intent.verb == "help":
            return _say(_HELP)
        if intent.verb == "add":
            return self._added(results) if results else _call("add_todo", title=intent.title)
        if intent.verb == "list":
            words = intent.subject.casefold()
            wanted = "all"
            if re.search(r"\b(completed|done|finished)\b", words):
                wanted = "completed"
            elif re.search(r"\b(open|left|remaining|pending|to do)\b", words):
                wanted = "open"
            if not results:
                return _call("list_todos", filter=wanted)
            return self._listed(results[-1].result["todos"], wanted)
        if not results:
            return _call("list_todos", filter="all")
        if results[-1].name == "list_todos":
            return self._act(intent, results[-1].result["todos"])
        return self._acted(intent, results[-1])

    def _added(self, results: list[ToolResult]) -> AssistantMessage:
        return _say(f"Added “{results[-1].result['title']}”.")

    def _listed(self, todos: list[dict[str, Any]], wanted: str) -> AssistantMessage:
        kind = "" if wanted == "all" else f"{wanted} "
        if not todos:
            return _say(f"You have no {kind}todos.")
        noun = "todo" if len(todos) == 1 else "todos"
        return _say(f"You have {len(todos)} {kind}{noun}:\n{_lines(todos)}")

    def _act(self, intent: Intent, todos: list[dict[str, Any]]) -> AssistantMessage:
        found = _find(intent.subject, todos)
        if not found:
            return _say(f"I find no todo that matches “{intent.subject}”.")
        if len(found) > 1:
            return _say(f"“{intent.subject}” could be several, say which:\n{_lines(found)}")
        todo_id = found[0]["id"]
        match intent.verb:
            case "complete":
                return _call("complete_todo", id=todo_id)
            case "reopen":
                return _call("update_todo", id=todo_id, completed=False)
            case "rename":
                return _call("update_todo", id=todo_id, title=intent.title)
            case _:
                return _call("delete_todo", id=todo_id)

    def _acted(self, intent: Intent, last: ToolResult) -> AssistantMessage:
        if last.status == "refused":
            return _say("Nothing was deleted.")
        match intent.verb:
            case "complete":
                return _say(f"Completed “{last.result['title']}”.")
            case "reopen":
                return _say(f"Reopened “{last.result['title']}”.")
            case "rename":
                return _say(f"Renamed it to “{last.result['title']}”.")
            case _:
                return _say(f"Deleted “{last.result['deleted']['title']}”.")

    async def close(self) -> None:
        """Nothing to give back."""
