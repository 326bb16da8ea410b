"""Tensors of the Open Inference Protocol: datatypes, and arrays out of JSON values and raw bytes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from refusals import Refused, shown

# BYTES are texts here: arrays of str objects.
TYPES: dict[str, np.dtype] = {
    "BOOL": np.dtype(np.bool_),
    **{
        f"{sign}INT{bits}": np.dtype(f"{sign.lower()}int{bits}")
        for sign in ("U", "")
        for bits in (8, 16, 32, 64)
    },
    **{f"FP{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    "BYTES": np.dtype(object),
}
MOST_DIMENSIONS = 16
# No array is longer; products of such lengths can still be written down.
MOST_LENGTH = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Spec:
    """An input or output of a model. shape: -1 is any length. features: names of a row's values, if known."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    features: tuple[str, ...] = ()


def flatten(data: list, name: str) -> tuple[list, list[int]]:
    """The values of nested lists, row by row, and the lengths of the levels. Raises Refused when ragged."""
    lengths = [len(data)]
    while data and type(data[0]) is list:
        widths = {len(part) if type(part) is list else -1 for part in data}
        if len(widths) > 1:
            raise Refused(400, f"Tensor {shown(name)}: its rows are not all of one length.")
        lengths.append(widths.pop())
        if len(lengths) > MOST_DIMENSIONS:
            raise Refused(400, f"Tensor {shown(name)}: more than {MOST_DIMENSIONS} dimensions.")
        data = list(itertools.chain.from_iterable(data))
    return data, lengths


def from_values(values: list, datatype: str, name: str) -> np.ndarray:
    """A flat array of JSON values. null is NaN among floating point numbers. Raises Refused."""
    kinds = set(map(type, values))
    if datatype == "BYTES":
        if kinds <= {str}:
            array = np.empty(len(values), object)
            array[:] = values
            return array
        raise Refused(400, f"Tensor {shown(name)}: BYTES are texts, and {_first(values, {str})} is none.")
    if datatype == "BOOL":
        if kinds <= {bool} or (kinds <= {bool, int} and set(values) <= {0, 1}):
            return np.array(values, np.bool_)
        raise Refused(
            400, f"Tensor {shown(name)}: BOOL values are true and false, not {_first(values, {bool})}."
        )
    allowed = {int, float, type(None)} if datatype.startswith("FP") else {int, float}
    if not kinds <= allowed:
        raise Refused(400, f"Tensor {shown(name)}: {_first(values, allowed)} is no {datatype} number.")
    if "INT" in datatype and float in kinds:
        broken = next((one for one in values if type(one) is float and not one.is_integer()), None)
        if broken is not None:
            raise Refused(400, f"Tensor {shown(name)}: {shown(broken)} is no {datatype} number.")
        values = [int(one) for one in values]
    try:
        return np.array(values, TYPES[datatype])
    except (OverflowError, ValueError) as error:
        raise Refused(400, f"Tensor {shown(name)}: a number is too large for {datatype}.") from error


def _first(values: list, allowed: set[type]) -> str:
    """The first value of another type, as it stands in a message."""
    return shown(next(one for one in values if type(one) not in allowed), 60)


def from_bytes(raw: memoryview, datatype: str, count: int, name: str) -> np.ndarray:
    """A flat array of raw little-endian bytes; texts each with their length before them. Raises Refused."""
    if datatype == "BYTES":
        return _texts(raw, count, name)
    wanted = count * (1 if datatype == "BOOL" else TYPES[datatype].itemsize)
    if len(raw) != wanted:
        raise Refused(400, f"Tensor {shown(name)}: {len(raw):,} bytes were sent, its shape needs {wanted:,}.")
    if datatype == "BOOL":
        return np.frombuffer(raw, np.uint8) != 0
    return np.frombuffer(raw, TYPES[datatype].newbyteorder("<"))


def _texts(raw: memoryview, count: int, name: str) -> np.ndarray:
    # Each text takes four bytes at least: a count that lies must not make an array.
    if count * 4 > len(raw):
        raise Refused(400, f"Tensor {shown(name)}: {len(raw):,} bytes cannot hold {count:,} texts.")
    array, at = np.empty(count, object), 0
    for number in range(count):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        if at + 4 > len(raw) or end > len(raw):
            raise Refused(400, f"Tensor {shown(name)}: text {number + 1} reaches past the end of the data.")
        try:
            array[number] = str(raw[at + 4 : end], "utf-8")
        except UnicodeDecodeError as error:
            raise Refused(400, f"Tensor {shown(name)}: text {number + 1} is not UTF-8.") from error
        at = end
    if at != len(raw):
        raise Refused(
            400, f"Tensor {shown(name)}: {len(raw) - at:,} bytes are left over after {count:,} texts."
        )
    return array


def checked_shape(shape: Any, name: str) -> tuple[list[int], int]:
    """A request's shape and its product. Raises Refused unless it is a list of whole numbers from 1 on."""
    if type(shape) is not list or not set(map(type, shape)) <= {int}:
        raise Refused(400, f"Tensor {shown(name)}: its shape must be a list of whole numbers.")
    if len(shape) > MOST_DIMENSIONS:
        raise Refused(400, f"Tensor {shown(name)}: more than {MOST_DIMENSIONS} dimensions.")
    if shape and min(shape) < 1:
        raise Refused(400, f"Tensor {shown(name)}: its shape {shown(shape)} must hold numbers from 1 on.")
    if shape and max(shape) > MOST_LENGTH:
        raise Refused(400, f"Tensor {shown(name)}: its shape {shown(shape)} is longer than any tensor.")
    return shape, math.prod(shape)


def fitting(spec: Spec, array: np.ndarray, shape: Sequence[int], datatype: str) -> np.ndarray:
    """The array as the model's input wants it. shape: the product is the array's length. Raises Refused."""
    if len(shape) != len(spec.shape) or any(
        wanted not in (-1, given) for wanted, given in zip(spec.shape, shape, strict=True)
    ):
        wanted = list(spec.shape)
        raise Refused(
            400, f"Tensor {shown(spec.name)}: the model wants the shape {wanted}, not {shown(list(shape))}."
        )
    if datatype != spec.datatype:
        array = _cast(array, datatype, spec)
    return array.reshape(shape)


def _cast(array: np.ndarray, datatype: str, spec: Spec) -> np.ndarray:
    """Numbers become the model's numbers: whole ones any that hold them, broken ones other broken ones."""
    target = TYPES[spec.datatype]
    if (
        "BYTES" in (datatype, spec.datatype)
        or spec.datatype == "BOOL"
        or (array.dtype.kind, target.kind)
        in (
            ("f", "i"),
            ("f", "u"),
        )
    ):
        raise Refused(
            400,
            f"Tensor {shown(spec.name)}: the model wants {spec.datatype}, which {datatype} cannot become.",
        )
    if target.kind in "iu" and array.dtype.kind in "iu":
        bounds = np.iinfo(target)
        if int(array.min()) < bounds.min or int(array.max()) > bounds.max:
            raise Refused(400, f"Tensor {shown(spec.name)}: a number is too large for {spec.datatype}.")
    return array.astype(target)


def to_bytes(array: np.ndarray, datatype: str) -> bytes:
    """Raw little-endian bytes; texts each with their length before them."""
    if datatype != "BYTES":
        return np.ascontiguousarray(array, TYPES[datatype].newbyteorder("<")).tobytes()
    parts = [text.encode("utf-8", "surrogatepass") for text in array.ravel().tolist()]
    return b"".join(part for text in parts for part in (len(text).to_bytes(4, "little"), text))
