"""Settings from the environment: typed, checked once, never printed.

A wrong environment ends the process before anything listens, with one line that names every
variable at fault. Values never appear in that line: most of them are secrets.
"""

import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h."""

_FAULT = "setting"  # the error type whose message is written here, hence free of values


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError(_FAULT, "{message}", {"message": message})


class Provider(StrEnum):
    """Who answers in the chat."""

    RULES = "rules"
    OPENAI = "openai"
    OPENROUTER = "openrouter"
    GEMINI = "gemini"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible service."""

    base_url: str
    model: str
    api_key: SecretStr


@dataclass(frozen=True)
class R2:
    """Where attachments are stored."""

    endpoint_url: str
    bucket: str
    access_key_id: SecretStr
    secret_access_key: SecretStr


def _database_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if url.partition("://")[0] not in ("postgres", "postgresql"):
        raise _fault("must start with postgresql:// or postgres://")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        # libpq quotes only the parameter's name in this message; others may hold a piece of the
        # URL and with it the password.
        text = str(error).strip()
        known = text.startswith("invalid URI query parameter")
        raise _fault(f"has an {text}" if known else "is not a PostgreSQL URL") from None
    if not parts.get("host"):
        raise _fault("names no host")
    if not parts.get("dbname"):
        raise _fault("names no database")
    return value


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise _fault("must be an http:// or https:// URL")
    return value.rstrip("/")


def _origins(value: str) -> str:
    for origin in filter(None, (item.strip() for item in value.split(","))):
        if urlsplit(_http_url(origin)).path:
            raise _fault("must list origins (scheme://host[:port]) separated by commas")
    return value


def _long_secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise _fault("must have at least 32 characters")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Origins = Annotated[str, AfterValidator(_origins)]


class Settings(BaseSettings):
    """The environment contract of the backend; names are those of the fields in capitals."""

    # An empty variable counts as unset: Kubernetes and compose pass optional keys that way.
    model_config = SettingsConfigDict(
        extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, frozen=True
    )

    database_url: DatabaseUrl
    better_auth_secret: LongSecret
    better_auth_url: HttpUrl | None = None
    frontend_url: HttpUrl | None = None
    cors_origins: Origins = ""

    llm_provider: Provider = Provider.RULES
    openai_api_key: SecretStr | None = None
    openrouter_api_key: SecretStr | None = None
    gemini_api_key: SecretStr | None = None
    openai_base_url: HttpUrl | None = None
    openai_default_model: str | None = None
    llm_timeout_seconds: float = Field(default=30.0, gt=0, le=300)

    cloudflare_r2_account_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    cloudflare_r2_access_key_id: SecretStr | None = None
    cloudflare_r2_secret_access_key: SecretStr | None = None
    cloudflare_r2_bucket_name: str | None = None
    r2_endpoint_url: HttpUrl | None = None
    attachment_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1024, le=100 * 1024 * 1024)

    run_migrations: bool = False
    image_digest: str | None = None
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    shutdown_timeout_seconds: int = Field(default=20, ge=0, le=600)
    database_pool_size: int = Field(default=5, ge=1, le=50)

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        problems = []
        if self.llm_provider is not Provider.RULES and self.llm_endpoint is None:
            name = f"{self.llm_provider}_api_key".upper()
            problems.append(f"{name} is missing: LLM_PROVIDER is {self.llm_provider}")
        keys = {
            "CLOUDFLARE_R2_ACCOUNT_ID": self.cloudflare_r2_account_id,
            "CLOUDFLARE_R2_ACCESS_KEY_ID": self.cloudflare_r2_access_key_id,
            "CLOUDFLARE_R2_SECRET_ACCESS_KEY": self.cloudflare_r2_secret_access_key,
            "CLOUDFLARE_R2_BUCKET_NAME": self.cloudflare_r2_bucket_name,
        }
        missing = [name for name, value in keys.items() if value is None]
        if 0 < len(missing) < len(keys):
            verb = "is" if len(missing) == 1 else "are"
            problems.append(f"{', '.join(missing)} {verb} missing: R2 takes all four keys or none")
        if problems:
            raise _fault("; ".join(problems))
        return self

    @property
    def llm_endpoint(self) -> Endpoint | None:
        """Service, model and key of the chosen provider; None for `rules`.

        OPENAI_BASE_URL overrides the address of any provider. OPENAI_DEFAULT_MODEL is ignored
        where it cannot be a model of the provider, so that a value left over from `openai` (the
        charts' default) doesn't break the others.
        """
        wanted = self.openai_default_model or ""
        match self.llm_provider:
            case Provider.RULES:
                return None
            case Provider.OPENAI:
                key, base_url = self.openai_api_key, "https://api.openai.com/v1"
                model = wanted or "gpt-4o-mini"
            case Provider.OPENROUTER:
                key, base_url = self.openrouter_api_key, "https://openrouter.ai/api/v1"
                model = wanted if "/" in wanted else "google/gemini-3.5-flash"
            case Provider.GEMINI:
                key = self.gemini_api_key
                base_url = "https://generativelanguage.googleapis.com/v1beta/openai"
                model = wanted if wanted.startswith(("gemini", "models/")) else "gemini-3.5-flash"
        return Endpoint(self.openai_base_url or base_url, model, key) if key else None

    @property
    def r2(self) -> R2 | None:
        """The attachment store, or None when attachments are off."""
        if (
            self.cloudflare_r2_account_id is None
            or self.cloudflare_r2_access_key_id is None
            or self.cloudflare_r2_secret_access_key is None
            or self.cloudflare_r2_bucket_name is None
        ):
            return None
        default = f"https://{self.cloudflare_r2_account_id}.r2.cloudflarestorage.com"
        return R2(
            self.r2_endpoint_url or default,
            self.cloudflare_r2_bucket_name,
            self.cloudflare_r2_access_key_id,
            self.cloudflare_r2_secret_access_key,
        )

    @property
    def allowed_origins(self) -> list[str]:
        """Origins that may call the API from a browser without going through the frontend."""
        return [item.strip().rstrip("/") for item in self.cors_origins.split(",") if item.strip()]

    @property
    def connect_args(self) -> dict[str, str | int | None]:
        """Connection parameters as libpq parses them from DATABASE_URL."""
        return dict(conninfo_to_dict(self.database_url.get_secret_value()))


def describe(error: ValidationError) -> str:
    """One line that names each variable at fault, without any value."""
    problems = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(item["loc"][0]).upper() if item["loc"] else ""
        message = "is missing" if item["type"] == "missing" else item["msg"]
        if item["type"] != _FAULT:
            message = message[:1].lower() + message[1:]
        problems.append(f"{name} {message}".strip())
    return "configuration error: " + "; ".join(problems)


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()


def load_or_exit() -> Settings:
    """The settings, or one line on standard error and exit code 78."""
    try:
        return get_settings()
    except ValidationError as error:
        print(describe(error), file=sys.stderr)
        raise SystemExit(EXIT_CONFIG) from None
