"""Files of a todo. These routes exist only where the four R2 keys are set."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import CurrentUser
from app.db import Session
from app.errors import ApiError
from app.models import Attachment, Todo
from app.objects import Store, remove_objects
from app.todos import TodoNotFoundError, get_todo

router = APIRouter(prefix="/api/todos/{todo_id}/attachments", tags=["attachments"])
MAX_PER_TODO = 20
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,100}/[A-Za-z0-9.+-]{1,100}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


class AttachmentOut(BaseModel):
    """A file as listed; `size` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    todo_id: uuid.UUID
    filename: str
    content_type: str
    size: int
    created_at: datetime


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


Objects = Annotated[Store, Depends(_store)]


async def _list(session: AsyncSession, todo_id: uuid.UUID) -> Sequence[Attachment]:
    query = select(Attachment).where(Attachment.todo_id == todo_id)
    return (await session.scalars(query.order_by(Attachment.created_at))).all()


async def _get(
    session: AsyncSession, user_id: str, todo_id: uuid.UUID, attachment_id: uuid.UUID
) -> Attachment:
    query = (
        select(Attachment)
        .join(Todo)
        .where(Attachment.id == attachment_id, Todo.id == todo_id, Todo.user_id == user_id)
    )
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise ApiError(404, "attachment_not_found", "There is no such file.")
    return found


@router.get("", summary="List a todo's files")
async def read_attachments(
    todo_id: uuid.UUID, user: CurrentUser, session: Session
) -> list[AttachmentOut]:
    """The files of a todo, oldest first."""
    todo = await get_todo(session, user.id, todo_id)
    return [AttachmentOut.model_validate(item) for item in await _list(session, todo.id)]


@router.post("", status_code=201, summary="Attach a file")
async def create_attachment(
    todo_id: uuid.UUID,
    request: Request,
    user: CurrentUser,
    session: Session,
    objects: Objects,
    file: Annotated[UploadFile, File(description="The file, as multipart field `file`.")],
) -> AttachmentOut:
    """Store a file and attach it."""
    limit: int = request.app.state.settings.attachment_max_bytes
    size = file.size or 0
    if size > limit:
        text = f"A file may have at most {limit / 1024 / 1024:g} MiB."
        raise ApiError(413, "too_large", text)
    await get_todo(session, user.id, todo_id)
    count = select(func.count()).where(Attachment.todo_id == todo_id)
    if (await session.scalar(count) or 0) >= MAX_PER_TODO:
        text = f"A todo may have at most {MAX_PER_TODO} files."
        raise ApiError(409, "too_many_attachments", text)
    await session.commit()  # no connection is held while the bytes travel

    content_type = file.content_type or ""
    if not _MEDIA_TYPE.fullmatch(content_type):
        content_type = "application/octet-stream"
    attachment_id = uuid.uuid4()
    attachment = Attachment(
        id=attachment_id,
        todo_id=todo_id,
        filename=_UNSAFE.sub("_", file.filename or "file")[-255:],
        content_type=content_type,
        size=size,
        # The key holds nothing that the user chose.
        object_key=f"todos/{todo_id}/{attachment_id}",
    )
    await objects.put(attachment.object_key, file.file, content_type)
    session.add(attachment)
    try:
        await session.commit()
    except IntegrityError:  # the todo was deleted meanwhile
        await remove_objects(objects, [f"todos/{todo_id}/{attachment_id}"])
        raise TodoNotFoundError from None
    await session.refresh(attachment)
    return AttachmentOut.model_validate(attachment)


@router.get("/{attachment_id}", summary="Download a file", response_class=StreamingResponse)
async def download_attachment(
    todo_id: uuid.UUID,
    attachment_id: uuid.UUID,
    user: CurrentUser,
    session: Session,
    objects: Objects,
) -> StreamingResponse:
    """The bytes. Always a download, never shown inline: a user's HTML must not run here."""
    found = await _get(session, user.id, todo_id, attachment_id)
    await session.commit()
    chunks = await objects.get(found.object_key)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.filename, safe='')}",
        "Content-Length": str(found.size),
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(chunks, media_type=found.content_type, headers=headers)


@router.delete("/{attachment_id}", status_code=204, summary="Delete a file")
async def remove_attachment(
    todo_id: uuid.UUID,
    attachment_id: uuid.UUID,
    user: CurrentUser,
    session: Session,
    objects: Objects,
) -> Response:
    """Delete a file for good."""
    found = await _get(session, user.id, todo_id, attachment_id)
    key = found.object_key
    await session.delete(found)
    await session.commit()
    await remove_objects(objects, [key])
    return Response(status_code=204)
