"""What a hostile or broken client may send: it is refused, and the server lives on in the same memory."""

import contextlib
import socket
import threading

import pytest

from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.graphs import ROW
from tests.mlops.serving_server.process import tensor
from tests.waiting import until

MEBIBYTE = 1024 * 1024


@pytest.fixture
def small(start, tmp_path):
    """A server that takes a mebibyte within a second."""
    model = graphs.classifier(tmp_path / "model.onnx")
    return start(model, "--body-limit-bytes", MEBIBYTE, "--body-seconds", 1).ready()


@pytest.fixture
def raw(small):
    """Send bytes; everything that comes back until the server closes."""

    def send(*parts):
        with _line(small) as line:
            try:
                for part in parts:
                    line.sendall(part)
                return b"".join(iter(lambda: line.recv(65536), b""))
            except ConnectionError:
                return b""

    return send


def head(*more, path="/v2/models/m/infer"):
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: m", "Connection: close", *more, "", "")).encode()


def _line(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=120)


def alive(server):
    return server.outputs(tensor("x", "FP32", [1, 4], ROW))["label"] == [2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'"text"',
        b"[]",
        b"null",
        b"[" * 900_000,
        b'{"inputs":' + b"[" * 900_000,
        b'{"a":' * 150_000,
        b'{"inputs": ' + b"9" * 900_000 + b"}",
        b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[' + b"9" * 5000 + b",1,1,1]}]}",
        b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":' + b"[" * 500 + b"]" * 500 + b"}]}",
        b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1e400,4],"data":[1]}]}',
        *(
            b'{"inputs":[{"name":"x","datatype":"%b","shape":[%b,%b],"parameters":{"binary_data_size":0}}]}'
            % (datatype, b"9" * 4000, b"9" * 4000)
            for datatype in (b"FP32", b"BYTES")
        ),
        b'{"inputs":[{"name":"\\ud800","datatype":"FP32","shape":[1,4],"data":[1]}]}',
    ],
)
@pytest.mark.parametrize("path", ["/v2/models/m/infer", "/v1/predict"])
def test_bodies_that_are_no_request(classifier, path, body):
    answer = classifier.client.post(path, content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert alive(classifier)


def test_millions_of_lists(classifier):
    before = classifier.memory_mb()
    answer = classifier.client.post(
        "/v2/models/m/infer", content=b'{"inputs":[' + b"[]," * 1_000_001 + b"1]}"
    )
    assert "more than 1,000,000 lists" in answer.json()["error"]
    assert classifier.memory_mb() < before + 50


def test_numbers_json_does_not_know(classifier):
    body = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[NaN,Infinity,-1e999,1]}]}'
    answer = classifier.client.post("/v2/models/m/infer", content=body)
    assert answer.status_code == 200
    assert answer.json()["outputs"][1]["data"] == [None] * 3


def test_names_that_break_json_come_back_whole(classifier):
    said = classifier.infer(tensor("x", "FP32", [1, 4], ROW), id='"},\u2028\x00é').json()
    assert said["id"] == '"},\u2028\x00é'


