"""Probes, version and what is switched on."""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app import __version__, db

_log = logging.getLogger("app.health")
router = APIRouter(prefix="/api", tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether requests can be served, and if not, why."""

    status: str
    waiting_for: list[str] = []


class Version(BaseModel):
    """What is running."""

    version: str
    image_digest: str | None
    llm_provider: str


class Features(BaseModel):
    """What this installation can do."""

    attachments: bool
    llm_provider: str


@router.get("/health", summary="Liveness")
async def health() -> Health:
    """Depends on nothing but the process."""
    return Health()


@router.get("/health/ready", summary="Readiness", responses={503: {"model": Readiness}})
async def ready(request: Request) -> JSONResponse:
    """200 once the database answers and its schema is at head; else 503 with the reason."""
    state = request.app.state
    reason = await db.waiting_for(state.engine)
    if reason != state.waiting_for:  # once per change, not once per probe
        state.waiting_for = reason
        if reason is None:
            _log.info("ready")
        else:
            _log.warning("not ready", extra={"waiting_for": reason})
    if reason is None:
        return JSONResponse(Readiness(status="ok").model_dump())
    return JSONResponse(Readiness(status="waiting", waiting_for=[reason]).model_dump(), 503)


@router.get("/version", summary="Version and image digest")
async def version(request: Request) -> Version:
    """The release, the image it runs from (IMAGE_DIGEST) and who answers in the chat."""
    settings = request.app.state.settings
    return Version(
        version=__version__,
        image_digest=settings.image_digest,
        llm_provider=settings.llm_provider,
    )


@router.get("/features", summary="What is switched on")
async def features(request: Request) -> Features:
    """Lets the frontend hide what is off."""
    settings = request.app.state.settings
    return Features(
        attachments=request.app.state.store is not None, llm_provider=settings.llm_provider
    )
