"""JSON in and out: strict about what is read, and never long at a time where much is written."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
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
        text = str(body, "utf-8")
        if text.count("[") + text.count("{") > MOST_LISTS:
            raise Refused(400, f"The body has more than {MOST_LISTS:,} lists; send the data of tensors flat.")
        found = _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise Refused(400, "The body is not UTF-8.") from error
    except RecursionError as error:
        raise Refused(400, "The body is nested too deeply.") from error
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}.") from error
    if type(found) is not dict:
        raise Refused(400, "The body must be a JSON object.")
    return found


def write(value: Any) -> str:
    """JSON of texts, lists and dictionaries; numbers that JSON has no word for are null."""
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
