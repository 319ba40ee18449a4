"""What the environment may hold, and the one line when it holds something else."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import EXIT_CONFIG, Settings, describe
from tests.conftest import SECRET, run_python

URL = "postgresql://todo:hunter2@db.example:5432/todo"


def settings(**changes: Any) -> Settings:
    return Settings(**({"database_url": URL, "better_auth_secret": SECRET} | changes))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@h/d", {"host": "h", "dbname": "d", "user": "u", "password": "p"}),
        ("postgresql://u:p%40%2F@h:6543/d", {"port": "6543", "password": "p@/"}),
        (
            "postgresql://u:p@ep-cool-1-pooler.eu.aws.neon.tech/neondb"
            "?sslmode=require&channel_binding=require",
            {"sslmode": "require", "channel_binding": "require", "dbname": "neondb"},
        ),
        ("postgresql://u:p@h/d?options=endpoint%3Dep-1", {"options": "endpoint=ep-1"}),
    ],
)
def test_database_urls_are_read_as_libpq_does(url: str, expected: dict[str, str]) -> None:
    assert expected.items() <= settings(database_url=url).connect_args.items()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"database_url": "mysql://u:hunter2@h/d"}, "DATABASE_URL must start with"),
        ({"database_url": "postgresql://u:hunter2@/d"}, "DATABASE_URL names no host"),
        ({"database_url": "postgresql://u:hunter2@h"}, "DATABASE_URL names no database"),
        ({"database_url": "postgresql://u:hunter2@[h/d"}, "DATABASE_URL is not a PostgreSQL URL"),
        ({"database_url": f"{URL}?schema=public"}, 'invalid URI query parameter: "schema"'),
        ({"better_auth_secret": "hunter2"}, "BETTER_AUTH_SECRET must have at least 32 characters"),
        ({"better_auth_url": "localhost:3000"}, "BETTER_AUTH_URL must be an http"),
        ({"cors_origins": "http://a.example, b.example"}, "CORS_ORIGINS must be an http"),
        ({"cors_origins": "http://a.example/path"}, "CORS_ORIGINS must list origins"),
        ({"llm_provider": "clippy"}, "LLM_PROVIDER input should be 'rules', 'openai'"),
        ({"llm_provider": "openai"}, "OPENAI_API_KEY is missing: LLM_PROVIDER is openai"),
        ({"llm_provider": "gemini", "openai_api_key": "x"}, "GEMINI_API_KEY is missing"),
        (
            {"cloudflare_r2_account_id": "a", "cloudflare_r2_bucket_name": "b"},
            "CLOUDFLARE_R2_ACCESS_KEY_ID, CLOUDFLARE_R2_SECRET_ACCESS_KEY are missing",
        ),
        ({"run_migrations": "perhaps"}, "RUN_MIGRATIONS input should be a valid boolean"),
        ({"port": "70000"}, "PORT input should be less than or equal to 65535"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(changes: dict[str, str], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    text = describe(caught.value)
    assert text.startswith("configuration error: ")
    assert line in text
    assert "\n" not in text
    assert "hunter2" not in text


@pytest.mark.parametrize("module", [("-m", "app"), ("-m", "alembic", "upgrade", "head")])
def test_the_process_ends_with_one_line(module: tuple[str, ...]) -> None:
    ended = run_python(
        *module, DATABASE_URL="postgresql://u:hunter2@h", OPENAI_API_KEY="", LLM_PROVIDER="openai"
    )
    assert ended.returncode == EXIT_CONFIG
    assert ended.stdout == ""
    assert ended.stderr == (
        "configuration error: DATABASE_URL names no database; BETTER_AUTH_SECRET is missing\n"
    )


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_PROVIDER", "OPENAI_API_KEY", "CLOUDFLARE_R2_ACCOUNT_ID", "RUN_MIGRATIONS"):
        monkeypatch.setenv(name, "")
    found = settings()
    assert (found.llm_provider, found.r2, found.run_migrations) == ("rules", None, False)


@pytest.mark.parametrize(
    ("changes", "base_url", "model"),
    [
        ({"llm_provider": "openai"}, "https://api.openai.com/v1", "gpt-4o-mini"),
        ({"llm_provider": "openai", "openai_default_model": "m"}, "https://api.openai.com/v1", "m"),
        # The charts' default model is OpenAI's; the others keep their own.
        (
            {"llm_provider": "openrouter", "openai_default_model": "gpt-4o-mini"},
            "https://openrouter.ai/api/v1",
            "google/gemini-3.5-flash",
        ),
        (
            {"llm_provider": "openrouter", "openai_default_model": "openai/gpt-4o-mini"},
            "https://openrouter.ai/api/v1",
            "openai/gpt-4o-mini",
        ),
        (
            {"llm_provider": "gemini", "openai_default_model": "gpt-4o-mini"},
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "gemini-3.5-flash",
        ),
        (
            {"llm_provider": "gemini", "openai_base_url": "http://llm:8080/v1/"},
            "http://llm:8080/v1",
            "gemini-3.5-flash",
        ),
    ],
)
def test_endpoint_of_each_provider(changes: dict[str, str], base_url: str, model: str) -> None:
    keys = {"openai_api_key": "a", "openrouter_api_key": "b", "gemini_api_key": "c"}
    endpoint = settings(**keys, **changes).llm_endpoint
    assert endpoint is not None
    assert (endpoint.base_url, endpoint.model) == (base_url, model)
    wanted = {"openai": "a", "openrouter": "b", "gemini": "c"}[changes["llm_provider"]]
    assert endpoint.api_key.get_secret_value() == wanted


def test_secrets_do_not_show() -> None:
    shown = repr(settings(openai_api_key="sk-hunter2", openai_base_url="http://h"))
    assert "hunter2" not in shown
    assert SECRET not in shown
