"""Files of a todo, in Cloudflare R2 or any S3-compatible store.

Without the four R2 keys none of this exists: no route, no client, no import of boto3.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

_log = logging.getLogger("app.attachments")


class Store(Protocol):
    """Where the bytes are."""

    async def remove(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        ...


async def remove_objects(store: Store | None, keys: Sequence[str]) -> None:
    """Remove objects whose rows are gone. A failure leaves an orphan and a log line, nothing that
    the user could do about."""
    if store is None:
        return
    for key in keys:
        try:
            await store.remove(key)
        except Exception:  # noqa: BLE001  # whatever the store's client raises
            _log.exception("object left behind", extra={"object_key": key})
