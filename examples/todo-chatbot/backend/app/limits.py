"""Refuses bodies that are larger than any request needs, before they are read."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors

JSON_MAX_BYTES = 64 * 1024


class BodyLimit:
    """Counts the body as it arrives; a declared length that is too large ends it at once."""

    def __init__(self, app: ASGIApp, upload_max_bytes: int) -> None:
        self.app = app
        self.upload_max_bytes = upload_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = scope["path"].endswith("/attachments")
        limit = self.upload_max_bytes if upload else JSON_MAX_BYTES
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            refusal = errors.response(413, "too_large", f"At most {limit // 1024} KiB are taken.")
            await refusal(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"At most {limit // 1024} KiB are taken")
            return message

        await self.app(scope, counted, send)
