"""The schema: made, unmade, made by two at once, and equal to the models."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

Alembic = Callable[..., subprocess.CompletedProcess[str]]

# As better-auth 1.6.0 and 1.7.7 list them (`getMigrations`, PostgreSQL, e-mail and password).
BETTER_AUTH = {
    "user": "id name email emailVerified image createdAt updatedAt",
    "session": "id expiresAt token createdAt updatedAt ipAddress userAgent userId",
    "account": "id accountId providerId userId accessToken refreshToken idToken "
    "accessTokenExpiresAt refreshTokenExpiresAt scope password createdAt updatedAt",
    "verification": "id identifier value expiresAt createdAt updatedAt",
}


def test_the_models_match_the_migrations(alembic: Alembic, database_url: str) -> None:
    done = alembic(database_url, "check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_better_auths_columns(database: psycopg.Connection[Any]) -> None:
    for table, columns in BETTER_AUTH.items():
        found = database.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
            (table,),
        )
        assert {row[0] for row in found} == set(columns.split())


def test_down_and_up_again(alembic: Alembic, make_database: Callable[[], str]) -> None:
    url = make_database()
    for step in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        done = alembic(url, *step)
        assert done.returncode == 0, done.stderr


def test_two_at_once_take_turns(alembic: Alembic, make_database: Callable[[], str]) -> None:
    url = make_database()
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _: alembic(url, "upgrade", "head"), range(3)))
    assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]
    upgrades = "".join(run.stdout for run in runs).count("Running upgrade")
    assert upgrades == 2


def test_a_refusal_ends_at_once_and_stays_secret(alembic: Alembic, database_url: str) -> None:
    # The private cluster trusts every password, so an unknown role stands for a refused one.
    address = database_url.rpartition("@")[2]
    done = alembic(f"postgresql://nobody:hunter2@{address}", "upgrade", "head")
    assert done.returncode == 1
    assert "database unreachable" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
