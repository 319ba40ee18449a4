"""The process itself: start, migrations at start, SIGTERM."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.conftest import ANN, BACKEND, SECRET

START_SECONDS = 30


@contextmanager
def running(url: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m app` as the image runs it, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET,
             "PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/health", timeout=2).close()
                break
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise AssertionError(process.communicate()) from None
                time.sleep(0.1)
        yield process, address
    finally:
        process.kill()
        process.wait()


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The log of a process that was told to stop; every line must be JSON."""
    out, err = process.communicate(timeout=START_SECONDS)
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


def test_it_migrates_at_start_when_told_to(make_database: Callable[[], str]) -> None:
    url = make_database()
    with running(url, RUN_MIGRATIONS="1") as (process, address):
        with urllib.request.urlopen(f"{address}/api/health/ready", timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        log = finish(process)
    assert process.returncode == 0
    messages = [entry["message"] for entry in log]
    assert any(message.startswith("Running upgrade") for message in messages)
    assert messages.index("started") < messages.index("stopped")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM todo").fetchone() == (0,)


def test_sigterm_lets_a_request_finish(
    database_url: str,
    database: psycopg.Connection[Any],
    llm_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_TEST_SLOW_SECONDS", "3")  # read by the test server in this process
    answers: list[Any] = []

    def ask(address: str) -> None:
        request = urllib.request.Request(
            f"{address}/api/chat",
            data=json.dumps({"message": "hello"}).encode(),
            headers={**ANN, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            answers.append(json.load(answer))

    environment = {
        "LLM_PROVIDER": "openai",
        "OPENAI_API_KEY": "sk-test-slow",
        "OPENAI_BASE_URL": llm_url,
    }
    with running(database_url, **environment) as (process, address):
        thread = threading.Thread(target=ask, args=(address,))
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        # The user's message is stored before the model is asked.
        while database.execute("SELECT count(*) FROM chat_message").fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        log = finish(process)
        thread.join(START_SECONDS)
    assert process.returncode == 0
    assert answers[0]["reply"] == "Test model: you said: hello"
    assert log[-1]["message"].startswith("Finished server process")
    assert "sk-test-slow" not in json.dumps(log)
    assert SECRET not in json.dumps(log)


def test_sigterm_while_waiting_for_the_database() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://todo:hunter2@127.0.0.1:{closed.getsockname()[1]}/todo"
        process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=BACKEND,
            env={"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET, "RUN_MIGRATIONS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        while first["message"] != "waiting for the database":
            first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert "hunter2" not in rest
