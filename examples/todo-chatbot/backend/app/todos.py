"""Todos: the operations that routes and chat tools share, and the routes."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import CurrentUser
from app.db import Session
from app.errors import ApiError
from app.models import TITLE_MAX, Attachment, Todo
from app.objects import remove_objects

router = APIRouter(prefix="/api/todos", tags=["todos"])

Title = Annotated[
    # PostgreSQL stores no NUL characters.
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=TITLE_MAX, pattern=r"^[^\x00]*$"
    ),
]


class TodoOut(BaseModel):
    """A todo as clients see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    title: str
    completed: bool
    created_at: datetime
    updated_at: datetime


class TodoCreate(BaseModel):
    """A new todo."""

    title: Title


class TodoUpdate(BaseModel):
    """The fields to change; those that are left out stay."""

    title: Title | None = Field(default=None)
    completed: bool | None = Field(default=None)


class TodoNotFoundError(ApiError):
    """No such todo of this user."""

    def __init__(self) -> None:
        super().__init__(404, "todo_not_found", "There is no such todo.")


async def list_todos(
    session: AsyncSession, user_id: str, completed: bool | None = None
) -> Sequence[Todo]:
    """The user's todos, oldest first."""
    query = select(Todo).where(Todo.user_id == user_id).order_by(Todo.created_at, Todo.id)
    if completed is not None:
        query = query.where(Todo.completed == completed)
    return (await session.scalars(query)).all()


async def get_todo(session: AsyncSession, user_id: str, todo_id: uuid.UUID) -> Todo:
    """One todo of the user; another user's counts as missing."""
    query = select(Todo).where(Todo.id == todo_id, Todo.user_id == user_id)
    todo = (await session.scalars(query)).one_or_none()
    if todo is None:
        raise TodoNotFoundError
    return todo


async def add_todo(session: AsyncSession, user_id: str, title: str) -> Todo:
    """Add a todo. The caller commits."""
    todo = Todo(user_id=user_id, title=title, completed=False)
    session.add(todo)
    await flush_owned(session)
    await session.refresh(todo)
    return todo


async def update_todo(
    session: AsyncSession, user_id: str, todo_id: uuid.UUID, changes: TodoUpdate
) -> Todo:
    """Change what is given. The caller commits."""
    todo = await get_todo(session, user_id, todo_id)
    for field, value in changes.model_dump(exclude_none=True).items():
        setattr(todo, field, value)
    await session.flush()
    await session.refresh(todo)
    return todo


async def delete_todo(session: AsyncSession, user_id: str, todo_id: uuid.UUID) -> list[str]:
    """Delete a todo and its attachments' rows. The caller commits, then removes the objects whose
    keys this returns."""
    todo = await get_todo(session, user_id, todo_id)
    query = select(Attachment.object_key).where(Attachment.todo_id == todo.id)
    keys = list((await session.scalars(query)).all())
    await session.delete(todo)
    await session.flush()
    return keys


async def flush_owned(session: AsyncSession) -> None:
    """Flush rows that belong to a user; a token can outlive its account by minutes."""
    try:
        await session.flush()
    except IntegrityError as error:
        if "user_id_fkey" in str(error.orig):
            message = "This account no longer exists. Sign in again."
            raise ApiError(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"}) from None
        raise


@router.get("", summary="List the user's todos")
async def read_todos(user: CurrentUser, session: Session) -> list[TodoOut]:
    """All todos of the signed-in user, oldest first."""
    return [TodoOut.model_validate(todo) for todo in await list_todos(session, user.id)]


@router.post("", status_code=201, summary="Add a todo")
async def create_todo(body: TodoCreate, user: CurrentUser, session: Session) -> TodoOut:
    """Add an open todo."""
    todo = await add_todo(session, user.id, body.title)
    await session.commit()
    return TodoOut.model_validate(todo)


@router.patch("/{todo_id}", summary="Change a todo")
async def patch_todo(
    todo_id: uuid.UUID, body: TodoUpdate, user: CurrentUser, session: Session
) -> TodoOut:
    """Change the title, the state, or both."""
    todo = await update_todo(session, user.id, todo_id, body)
    await session.commit()
    return TodoOut.model_validate(todo)


@router.delete("/{todo_id}", status_code=204, summary="Delete a todo")
async def remove_todo(
    todo_id: uuid.UUID, request: Request, user: CurrentUser, session: Session
) -> Response:
    """Delete a todo with its attachments."""
    keys = await delete_todo(session, user.id, todo_id)
    await session.commit()
    await remove_objects(request.app.state.store, keys)
    return Response(status_code=204)
