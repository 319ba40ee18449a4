"""Errors as `{"error": {"code", "message"}}`, the message a sentence for the user."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

_log = logging.getLogger("app.errors")


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str


class ErrorResponse(BaseModel):
    """The body of every response with a status of 400 or more."""

    error: ErrorBody


class ApiError(Exception):
    """Ends a request with a status, a code for programs and a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def response(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """An error in the one shape that clients know."""
    body = ErrorResponse(error=ErrorBody(code=code, message=message))
    return JSONResponse(body.model_dump(), status, headers)


def _sentence(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where or 'The request'}: {message[:1].lower()}{message[1:]}."


def install(app: FastAPI) -> None:
    """Register the handlers."""

    @app.exception_handler(ApiError)
    async def _api(_: Request, error: ApiError) -> JSONResponse:
        return response(error.status, error.code, error.message, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return response(422, "invalid_request", _sentence(error))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        known = {
            404: ("not_found", "There is nothing at this address."),
            405: ("method_not_allowed", "This address does not take that method."),
        }
        code, message = known.get(error.status_code, ("http_error", f"{error.detail}."))
        headers = dict(error.headers) if error.headers else None
        return response(error.status_code, code, message, headers)

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeout)
    async def _database(_: Request, error: Exception) -> JSONResponse:
        _log.error("database unavailable", exc_info=error)
        message = "The database does not answer. Try again in a moment."
        return response(503, "database_unavailable", message, {"Retry-After": "5"})

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        # Starlette's ServerErrorMiddleware re-raises, and uvicorn logs the traceback.
        return response(500, "internal", "Something went wrong here. It has been logged.")
