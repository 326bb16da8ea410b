"""What a model takes: its inputs with type and shape, from what is known of its file or its server says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "whole", "yes", "text"]
_MOST = 64
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
            return Signature(tuple(_input(one["name"], one["type"], _lengths(one["shape"])) for one in ports))
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
        features = tuple(map(str, names)) if isinstance(names, list) else ()
        inputs.append(_input(str(one.get("name", "")), str(one.get("datatype", "")), lengths, features))
    return Signature(tuple(inputs))


def _input(name: str, datatype: str, lengths: Sequence[int | None], features: tuple[str, ...] = ()) -> Input:
    kind = datatype.lower()
    number: Kind = "whole" if kind.startswith(("int", "uint")) else "number"
    return Input(name, _KINDS.get(kind, number), tuple(lengths), features)


def _lengths(shape: str) -> list[int | None]:
    """The lengths of a shape as `formats.onnx` writes it, such as `[N, 64]`; none for "" ."""
    parts = shape.strip("[]").split(",") if shape.strip("[]") else []
    return [int(one) if one.strip().isascii() and one.strip().isdecimal() else None for one in parts]
