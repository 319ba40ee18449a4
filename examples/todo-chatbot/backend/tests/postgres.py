"""A real PostgreSQL for the tests.

TEST_DATABASE_URL names one (its user must be allowed to create databases). Otherwise a private
cluster is started from the machine's own binaries in a temporary directory and removed afterwards.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

START_SECONDS = 60


def find_binaries() -> Path | None:
    """The directory of the newest initdb, or None. Not on Windows: give TEST_DATABASE_URL there."""
    if os.name == "nt":
        return None
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(versions, key=lambda path: int(path.parts[4]), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root: give up root for its processes."""
    if os.geteuid() != 0:
        return {}
    import pwd  # not on Windows

    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("running as root and there is no user that could run PostgreSQL")


@contextmanager
def private_cluster(binaries: Path) -> Iterator[str]:
    """The URL of a new cluster that ends with the block."""
    identity = _unprivileged()
    directory = Path(tempfile.mkdtemp(prefix="todo-postgres-"))
    if identity:
        os.chown(directory, identity["user"], identity["group"])  # type: ignore[arg-type]
    data, port = directory / "data", _free_port()
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": directory, **identity}
    server = None
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
             "--locale", "C", "--no-sync"],
            check=True, **quiet,
        )  # fmt: skip
        log = (directory / "log").open("w")
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-k", directory,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            **{**quiet, "stdout": log},
        )  # fmt: skip
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        _wait(url, server, directory / "log")
        yield url
    finally:
        if server is not None:
            server.terminate()
            server.wait(START_SECONDS)
        shutil.rmtree(directory, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text()}") from None
            time.sleep(0.1)
