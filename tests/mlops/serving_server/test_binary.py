"""Raw bytes after the JSON, in requests and answers."""

import json
import struct

import httpx
import numpy as np
import pytest

from tests.mlops.serving_server.graphs import ROW

FLOATS = np.array(ROW, "<f4").tobytes()


def post(server, request, raw=b"", length=None):
    head = json.dumps(request).encode()
    headers = {"Inference-Header-Content-Length": str(len(head) if length is None else length)}
    return server.client.post("/v2/models/m/infer", content=head + raw, headers=headers)


def sent(name, datatype, shape, size):
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}


def texts(*values):
    return b"".join(struct.pack("<I", len(one)) + one for one in values)


def test_request_and_answer_as_bytes(classifier):
    outputs = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "label"}]
    answer = post(classifier, {"inputs": [sent("x", "FP32", [1, 4], 16)], "outputs": outputs}, FLOATS)
    length = int(answer.headers["Inference-Header-Content-Length"])
    head, raw = json.loads(answer.content[:length]), answer.content[length:]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert head["outputs"][0]["parameters"] == {"binary_data_size": 12}
    assert head["outputs"][1]["data"] == [2]
    assert np.frombuffer(raw, "<f4").argmax() == 2


def test_answer_is_json_unless_an_output_asks(classifier):
    request = {"inputs": [sent("x", "FP32", [1, 4], 16)], "parameters": {"binary_data_output": True}}
    answer = post(classifier, request, FLOATS)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["outputs"][0]["data"] == [2]


def test_every_type_there_and_back(typed):
    raw = {
        **{f"INT{bits}": np.array([-2, 3], f"<i{bits // 8}").tobytes() for bits in (8, 16, 32, 64)},
        **{f"UINT{bits}": np.array([2, 3], f"<u{bits // 8}").tobytes() for bits in (8, 16, 32, 64)},
        **{f"FP{bits}": np.array([np.nan, np.inf], f"<f{bits // 8}").tobytes() for bits in (16, 32, 64)},
        "BOOL": b"\1\0",
        "BYTES": texts(b"", "Zürich".encode()),
    }
    inputs = [sent(name, name, [2], len(part)) for name, part in raw.items()]
    outputs = [{"name": f"{name}_out", "parameters": {"binary_data": True}} for name in raw]
    answer = post(typed, {"inputs": inputs, "outputs": outputs}, b"".join(raw.values()))
    length = int(answer.headers["Inference-Header-Content-Length"])
    assert answer.content[length:] == b"".join(raw.values())


@pytest.mark.parametrize(
    ("given", "raw", "reason"),
    [
        (sent("x", "FP32", [1, 4], 12), FLOATS[:12], "'x': 12 bytes were sent, its shape needs 16"),
        (sent("x", "FP32", [1, 4], 99), FLOATS, "'x': binary_data_size 99 is not within the 16 bytes"),
        (sent("x", "FP32", [1, 4], -1), FLOATS, "'x': binary_data_size -1 is not within"),
        (sent("x", "FP32", [1, 4], "16"), FLOATS, "'x': binary_data_size '16' is not within"),
        (sent("x", "FP32", [1, 4], 16), FLOATS + b"more", "4 bytes after the JSON belong to no tensor"),
        (sent("x", "FP32", [1, 4], 16) | {"data": ROW}, FLOATS, "'x': it has both data and binary_data_size"),
        (sent("x", "FP32", [2**60, 4], 16), FLOATS, "'x': 16 bytes were sent, its shape needs"),
        (sent("x", "FP32", [1, 4], 16) | {"parameters": []}, FLOATS, "'x': its data must be a list"),
        (sent("x", "FP32", [1, 4], 16) | {"parameters": 7}, FLOATS, "'x': its parameters must be an object"),
    ],
)
def test_wrong_lengths_name_the_tensor(classifier, given, raw, reason):
    answer = post(classifier, {"inputs": [given]}, raw)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("raw", "count", "reason"),
    [
        (texts(b"a"), 2, "5 bytes cannot hold 2 texts"),
        (texts(b"a"), 10**12, "5 bytes cannot hold 1,000,000,000,000 texts"),
        (struct.pack("<I", 2**32 - 1) + b"a", 1, "text 1 reaches past the end"),
        (texts(b"abcdefgh", b"")[:-2], 2, "text 2 reaches past the end"),
        (texts(b"a", b"b"), 1, "5 bytes are left over after 1 texts"),
        (texts(b"\xff"), 1, "text 1 is not UTF-8"),
    ],
)
def test_texts_that_lie(typed, raw, count, reason):
    answer = post(typed, {"inputs": [sent("BYTES", "BYTES", [count], len(raw))]}, raw)
    assert answer.status_code == 400
    assert f"'BYTES': {reason}" in answer.json()["error"]


@pytest.mark.parametrize("length", ["0", "99999", "-1", "1e3", "9" * 5000, "x"])
def test_header_that_lies(classifier, length):
    answer = post(classifier, {"inputs": []}, length=length)
    assert (answer.status_code, "Inference-Header-Content-Length" in answer.json()["error"]) == (400, True)


def test_large_answers_come_whole(classifier):
    rows = 50_000
    raw = np.tile(np.array(ROW, "<f4"), rows).tobytes()
    request = {"inputs": [sent("x", "FP32", [rows, 4], len(raw))]}
    data = post(classifier, request, raw).json()["outputs"]
    assert [len(one["data"]) for one in data] == [rows, rows * 3]
    assert set(data[0]["data"]) == {2}
    assert isinstance(classifier.client, httpx.Client)
