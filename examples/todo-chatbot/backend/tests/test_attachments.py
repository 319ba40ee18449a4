"""Attachments against a real S3 server (moto) in a process of its own thread."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.conftest import ANN, BOB
from tests.test_chat import say
from tests.test_todos import add

moto_server = pytest.importorskip("moto.server", reason="moto[server] is not installed")


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url: str) -> Iterator[Any]:
    resource = boto3.resource(
        "s3",
        endpoint_url=s3_url,
        aws_access_key_id="k",
        aws_secret_access_key="s",
        region_name="us-east-1",
    )
    bucket = resource.create_bucket(Bucket="todo-files")
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


def keys(url: str, **changes: Any) -> dict[str, Any]:
    return {
        "cloudflare_r2_account_id": "account",
        "cloudflare_r2_access_key_id": "k",
        "cloudflare_r2_secret_access_key": "hunter2",
        "cloudflare_r2_bucket_name": "todo-files",
        "r2_endpoint_url": url,
    } | changes


@pytest.fixture
def client(make_client: Callable[..., TestClient], s3_url: str, bucket: Any) -> TestClient:
    return make_client(**keys(s3_url))


def attach(
    client: TestClient,
    todo: dict[str, Any],
    name: str = "notes.txt",
    content: bytes = b"hello",
    kind: str = "text/plain",
) -> Any:
    path = f"/api/todos/{todo['id']}/attachments"
    return client.post(path, files={"file": (name, content, kind)}, headers=ANN)


def stored(bucket: Any) -> int:
    return len(list(bucket.objects.all()))


def test_the_life_of_a_file(client: TestClient, bucket: Any) -> None:
    assert client.get("/api/features").json()["attachments"] is True
    todo = add(client, "read notes")
    made = attach(client, todo, "notiz ä.txt", b"hello")
    assert made.status_code == 201
    file = made.json()
    expected = {"filename": "notiz ä.txt", "content_type": "text/plain", "size": 5}
    assert expected.items() <= file.items()
    path = f"/api/todos/{todo['id']}/attachments"
    assert client.get(path, headers=ANN).json() == [file]

    found = client.get(f"{path}/{file['id']}", headers=ANN)
    assert (found.status_code, found.content) == (200, b"hello")
    assert found.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''notiz%20%C3%A4.txt"
    )
    assert found.headers["x-content-type-options"] == "nosniff"
    assert stored(bucket) == 1

    assert client.delete(f"{path}/{file['id']}", headers=ANN).status_code == 204
    assert client.get(path, headers=ANN).json() == []
    assert client.get(f"{path}/{file['id']}", headers=ANN).status_code == 404
    assert stored(bucket) == 0


def test_a_large_file_travels_whole(client: TestClient) -> None:
    todo = add(client, "big")
    content = bytes(range(256)) * 4096 * 3
    file = attach(client, todo, "big.bin", content, "application/octet-stream").json()
    path = f"/api/todos/{todo['id']}/attachments/{file['id']}"
    assert client.get(path, headers=ANN).content == content


def test_a_second_user_reaches_no_file(client: TestClient, bucket: Any) -> None:
    todo = add(client, "mine")
    file = attach(client, todo).json()
    path = f"/api/todos/{todo['id']}/attachments"
    other = {"file": ("x", b"x", "text/plain")}
    assert client.get(path, headers=BOB).status_code == 404
    assert client.post(path, files=other, headers=BOB).status_code == 404
    for method in ("GET", "DELETE"):
        assert client.request(method, f"{path}/{file['id']}", headers=BOB).status_code == 404
    bobs = add(client, "bob's", BOB)
    crossed = f"/api/todos/{bobs['id']}/attachments/{file['id']}"
    assert client.get(crossed, headers=BOB).status_code == 404
    assert client.get(path).status_code == 401
    assert stored(bucket) == 1


@pytest.mark.parametrize("by_chat", [False, True])
def test_files_leave_with_their_todo(client: TestClient, bucket: Any, by_chat: bool) -> None:
    todo = add(client, "short lived")
    attach(client, todo)
    attach(client, todo, "two.txt")
    assert stored(bucket) == 2
    if by_chat:
        conversation = say(client, "delete short lived")["conversation_id"]
        assert stored(bucket) == 2
        say(client, "yes", conversation)
    else:
        client.delete(f"/api/todos/{todo['id']}", headers=ANN)
    assert stored(bucket) == 0


@pytest.mark.parametrize(
    ("name", "kind", "kept_name", "kept_kind"),
    [
        ("../../etc/passwd", "text/plain", ".._.._etc_passwd", "text/plain"),
        ("page.html", "text/html", "page.html", "text/html"),
        ("x", "nonsense", "x", "application/octet-stream"),
    ],
)
def test_names_and_types_are_harmless(
    client: TestClient, name: str, kind: str, kept_name: str, kept_kind: str
) -> None:
    todo = add(client, "odd")
    file = attach(client, todo, name, b"x", kind).json()
    assert (file["filename"], file["content_type"]) == (kept_name, kept_kind)
    found = client.get(f"/api/todos/{todo['id']}/attachments/{file['id']}", headers=ANN)
    assert found.headers["content-disposition"].startswith("attachment;")
    assert found.headers["content-security-policy"] == "sandbox"


def test_limits(make_client: Callable[..., TestClient], s3_url: str, bucket: Any) -> None:
    client = make_client(**keys(s3_url), attachment_max_bytes=2048)
    todo = add(client, "small")
    assert attach(client, todo, content=b"x" * 2048).status_code == 201
    assert attach(client, todo, content=b"x" * 2049).status_code == 413  # the file
    assert attach(client, todo, content=b"x" * 200_000).status_code == 413  # the body
    for _ in range(19):
        assert attach(client, todo).status_code == 201
    assert attach(client, todo).json()["error"]["code"] == "too_many_attachments"


def test_a_failing_store_becomes_a_sentence(
    make_client: Callable[..., TestClient],
    s3_url: str,
    bucket: Any,
    database: psycopg.Connection[Any],
) -> None:
    unknown = make_client(**keys(s3_url, cloudflare_r2_bucket_name="nowhere"))
    answer = attach(unknown, add(unknown, "x"))
    assert answer.status_code == 502
    assert "no such bucket" in answer.json()["error"]["message"]

    silent = make_client(**keys("http://127.0.0.1:9"))
    answer = attach(silent, add(silent, "x"))
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "store_failed"
    assert database.execute("SELECT count(*) FROM attachment").fetchone() == (0,)


def test_a_file_that_left_the_store(client: TestClient, bucket: Any) -> None:
    todo = add(client, "x")
    file = attach(client, todo).json()
    bucket.objects.all().delete()
    found = client.get(f"/api/todos/{todo['id']}/attachments/{file['id']}", headers=ANN)
    assert (found.status_code, found.json()["error"]["code"]) == (404, "file_gone")


def test_without_keys_there_is_no_trace(make_client: Callable[..., TestClient]) -> None:
    client = make_client()
    todo = add(client, "x")
    assert attach(client, todo).status_code == 404
    document = client.get("/api/openapi.json").json()
    names = [*document["paths"], *document["components"]["schemas"]]
    assert not [name for name in names if "attachment" in name.lower()]
    assert client.get("/api/features").json()["attachments"] is False
