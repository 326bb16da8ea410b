"""What ONNX models say of themselves: real ones, old ones, broken ones and hostile ones."""

import random

import pytest

from mlops.formats import onnx
from tests.mlops.formats.files import Bytes, odd_onnx_model, onnx_model


def test_a_model_tells_operators_ports_and_size():
    found = onnx.read(Bytes(onnx_model(outputs=2)))
    assert found.opsets == (("ai.onnx", 17), ("ai.onnx.ml", 3))
    assert found.inputs == (("x", "float32", "[batch, 4]"),)
    assert found.outputs == (("y0", "float32", "[batch, ?]"), ("y1", "float32", "[batch, ?]"))
    assert (found.node_count, found.parameter_count, found.producer) == (2, 16, "tests 1")


def test_weights_are_no_inputs_and_nested_types_are_told():
    found = onnx.read(Bytes(odd_onnx_model()))
    assert found.inputs == (("text", "string", "[1]"),)
    assert found.outputs == (("probabilities", "sequence(map(int64, float32))", ""),)
    assert found.parameter_count == 2


def test_weights_are_not_read():
    source = Bytes(onnx_model(weights=1_000_000))
    assert onnx.read(source).parameter_count == 4_000_000
    assert source.asked < 200_000 < source.size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0" * 100,
        b"not a model",
        b"\x08\x07",  # a format and nothing else
        b"\xff" * 100,  # a number without end
        b"\x3a\xff\xff\xff\xff\x0f",  # a graph longer than the file
        onnx_model()[:-20],
        b"\x08\x07" + b"\x42\x02\x10\x11" + b"\x3a\x00",  # a graph without outputs
        b"\x08\x07\x3a\x50" + b"\x62\x4e\x12\x4c" + b"\x22\x4a" * 37 + b"\x22\x00",  # sequences in sequences
    ],
)
def test_what_is_no_model_is_refused_in_words(body):
    with pytest.raises(ValueError, match="it "):
        onnx.read(Bytes(body))


def test_no_damage_does_worse_than_a_refusal():
    chance = random.Random(7)
    whole = onnx_model()
    refused = 0
    for _ in range(500):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        try:
            onnx.read(Bytes(bytes(body)))
        except ValueError:
            refused += 1
    assert 0 < refused < 500


def test_endless_lists_end():
    many = b"\x08\x07" + b"".join(b"\x42\x05\x0a\x03%03d" % number for number in range(101))
    with pytest.raises(ValueError, match="more than 100 operator sets"):
        onnx.read(Bytes(many))
    ports = b"\x62\x00" * 1_001
    graph = b"\x3a" + bytes((len(ports) & 127 | 128, len(ports) >> 7)) + ports
    with pytest.raises(ValueError, match="more than 1,000 inputs or outputs"):
        onnx.read(Bytes(b"\x08\x07" + graph))
