"""Who is asking: the frontend's server signs a short-lived token for its signed-in user."""

import logging
from typing import Annotated

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError

from app.errors import ApiError

ALGORITHM = "HS256"
ISSUER = "todo-frontend"
AUDIENCE = "todo-backend"
LEEWAY_SECONDS = 10  # clocks of two nodes
MAX_AGE_SECONDS = 3600
"""Tokens live five minutes; one that claims more than an hour wasn't made by the frontend."""

_log = logging.getLogger("app.auth")
_bearer = HTTPBearer(auto_error=False, description="JWT from the frontend's server")


class User(BaseModel):
    """The claims that the application uses."""

    sub: str
    email: str
    name: str = ""

    @property
    def id(self) -> str:
        """Better Auth's user id."""
        return self.sub


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})


def verify(token: str, secret: str) -> User:
    """The user of a token. Raises ApiError 401 when anything about it is wrong."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=LEEWAY_SECONDS,
            options={"require": ["sub", "iss", "aud", "iat", "exp"]},
        )
        if claims["exp"] - claims["iat"] > MAX_AGE_SECONDS:
            raise jwt.InvalidTokenError("lifetime above one hour")
        user = User.model_validate(claims)
        if not user.sub:
            raise jwt.InvalidTokenError("empty subject")
    except jwt.ExpiredSignatureError:
        raise _unauthorized("The session token has expired. Sign in again.") from None
    except (jwt.InvalidTokenError, ValidationError) as error:
        # The reason helps the operator, not the sender; the token itself is never logged.
        _log.info("token refused", extra={"reason": type(error).__name__})
        raise _unauthorized("The session token is not valid. Sign in again.") from None
    return user


def _current_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> User:
    if credentials is None:
        raise _unauthorized("Sign in first.")
    secret = request.app.state.settings.better_auth_secret.get_secret_value()
    user = verify(credentials.credentials, secret)
    request.state.user_id = user.id
    return user


CurrentUser = Annotated[User, Depends(_current_user)]
