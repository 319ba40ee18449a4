"""The tools: what a provider may do with the user's todos, and nothing else."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app import todos
from app.chat.types import Call, Tool
from app.errors import ApiError
from app.models import TITLE_MAX, Todo


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListArguments(_Arguments):
    """Arguments of list_todos."""

    filter: Literal["all", "open", "completed"] = "all"


class AddArguments(_Arguments):
    """Arguments of add_todo."""

    title: todos.Title


class IdArguments(_Arguments):
    """Arguments of complete_todo and delete_todo."""

    id: uuid.UUID


class UpdateArguments(_Arguments):
    """Arguments of update_todo."""

    id: uuid.UUID
    title: todos.Title | None = None
    completed: bool | None = None


@dataclass
class Context:
    """For whom and in which transaction a tool runs."""

    session: AsyncSession
    user_id: str
    # Keys of stored objects to remove once the transaction is committed.
    orphans: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What came of a call: `done` with a result or `error` with a reason for the provider."""

    status: Literal["done", "error"]
    result: Any


def _view(todo: Todo) -> dict[str, Any]:
    return {"id": str(todo.id), "title": todo.title, "completed": todo.completed}


async def _list(context: Context, arguments: ListArguments) -> Any:
    completed = {"all": None, "open": False, "completed": True}[arguments.filter]
    found = await todos.list_todos(context.session, context.user_id, completed)
    return {"todos": [_view(todo) for todo in found]}


async def _add(context: Context, arguments: AddArguments) -> Any:
    return _view(await todos.add_todo(context.session, context.user_id, arguments.title))


async def _complete(context: Context, arguments: IdArguments) -> Any:
    changes = todos.TodoUpdate(completed=True)
    return _view(await todos.update_todo(context.session, context.user_id, arguments.id, changes))


async def _update(context: Context, arguments: UpdateArguments) -> Any:
    changes = todos.TodoUpdate(title=arguments.title, completed=arguments.completed)
    return _view(await todos.update_todo(context.session, context.user_id, arguments.id, changes))


async def _delete(context: Context, arguments: IdArguments) -> Any:
    todo = await todos.get_todo(context.session, context.user_id, arguments.id)
    gone = _view(todo)
    context.orphans += await todos.delete_todo(context.session, context.user_id, arguments.id)
    return {"deleted": gone}


@dataclass(frozen=True)
class _Definition:
    description: str
    # Plain JSON schema written by hand: what pydantic generates has keywords that some
    # OpenAI-compatible services refuse. `arguments` is what is enforced.
    properties: dict[str, Any]
    required: list[str]
    arguments: type[_Arguments]
    run: Callable[[Context, Any], Awaitable[Any]]
    needs_confirmation: bool = False


_ID = {"type": "string", "description": "The id of the todo, from list_todos."}
_TITLE = {"type": "string", "description": f"At most {TITLE_MAX} characters."}

_TOOLS = {
    "list_todos": _Definition(
        "List the user's todos with their ids. Call it before any tool that takes an id.",
        {"filter": {"type": "string", "enum": ["all", "open", "completed"]}},
        [],
        ListArguments,
        _list,
    ),
    "add_todo": _Definition("Add a todo.", {"title": _TITLE}, ["title"], AddArguments, _add),
    "complete_todo": _Definition(
        "Mark a todo as completed.", {"id": _ID}, ["id"], IdArguments, _complete
    ),
    "update_todo": _Definition(
        "Change a todo's title, or reopen it with completed=false.",
        {"id": _ID, "title": _TITLE, "completed": {"type": "boolean"}},
        ["id"],
        UpdateArguments,
        _update,
    ),
    "delete_todo": _Definition(
        "Delete a todo for good. The user is asked to confirm before it happens.",
        {"id": _ID},
        ["id"],
        IdArguments,
        _delete,
        needs_confirmation=True,
    ),
}

OFFERED = [
    Tool(
        name,
        tool.description,
        {"type": "object", "properties": tool.properties, "required": tool.required},
    )
    for name, tool in _TOOLS.items()
]


def _read(call: Call) -> tuple[_Definition, _Arguments] | Outcome:
    definition = _TOOLS.get(call.name)
    if definition is None:
        return Outcome("error", {"error": f"there is no tool `{call.name[:64]}`"})
    if call.problem is not None:
        return Outcome("error", {"error": call.problem})
    try:
        return definition, definition.arguments.model_validate(call.arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Outcome("error", {"error": f"{where}: {first['msg']}"})


async def question(context: Context, call: Call) -> str | None:
    """What to ask the user before the call may run; None when it may run (or fail) at once."""
    match _read(call):
        case (_Definition(needs_confirmation=True), IdArguments(id=todo_id)):
            try:
                todo = await todos.get_todo(context.session, context.user_id, todo_id)
            except ApiError:
                return None
            return f"Delete “{todo.title}”?"
    return None


async def run(context: Context, call: Call) -> Outcome:
    """Run a call in the caller's transaction; a failed call changes nothing."""
    read = _read(call)
    if isinstance(read, Outcome):
        return read
    definition, arguments = read
    try:
        async with context.session.begin_nested():
            return Outcome("done", await definition.run(context, arguments))
    except ApiError as error:
        if error.status == 401:
            raise
        return Outcome("error", {"error": error.message})
