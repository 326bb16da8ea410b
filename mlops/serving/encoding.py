"""JSON in and out: strict about what is read, and never long at a time where much is written."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson
from refusals import Refused

# Other threads get their turn between two slices; one is a few milliseconds of work.
SLICE = 20_000
# Lists cost many times the bytes they are written with.
MOST_LISTS = 1_000_000
# Nothing that is written holds itself, and looking for that costs as much as writing.
_strict = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_decoder = json.JSONDecoder()


def read(body: bytes | bytearray | memoryview) -> dict[str, Any]:
    """A JSON object. NaN, Infinity and -Infinity are taken as Python writes them. Raises Refused."""
    try:
        whole = bytes(body) if type(body) is memoryview else body
        if whole.count(b"[") + whole.count(b"{") > MOST_LISTS:
            raise Refused(400, f"The body has more than {MOST_LISTS:,} lists; send the data of tensors flat.")
        found = _quickly(whole)
    except UnicodeDecodeError as error:
        raise Refused(400, "The body is not UTF-8.") from error
    except RecursionError as error:
        raise Refused(400, "The body is nested too deeply.") from error
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}.") from error
    if type(found) is not dict:
        raise Refused(400, "The body must be a JSON object.")
    return found


def _quickly(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # The other one takes NaN and its kin, and says better what is wrong.
        return _decoder.decode(str(body, "utf-8"))


def to_json(value: Any) -> bytes:
    """JSON of texts, lists and dictionaries; numbers that JSON has no word for are null."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Whole numbers beyond 64 bits, or texts that are no UTF-8.
        return write(value).encode()


def write(value: Any) -> str:
    """The same as text."""
    try:
        return _strict.encode(value)
    except ValueError:
        return _strict.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def values(array: np.ndarray) -> str:
    """A JSON list of all values, row by row."""
    if array.size <= SLICE:
        return write(array.ravel().tolist())
    flat = array.ravel()
    slices = (write(flat[at : at + SLICE].tolist())[1:-1] for at in range(0, flat.size, SLICE))
    return f"[{','.join(slices)}]"
