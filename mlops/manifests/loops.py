"""The items that a loop comes to; used to lint a template and to carry it out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import replace
from mlops.manifests.spec import Loop, Sequence

MAX_ITEMS = 100
MAX_FORMAT = 100
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_FORMAT = re.compile(r"(?:[^%]|%%)*%[-+ 0#]{0,5}[0-9]{0,2}(?:\.[0-9]{1,2})?[dxXo](?:[^%]|%%)*", re.DOTALL)

Lookup = Callable[[str], str]


def items(loop: Loop, lookup: Lookup) -> list[Any]:
    """The items in order, JSON values with every placeholder filled in; 0 to 100 of them.

    Raises ValueError with a sentence when they are more, or are no list or numbers.
    """
    if loop.sequence is not None:
        return _numbers(loop.sequence, lookup)
    if loop.param is not None:
        found = _list(replace(loop.param, lookup))
    else:
        # Filled in after decoding, so that a value stays the text or part of a text that it is.
        found = [_filled(json.loads(item), lookup) for item in loop.items or ()]
    _bounded(len(found))
    return found


def _numbers(sequence: Sequence, lookup: Lookup) -> list[Any]:
    def whole(text: str) -> int:
        given = replace(text, lookup).strip()
        if not _WHOLE.fullmatch(given):
            raise ValueError(f"withSequence needs whole numbers, not {shown(given, 60)!r}.")
        return int(given)

    start = whole(sequence.start or "0")
    if sequence.end is not None:
        end = whole(sequence.end)
        step = 1 if end >= start else -1
        numbers = range(start, end + step, step)
    else:
        numbers = range(start, start + max(0, whole(sequence.count or "0")))
    _bounded(len(numbers))
    form = replace(sequence.format, lookup) if sequence.format else "%d"
    if len(form) > MAX_FORMAT or not _FORMAT.fullmatch(form):
        reason = "of withSequence must hold one %d, %x, %X or %o"
        raise ValueError(f"The format {shown(form, 60)!r} {reason}.")
    return [form % number for number in numbers]


def _bounded(count: int) -> None:
    if count > MAX_ITEMS:
        raise ValueError(f"The loop has {count:,} items; at most {MAX_ITEMS} are allowed.")


def _list(text: str) -> list[Any]:
    try:
        found = json.loads(text, parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise ValueError(f"withParam must be a JSON list, but is {shown(text, 60)!r}.")
    return found


def _refused(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _filled(value: Any, lookup: Lookup) -> Any:
    if isinstance(value, str):
        return replace(value, lookup)
    if isinstance(value, list):
        return [_filled(part, lookup) for part in value]
    if isinstance(value, dict):
        return {key: _filled(part, lookup) for key, part in value.items()}
    return value
