"""What a model takes: its inputs with type and shape, from what is known of its file or its server says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["number", "whole", "yes", "text"]
# Of inputs, and of a shape's lengths.
_MOST = 64
_LONGEST = 2**63 - 1
_KINDS: dict[str, Kind] = {"string": "text", "bytes": "text", "bool": "yes"}


@dataclass(frozen=True)
class Input:
    """One input. shape: of a whole request, the rows first; None for a length that may be any.

    features: names of the values of a row where they are known.
    """

    name: str
    kind: Kind
    shape: tuple[int | None, ...]
    features: tuple[str, ...] = ()

    @property
    def row(self) -> tuple[int, ...] | None:
        """The shape of one row, None where a length is not fixed."""
        rest = self.shape[1:]
        fixed = tuple(length for length in rest if length is not None and length > 0)
        return fixed if len(fixed) == len(rest) else None

    @property
    def width(self) -> int | None:
        """How many values a row has, None where that is not fixed."""
        return None if self.row is None else math.prod(self.row)


@dataclass(frozen=True)
class Signature:
    """All inputs, in order; at least one."""

    inputs: tuple[Input, ...]


def of_facts(models: Sequence[Mapping[str, Any]]) -> Signature | None:
    """The signature of the first readable ONNX model of an artifact; None without one."""
    for model in models:
        if "error" not in model and 0 < len(model["inputs"]) <= _MOST:
            ports = model["inputs"]
            return _signature(_input(one["name"], one["type"], _lengths(one["shape"])) for one in ports)
    return None


def of_server(told: Any) -> Signature | None:
    """The signature that Launchpad's own server tells at /v1/signature; None for anything else."""
    listed = told.get("inputs") if isinstance(told, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        return None
    inputs = []
    for one in listed:
        if not isinstance(one, dict) or not isinstance(one.get("shape"), list):
            return None
        lengths = [size if isinstance(size, int) and size > 0 else None for size in one["shape"]]
        names = one.get("features")
        features = tuple(map(_text, names)) if isinstance(names, list) else ()
        inputs.append(_input(_text(one.get("name", "")), str(one.get("datatype", "")), lengths, features))
    return _signature(inputs)


def _signature(inputs: Iterable[Input]) -> Signature | None:
    """None where a shape is none that any tensor has: its product could not even be written down."""
    found = tuple(inputs)
    lengths = [one.shape for one in found]
    if any(len(shape) > _MOST or max(map(_known, shape), default=0) > _LONGEST for shape in lengths):
        return None
    return Signature(found)


def _known(length: int | None) -> int:
    return length or 0


def _text(value: Any) -> str:
    """As text that a page can hold: JSON may escape halves of characters."""
    return str(value).encode(errors="replace").decode()


def _input(name: str, datatype: str, lengths: Sequence[int | None], features: tuple[str, ...] = ()) -> Input:
    kind = datatype.lower()
    number: Kind = "whole" if kind.startswith(("int", "uint")) else "number"
    made = Input(name, _KINDS.get(kind, number), tuple(lengths), features)
    # Names that do not fit the values of a row name nothing.
    return made if len(set(features)) == made.width else replace(made, features=())


def _lengths(shape: str) -> list[int | None]:
    """The lengths of a shape as `formats.onnx` writes it, such as `[N, 64]`; none for "" ."""
    parts = shape.strip("[]").split(",") if shape.strip("[]") else []
    return [int(one) if one.strip().isascii() and one.strip().isdecimal() else None for one in parts]
