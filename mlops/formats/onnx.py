"""ONNX models by their own words: opset, inputs and outputs, read past the weights without loading them.

Reads the protobuf wire format by itself: the format's own library loads whole models into memory and may
crash on hostile ones, and all that is told here are a few fields of `ModelProto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from mlops.formats.ranges import Ranges, Window

TEXT_LIMIT = 512
PORTS_LIMIT = 1_000
_DEPTH = 8
_OPSETS_LIMIT = 100
_NAMES_LIMIT = 100_000
_SIZES_LIMIT = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Tensors' element types by their number in TensorProto.DataType.
_TYPES = (
    *("undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool"),
    *("float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn"),
    *("float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1"),
)


class Port(NamedTuple):
    """An input or output. type: of the elements, or such as `sequence(float32)`. shape: "" if any."""

    name: str
    type: str
    shape: str


@dataclass(frozen=True)
class Model:
    """What a model says of itself. opsets: (domain, version), the domain "ai.onnx" for the standard's own.

    parameter_count: elements of the weights; node_count: operations of the main graph.
    """

    ir_version: int
    producer: str
    opsets: tuple[tuple[str, int], ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    node_count: int
    parameter_count: int


class _Field(NamedTuple):
    """number: of the field. value: of a number, else 0. start, end: of a text, message or list."""

    number: int
    wire: int
    value: int
    start: int
    end: int


@dataclass
class _Graph:
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    weights: set[str] = field(default_factory=set)
    nodes: int = 0
    parameters: int = 0


def read(source: Ranges) -> Model:
    """Read what a model says of itself. Raises ValueError with the end of a sentence about the file."""
    return _Reader(Window(source)).model()


class _Reader:
    def __init__(self, window: Window) -> None:
        self._window = window

    def model(self) -> Model:
        """The whole file."""
        ir_version, producer, graph = 0, ["", ""], None
        opsets: dict[str, int] = {}
        for one in self._fields(0, self._window.size):
            if one.number == 1 and one.wire == _VARINT:
                ir_version = one.value
            elif one.number in (2, 3) and one.wire == _BYTES:
                producer[one.number - 2] = self._text(one)
            elif one.number == 7 and one.wire == _BYTES:
                graph = self._graph(one, with_names=ir_version < 4)
            elif one.number == 8 and one.wire == _BYTES:
                domain, version = self._opset(one)
                if len(opsets) >= _OPSETS_LIMIT:
                    raise ValueError(f"it names more than {_OPSETS_LIMIT} operator sets")
                opsets[domain] = max(version, opsets.get(domain, 0))
        if not ir_version or graph is None or not opsets or not graph.outputs:
            raise ValueError("it has no graph with outputs, or does not say its format and operator set")
        return Model(
            ir_version,
            " ".join(filter(None, producer)),
            tuple(sorted(opsets.items())),
            # Up to the third version of the format weights are inputs too.
            tuple(port for port in graph.inputs if port.name not in graph.weights),
            tuple(graph.outputs),
            graph.nodes,
            graph.parameters,
        )

    def _fields(self, start: int, end: int) -> Iterator[_Field]:
        while start < end:
            key, start = self._varint(start, end)
            number, wire = key >> 3, key & 7
            value, length = 0, 0
            if wire == _VARINT:
                value, start = self._varint(start, end)
            elif wire == _BYTES:
                length, start = self._varint(start, end)
            elif wire in (_FIXED64, _FIXED32):
                length = 8 if wire == _FIXED64 else 4
            if wire not in (_VARINT, _FIXED64, _BYTES, _FIXED32) or not number or start + length > end:
                raise ValueError("it is no ONNX model, or was cut off")
            yield _Field(number, wire, value, start, start + length)
            start += length

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                break
            byte = self._window.read(at, 1)[0]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        raise ValueError("it is no ONNX model, or was cut off")

    def _text(self, one: _Field) -> str:
        length = min(one.end - one.start, TEXT_LIMIT)
        text = self._window.read(one.start, length).decode(errors="replace")
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _opset(self, message: _Field) -> tuple[str, int]:
        domain, version = "", 0
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _BYTES:
                domain = self._text(one)
            elif one.number == 2 and one.wire == _VARINT:
                version = min(one.value, 2**31)
        return domain or "ai.onnx", version

    def _graph(self, message: _Field, *, with_names: bool) -> _Graph:
        graph = _Graph()
        for one in self._fields(message.start, message.end):
            if one.wire != _BYTES:
                continue
            if one.number == 1:
                graph.nodes += 1
            elif one.number == 5:
                self._weights(one, graph, with_names=with_names)
            elif one.number in (11, 12):
                ports = graph.inputs if one.number == 11 else graph.outputs
                if len(ports) >= PORTS_LIMIT:
                    raise ValueError(f"it has more than {PORTS_LIMIT:,} inputs or outputs")
                ports.append(self._port(one))
        return graph

    def _weights(self, message: _Field, graph: _Graph, *, with_names: bool) -> None:
        """Count one tensor's elements; its sizes come first, so that the elements are not looked at."""
        sizes: list[int] = []
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _VARINT:
                if len(sizes) < _SIZES_LIMIT:
                    sizes.append(one.value)
            elif one.number == 1 and one.wire == _BYTES:
                at = one.start
                while at < one.end and len(sizes) < _SIZES_LIMIT:
                    size, at = self._varint(at, one.end)
                    sizes.append(size)
            elif one.number == 8 and with_names and one.wire == _BYTES:
                if len(graph.weights) < _NAMES_LIMIT:
                    graph.weights.add(self._text(one))
                break
            elif one.number > 2 and not with_names:
                break
        graph.parameters = min(graph.parameters + prod(sizes), 2**62)

    def _port(self, message: _Field) -> Port:
        name, kind, shape = "", "any", ""
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _BYTES:
                name = self._text(one)
            elif one.number == 2 and one.wire == _BYTES:
                kind, shape = self._type(one, 0)
        return Port(name, kind, shape)

    def _type(self, message: _Field, depth: int) -> tuple[str, str]:
        """An element type and a shape."""
        if depth > _DEPTH:
            raise ValueError("its types are nested too deeply")
        for one in self._fields(message.start, message.end):
            if one.wire != _BYTES:
                continue
            if one.number in (1, 8):
                return self._tensor(one)
            if one.number in (4, 9):
                inner = self._inner(one, depth)
                return f"{'sequence' if one.number == 4 else 'optional'}({inner})", ""
            if one.number == 5:
                return self._map(one, depth), ""
        return "any", ""

    def _inner(self, message: _Field, depth: int) -> str:
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _BYTES:
                return self._type(one, depth + 1)[0]
        return "any"

    def _map(self, message: _Field, depth: int) -> str:
        key, value = "any", "any"
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _VARINT:
                key = _element(one.value)
            elif one.number == 2 and one.wire == _BYTES:
                value = self._type(one, depth + 1)[0]
        return f"map({key}, {value})"

    def _tensor(self, message: _Field) -> tuple[str, str]:
        kind, shape = "any", ""
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _VARINT:
                kind = _element(one.value)
            elif one.number == 2 and one.wire == _BYTES:
                sizes = [self._size(dim) for dim in self._fields(one.start, one.end) if dim.wire == _BYTES]
                shape = f"[{', '.join(sizes[:32])}]"
        return kind, shape

    def _size(self, message: _Field) -> str:
        """One dimension: its size, its name, or ? where it may be any."""
        for one in self._fields(message.start, message.end):
            if one.number == 1 and one.wire == _VARINT:
                return str(one.value) if one.value < 2**63 else "?"
            if one.number == 2 and one.wire == _BYTES and one.end > one.start:
                return self._text(one)
        return "?"


def _element(number: int) -> str:
    return _TYPES[number] if number < len(_TYPES) else f"type {number}"
