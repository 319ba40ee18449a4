"""Objects in Cloudflare R2 or any store that speaks the S3 API.

boto3 is imported only when the store is made, so without R2 keys it costs nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

from starlette.concurrency import run_in_threadpool

from app.errors import ApiError
from app.settings import R2

_log = logging.getLogger("app.objects")
_CHUNK_BYTES = 64 * 1024
_KEY_CODES = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized", "403"}


class StoreError(ApiError):
    """The store did not do what it was asked; the message is a sentence for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(502, code, message)


class Store:
    """The bucket. boto3 blocks, so every call runs in a thread; its clients are thread-safe."""

    def __init__(self, settings: R2) -> None:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self._faults = (BotoCoreError, ClientError)
        self._bucket = settings.bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.endpoint_url,
            aws_access_key_id=settings.access_key_id.get_secret_value(),
            aws_secret_access_key=settings.secret_access_key.get_secret_value(),
            region_name="auto",
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path"},
                # R2 doesn't take the trailing checksums that boto3 sends by default.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    async def put(self, key: str, content: BinaryIO, content_type: str) -> None:
        """Store an object."""
        await self._call(
            "put_object", Key=key, Body=content, ContentType=content_type, CacheControl="private"
        )

    async def get(self, key: str) -> Iterator[bytes]:
        """The content in chunks; reading them blocks."""
        found = await self._call("get_object", Key=key)
        chunks: Iterator[bytes] = found["Body"].iter_chunks(_CHUNK_BYTES)
        return chunks

    async def remove(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        await self._call("delete_object", Key=key)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def _call(self, operation: str, **arguments: Any) -> Any:
        method = getattr(self._client, operation)
        try:
            return await run_in_threadpool(method, Bucket=self._bucket, **arguments)
        except self._faults as error:
            self._explain(operation, error)

    def _explain(self, operation: str, error: Exception) -> NoReturn:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        _log.warning("object store failed", extra={"operation": operation, "code": code})
        if code in _KEY_CODES:
            text = "The file store refused its keys; CLOUDFLARE_R2_* has to be checked."
            raise StoreError("store_key_refused", text) from None
        if code == "NoSuchBucket":
            text = "The file store has no such bucket; CLOUDFLARE_R2_BUCKET_NAME has to be checked."
            raise StoreError("store_bucket_unknown", text) from None
        if code == "NoSuchKey":
            raise ApiError(404, "file_gone", "The file is no longer in the store.") from None
        raise StoreError(
            "store_failed", "The file store does not answer. Try again in a moment."
        ) from None


async def remove_objects(store: Store | None, keys: Sequence[str]) -> None:
    """Remove objects whose rows are gone. A failure leaves an orphan and a log line that names
    it: there is nothing left that the user could do about it."""
    if store is None:
        return
    for key in keys:
        try:
            await store.remove(key)
        except StoreError as error:
            _log.error("object left behind", extra={"object_key": key, "code": error.code})
