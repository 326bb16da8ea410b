"""Buckets: whole or not at all, never over another, whatever the server does; no sentence tells a secret."""

import os
import socket
import threading
from pathlib import Path

import psutil
import pytest

from launchpad.errors import Conflict, Invalid
from mlops.storage import Store
from mlops.storage.s3 import S3Bucket, S3Place, endpoint
from tests.buckets import S3Server
from tests.servers import free_port

MIB = 1024 * 1024
SECRET = "the secret key"


def opened(address: str, bucket: str, prefix: str = "") -> Store:
    place = S3Place(address, "eu-central-1", bucket, prefix, True, "the key id", SECRET)
    assert SECRET not in repr(place) and "key id" not in repr(place)
    return Store(S3Bucket(place), "results")


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.bucket()


@pytest.fixture
def store(s3: S3Server, bucket: str) -> Store:
    return opened(s3.endpoint, bucket)


def megabytes(count: int, letter: bytes = b"x"):
    return (letter * MIB for _ in range(count))


@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_any_number_of_parts_makes_one_object_and_leaves_no_other(count, store, s3, bucket, tmp_path):
    written = store.write("run/model", megabytes(count))
    assert written.size_bytes == count * MIB
    assert store.inspect("run/model") == written
    store.fetch("run/model", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == count * MIB
    assert s3.keys(bucket) == ["run/model"]


@pytest.mark.parametrize("count", [1, 20, 40])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_write_that_breaks_leaves_neither_object_nor_unfinished_upload(count, overwrite, store, s3, bucket):
    def broken():
        yield from megabytes(count)
        raise FileNotFoundError("the client went away")

    with pytest.raises(FileNotFoundError, match="client"):
        store.write("data/big", broken(), overwrite=overwrite)
    assert s3.keys(bucket) == []


@pytest.mark.parametrize("count", [1, 20])
def test_an_object_that_another_program_made_meanwhile_stays(count, store, s3, bucket):
    def chunks():
        yield from megabytes(count)
        s3.put(bucket, "data", b"theirs")

    with pytest.raises(Conflict, match="stored at ai://results/data already"):
        store.write("data", chunks())
    assert b"".join(store.open("data")) == b"theirs"
    assert s3.keys(bucket) == ["data"]


@pytest.mark.parametrize("count", [1, 20])
def test_of_two_writers_that_found_the_path_free_the_first_to_end_wins(count, store, s3, bucket):
    both_started = threading.Barrier(2, timeout=120)

    def chunks(letter: bytes, after: threading.Event):
        both_started.wait()
        yield from megabytes(count, letter)
        # This server checks a condition and acts on it in two steps, so the ends may not fall together.
        assert after.wait(120)

    ended, at_once = threading.Event(), threading.Event()
    at_once.set()

    def first() -> None:
        store.write("data", chunks(b"a", at_once))
        ended.set()

    writer = threading.Thread(target=first)
    writer.start()
    with pytest.raises(Conflict, match="already"):
        store.write("data", chunks(b"b", ended))
    writer.join()
    assert set(b"".join(store.open("data"))) == {ord("a")}
    assert s3.keys(bucket) == ["data"]


def test_what_is_too_large_to_be_copied_is_sent_again(store, s3, bucket, monkeypatch):
    monkeypatch.setattr("mlops.storage.s3.COPY_BYTES", 20 * MIB)
    written = store.write("large", megabytes(21))
    assert store.inspect("large") == written
    assert s3.keys(bucket) == ["large"]

    def chunks():
        yield from megabytes(21)
        s3.put(bucket, "taken", b"theirs")

    with pytest.raises(Conflict, match="already"):
        store.write("taken", chunks())
    assert store.size("taken") == (6, 1)
    assert s3.keys(bucket) == ["large", "taken"]


def test_a_prefix_is_a_store_of_its_own(s3, bucket):
    ours, theirs = opened(s3.endpoint, bucket, "teams/red"), opened(s3.endpoint, bucket, "teams/red-2")
    ours.write("data/a", [b"1"])
    theirs.write("data/b", [b"2"])
    assert s3.keys(bucket) == ["teams/red-2/data/b", "teams/red/data/a"]
    assert ours.top() == ["data"]
    assert [file.path for file in ours.files("data")] == ["a"]
    ours.delete_prefix("data")
    assert s3.keys(bucket) == ["teams/red-2/data/b"]


def test_lists_longer_than_a_page_are_complete(store, s3, bucket):
    for number in range(1005):
        s3.put(bucket, f"many/{number:04}", b"x")
    assert store.size("many") == (1005, 1005)
    assert [file.path for file in store.files("many")][-1] == "1004"
    store.delete_prefix("many")
    assert s3.keys(bucket) == []


def test_marks_that_consoles_leave_for_folders_are_no_files(store, s3, bucket, tmp_path):
    for key, body in (("data/", b""), ("data/sub/", b""), ("data/sub/a", b"A"), ("data/empty", b"")):
        s3.put(bucket, key, body)
    assert [file.path for file in store.files("data")] == ["empty", "sub/a"]
    assert store.top() == ["data"]
    store.fetch("data", tmp_path / "copy")
    assert (tmp_path / "copy" / "sub" / "a").read_bytes() == b"A"


def every_call(store: Store, folder: Path):
    yield lambda: store.exists("data")
    yield lambda: store.inspect("data")
    yield lambda: store.size("data")
    yield store.top
    yield lambda: store.files("data")
    yield lambda: store.open("data")
    yield lambda: store.beginning("data", 10)
    yield lambda: store.write("data", [b"x"])
    yield lambda: store.write("data", megabytes(20), overwrite=True)
    yield lambda: store.write_tree("data", [("a", [b"x"])])
    yield lambda: store.fetch("data", folder / "copy")
    yield lambda: store.delete_prefix("data")


def refused_everywhere(store: Store, folder: Path, words: str) -> None:
    """Every call ends in a sentence that names the store and tells no secret."""
    for call in every_call(store, folder):
        with pytest.raises(Conflict, match=words) as refused:
            call()
        assert "ai://results/" in refused.value.message
        assert "key" not in refused.value.message
        # Nothing that a traceback would show tells it either.
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


def test_a_server_that_is_not_there_is_told(tmp_path, settings):
    settings.S3_TIMEOUT_SECONDS = 0.5
    refused_everywhere(opened(f"http://127.0.0.1:{free_port()}", "bucket-1"), tmp_path, "did not answer")


def test_a_server_that_never_answers_holds_nobody(tmp_path, settings):
    settings.S3_TIMEOUT_SECONDS = 0.2
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        refused_everywhere(opened(address, "bucket-1"), tmp_path, "did not answer")


def test_a_missing_bucket_is_told(s3, tmp_path):
    store = opened(s3.endpoint, "no-such-bucket")
    assert not store.is_file("data")
    for call in (store.top, lambda: store.exists("data"), lambda: store.write("data", [b"x"])):
        with pytest.raises(Conflict, match="bucket does not exist"):
            call()


class Parrot(threading.Thread):
    """A server that answers every request with the same bytes and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(daemon=True)
        self.answer = answer
        self.heard: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(65536))
                connection.sendall(self.answer)

    def close(self) -> None:
        """Stop listening."""
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.join()


@pytest.fixture
def parrot():
    made: list[Parrot] = []

    def start(status: str, body: str) -> Parrot:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        made.append(Parrot(f"{head}{body}".encode()))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("403 Forbidden", "refused the credentials"),
        ("401 Unauthorized", "refused the credentials"),
        ("503 Slow Down", "status 503"),
        ("501 Not Implemented", "status 501"),
    ],
)
def test_a_server_that_refuses_is_told_without_what_it_repeats(status, words, parrot, tmp_path, settings):
    settings.S3_TIMEOUT_SECONDS = 0.5
    body = f"<Error><AWSAccessKeyId>the key id</AWSAccessKeyId><StringToSign>{SECRET}</StringToSign></Error>"
    store = opened(parrot(status, body).address, "bucket-1")
    for call in (store.top, lambda: list(store.files("data")), lambda: store.delete_prefix("data")):
        with pytest.raises(Conflict, match=words) as refused:
            call()
        assert "key" not in refused.value.message


def test_credentials_come_from_the_secret_alone(parrot, monkeypatch):
    for name, value in {
        "AWS_SESSION_TOKEN": "of the host",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "of the host",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    }.items():
        monkeypatch.setenv(name, value)
    server = parrot("404 Not Found", "")
    assert not opened(server.address, "bucket-1").is_file("data")
    (heard,) = server.heard
    assert heard.startswith(b"HEAD /bucket-1/data HTTP/1.1\r\n")
    assert b"Credential=the key id/" in heard
    assert b"of the host" not in heard
    assert SECRET.encode() not in heard


def test_a_server_that_dies_in_the_middle_of_a_download_is_told():
    server = S3Server()
    try:
        store = opened(server.endpoint, server.bucket())
        store.write("large", megabytes(30), overwrite=True)
        chunks = iter(store.open("large"))
        assert next(chunks)
        server.stop()
        with pytest.raises(Conflict, match="ai://results/large"):
            list(chunks)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("address", "full"),
    [
        ("", "https://s3.eu-central-1.amazonaws.com"),
        ("s3.example.com", "https://s3.example.com"),
        ("S3.Example.com:9000/", "https://s3.example.com:9000"),
        ("http://minio:9000", "http://minio:9000"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("[::1]:9000", "https://[::1]:9000"),
    ],
)
def test_endpoints_may_be_given_with_or_without_scheme(address, full):
    assert endpoint(address, use_https=True, region="eu-central-1") == full


def test_without_a_scheme_the_option_decides():
    assert endpoint("minio:9000", use_https=False, region="x") == "http://minio:9000"


@pytest.mark.parametrize(
    "address",
    [
        "ftp://minio",
        "file:///etc/passwd",
        "http://minio/path",
        "http://minio?x=y",
        "http://minio#x",
        "http://user:password@minio",
        "minio:0",
        "minio:65536",
        "minio:",
        "mi nio",
        "minio\n",
        "minio\0",
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "1.2.3.0x4",
        "größe",
        "[::1",
        "[minio]",
        "[1.2.3.4]x",
        "169.254.169.254",
        "http://169.254.169.254:80",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "x" * 300,
    ],
)
def test_what_is_no_endpoint_or_a_dangerous_one_is_refused(address):
    with pytest.raises(Invalid):
        endpoint(address, use_https=True, region="x")


def test_an_administrator_names_the_hosts_that_may_be_reached(settings):
    settings.S3_ENDPOINTS = ["minio:9000", "10.0.0.1", ".example.com"]
    for allowed in ("minio:9000", "10.0.0.1", "10.0.0.1:9000", "s3.example.com", "https://a.b.example.com:1"):
        assert endpoint(allowed, use_https=True, region="x")
    for other in ("minio", "minio:9001", "10.0.0.2", "example.com", "s3.example.com.evil.org", ""):
        with pytest.raises(Invalid, match="S3_ENDPOINTS"):
            endpoint(other, use_https=True, region="x")


@pytest.mark.slow
def test_two_gibibytes_pass_in_constant_memory(s3, bucket, settings):
    # This server is silent while it joins the parts of an upload, and on a busy machine for long.
    settings.S3_TIMEOUT_SECONDS = 600
    store = opened(s3.endpoint, bucket)
    process, peak = psutil.Process(), 0
    before = process.memory_info().rss

    def watched(chunks):
        nonlocal peak
        for chunk in chunks:
            peak = max(peak, process.memory_info().rss)
            yield chunk

    size = 2048 * MIB
    written = store.write("large", watched(os.urandom(4096) * 256 for _ in range(2048)))
    assert written.size_bytes == size
    assert store.size("large") == (size, 1)
    assert sum(len(chunk) for chunk in watched(store.open("large"))) == size
    assert peak - before < 256 * MIB
    assert s3.keys(bucket) == ["large"]
