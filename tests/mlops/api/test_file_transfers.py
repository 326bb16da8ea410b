"""Files over a real connection: streamed, counted, and nobody holds a thread by being slow."""

import os
import shutil
import socket

import httpx
import pytest

from mlops import storage
from mlops.domain import dataset_files
from tests.mlops.api.clients import caller
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

MIB = 1024 * 1024
FILES = "/v2/lm/dataset/files/default"


@pytest.fixture
def server(web, transactional_db, red, settings):
    """A running web server; red's store is empty before and after."""
    yield web
    shutil.rmtree(settings.LAUNCHPAD_DATA / "stores" / red.workspace_id / red.slug, ignore_errors=True)


@pytest.fixture
def client(server, red):
    """An HTTP client with an editor's token of red."""
    headers = {"Authorization": f"Bearer {caller(red).token}", "AI-Resource-Group": "red"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=120) as made:
        yield made


def megabytes(count):
    return (os.urandom(1024) * 1024 for _ in range(count))


def begun(server, client, method, name, more=""):
    """A connection on which a request has been begun. more: further lines of its head."""
    tokens = "".join(f"{key}: {client.headers[key]}\r\n" for key in ("Authorization", "AI-Resource-Group"))
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=120)
    head = f"{method} {FILES}/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n{tokens}{more}\r\n"
    connection.sendall(head.encode())
    return connection


def test_files_come_in_chunks_or_with_a_length_and_go_out_whole(client, settings):
    before = list((settings.LAUNCHPAD_DATA / "tmp").iterdir())
    body = b"".join(megabytes(30))
    assert client.put(f"{FILES}/a", content=body).status_code == 201
    parts = (body[at : at + MIB] for at in range(0, len(body), MIB))
    assert client.put(f"{FILES}/b", content=parts).status_code == 201
    for name in ("a", "b"):
        found = client.get(f"{FILES}/{name}")
        assert found.headers["content-length"] == str(len(body))
        assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.content == body
    assert list((settings.LAUNCHPAD_DATA / "tmp").iterdir()) == before


def test_what_is_too_large_is_refused_with_and_without_a_length(server, client, red):
    with begun(
        server, client, "PUT", "a", f"Content-Length: {dataset_files.BYTES_LIMIT + 1}\r\n"
    ) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"
    counted = client.put(f"{FILES}/a", content=megabytes(101))
    assert (counted.status_code, counted.json()["error"]["code"]) == (413, "01010413")
    assert client.put(f"{FILES}/a", content=megabytes(100)).status_code == 201
    assert storage.open_store(red).size("a") == (dataset_files.BYTES_LIMIT, 1)


def test_an_upload_that_ends_too_early_leaves_nothing(server, client, red):
    with begun(server, client, "PUT", "a", f"Content-Length: {20 * MIB}\r\n") as connection:
        connection.sendall(b"x" * 10 * MIB)
    assert client.get(f"{FILES}/a").status_code == 404
    assert not storage.open_store(red).exists("a")


def test_strangers_are_refused_before_they_fill_anything(server):
    with httpx.Client(base_url=server.url, timeout=120) as stranger:
        for headers in ({}, {"Authorization": "Bearer no-token"}):
            told = stranger.put(f"{FILES}/a", content=megabytes(9), headers=headers)
            assert told.status_code == 401
            assert stranger.get(f"{FILES}/a", headers=headers).status_code == 401


def test_readers_that_take_nothing_hold_no_thread(server, client, red):
    storage.open_store(red).write("large", megabytes(40))
    said = len(server.output())
    lazy = []
    try:
        # More than there are threads for answers.
        for _ in range(20):
            lazy.append(begun(server, client, "GET", "large"))
            assert lazy[-1].recv(12) == b"HTTP/1.1 200"
        assert client.get("/v2/lm/scenarios").status_code == 200
        assert len(client.get(f"{FILES}/large").content) == 40 * MIB
    finally:
        for connection in lazy:
            connection.close()
    until(lambda: client.get("/v2/lm/scenarios").status_code == 200)
    assert "Traceback" not in server.output()[said:]