class TestSizes:
    def test_too_large_by_its_own_word(self, small):
        answer = small.client.post("/v2/models/m/infer", content=b" " * (MEBIBYTE + 1))
        assert (answer.status_code, "larger than 1,048,576 bytes" in answer.json()["error"]) == (413, True)
        assert alive(small)

    def test_too_large_without_a_word(self, small):
        def parts():
            for _ in range(40):
                yield b" " * 65536

        answer = small.client.post("/v2/models/m/infer", content=parts())
        assert answer.status_code == 413
        assert alive(small)

    def test_pieces_without_a_length(self, small):
        body = b'{"rows": [[1, 2, 3, 4]]}'
        answer = small.client.post(
            "/v1/predict", content=(body[at : at + 3] for at in range(0, len(body), 3))
        )
        assert answer.json()["predictions"][0]["label"] == 2

    def test_many_large_ones_at_once_are_told_to_come_again(self, small):
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(_line(small)) for _ in range(5)]
            for line in lines:
                line.sendall(head(f"Content-Length: {MEBIBYTE}") + b" ")
            answers = [line.recv(65536) for line in lines]
        assert sorted(answer[9:12] for answer in answers) == [b"408"] * 4 + [b"503"]
        assert alive(small)

    def test_headers_without_end(self, small, raw):
        before = small.memory_mb()
        filling = b"x-a: " + b"a" * 60_000 + b"\r\n"
        assert raw(b"GET / HTTP/1.1\r\n", *[filling] * 300) == b""
        assert raw(b"GET /" + b"a" * 20 * MEBIBYTE) == b""
        chunked = head("Transfer-Encoding: chunked") + b"1\r\n{\r\n0\r\n"
        assert b" 200 " not in raw(chunked, *[filling] * 300)
        assert small.memory_mb() < before + 20
        assert alive(small)


class TestTimes:
    def test_a_body_that_never_ends(self, raw, small):
        said = raw(head("Content-Length: 1000") + b"{")
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"was not whole within 1 s" in said
        assert alive(small)

    def test_a_head_that_never_ends(self, raw, small):
        assert raw(b"") == b""
        assert raw(b"GET /v2 HTTP/1.1\r\nHost: m\r\n") == b""
        assert alive(small)

    def test_a_client_that_leaves(self, small):
        for _ in range(20):
            with _line(small) as line:
                line.sendall(head("Content-Length: 100") + b"{")
        assert alive(small)
        assert len(small.output.splitlines()) == 1

    def test_a_reader_that_never_reads(self, small):
        body = (
            b'{"inputs":[{"name":"x","datatype":"INT8","shape":[40000,4],"data":['
            + b"1," * 159_999
            + b"1]}]}"
        )
        before = small.sockets()
        with _line(small) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.sendall(head(f"Content-Length: {len(body)}") + body)
            until(lambda: small.sockets() > before)
            until(lambda: small.sockets() == before)
        assert alive(small)


class TestHeaders:
    @pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip"])
    def test_compressed_bodies(self, classifier, encoding):
        answer = classifier.client.post("/v1/predict", content=b"{}", headers={"Content-Encoding": encoding})
        assert (answer.status_code, "Compressed" in answer.json()["error"]) == (415, True)

    @pytest.mark.parametrize(
        "request_head",
        [
            b"\x16\x03\x01\x02\x00",
            b"GET\r\n\r\n",
            head("Content-Length: -1"),
            head("Content-Length: 99999999999999999999999"),
            head("Content-Length: 5", "Content-Length: 6"),
            head("Content-Length: 5", "Transfer-Encoding: chunked"),
            head("Transfer-Encoding: chunked") + b"ffffffffffffffffff\r\n",
        ],
    )
    def test_http_that_is_none(self, raw, small, request_head):
        said = raw(request_head)
        assert said == b"" or said[9:12] in (b"400", b"413")
        assert alive(small)

    def test_a_path_of_anything(self, classifier):
        for path in ("/v2/models/%2e%2e/infer", "/v2/models/%ff", "/%00", "/v2/models/" + "m" * 5000):
            assert classifier.client.get(path).status_code == 404


def test_small_requests_are_answered_beside_a_large_one(start, tmp_path):
    server = start(graphs.heavy(tmp_path / "model.onnx")).ready()
    # The first run tells what this model costs.
    server.outputs(tensor("x", "INT64", [1], [20]))
    answered = threading.Event()

    def ask():
        server.outputs(tensor("x", "INT64", [1], [150]))
        answered.set()

    asking = threading.Thread(target=ask)
    asking.start()
    beside = 0
    while not answered.is_set():
        beside += server.status("/v2/health/ready") == 200
    asking.join()
    assert beside >= 10
