"""The application, put together from its settings."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import __version__, db, errors, health, objects, todos
from app.chat import providers
from app.chat import routes as chat_routes
from app.chat.service import Chat
from app.limits import BodyLimit
from app.logs import RequestLog
from app.settings import Settings

_log = logging.getLogger("app")
_MULTIPART_OVERHEAD = 64 * 1024


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings. Nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = db.create_engine(settings)
        sessions = db.create_sessions(engine)
        provider = providers.create(settings)
        app.state.engine, app.state.sessions = engine, sessions
        app.state.chat = Chat(sessions, provider, app.state.store)
        endpoint = settings.llm_endpoint
        _log.info(
            "started",
            extra={
                "version": __version__,
                "image_digest": settings.image_digest,
                "llm_provider": settings.llm_provider.value,
                "llm_model": endpoint and endpoint.model,
                "attachments": app.state.store is not None,
            },
        )
        yield
        await provider.close()
        await engine.dispose()
        if app.state.store is not None:
            app.state.store.close()
        _log.info("stopped")

    # No docs page: FastAPI's loads its scripts from a public CDN. The document itself is enough
    # for every viewer.
    app = FastAPI(
        title="Todo Chatbot",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={status: {"model": errors.ErrorResponse} for status in (401, 404, 422, 503)},
    )
    app.state.settings = settings
    app.state.store = None
    app.state.waiting_for = None
    errors.install(app)
    app.include_router(health.router)
    app.include_router(todos.router)
    app.include_router(chat_routes.router)
    if settings.r2 is not None:
        from app import attachments

        app.state.store = objects.Store(settings.r2)
        app.include_router(attachments.router)

    app.add_middleware(
        BodyLimit, upload_max_bytes=settings.attachment_max_bytes + _MULTIPART_OVERHEAD
    )
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
        )
    app.add_middleware(RequestLog)  # last added, outermost
    return app
