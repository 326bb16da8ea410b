"""The items of a loop, and what its calls give together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import replace
from mlops.manifests.spec import Loop, Sequence

MAX_ITEMS = 100
_SHOWN = 40
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_FORMAT = re.compile(r"(?:[^%]|%%)*%[-+ 0#]{0,5}[0-9]{0,2}(?:\.[0-9]{1,2})?[dxXo](?:[^%]|%%)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a loop: a JSON value."""

    value: Any

    @property
    def text(self) -> str:
        """What `{{item}}` stands for: a text as it is, anything else as JSON."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)

    def field(self, name: str) -> str:
        """What `{{item.<name>}}` stands for. Raises ValueError."""
        if not isinstance(self.value, dict) or name not in self.value:
            raise ValueError(f"The item {shown(self.text, _SHOWN)} has no field {shown(name, _SHOWN)}.")
        return Item(self.value[name]).text

    @property
    def label(self) -> str:
        """Short and printable, for the name of its call."""
        text = self.text
        if isinstance(self.value, dict):
            text = ",".join(f"{key}:{Item(self.value[key]).text}" for key in sorted(self.value))
        text = "".join(char if char.isprintable() else " " for char in text[: _SHOWN + 1])
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def expand(loop: Loop, lookup: Callable[[str], str]) -> list[Item]:
    """The items of a loop in order. Raises ValueError for what is no list, or one of more than MAX_ITEMS."""
    if loop.items is not None:
        found = [Item(_filled(json.loads(text), lookup)) for text in loop.items]
    elif loop.param is not None:
        found = _of_param(replace(loop.param, lookup))
    else:
        found = [Item(text) for text in _numbers(loop.sequence or Sequence(), lookup)]
    if len(found) > MAX_ITEMS:
        raise ValueError(f"The loop has {len(found):,} items; at most {MAX_ITEMS} are allowed.")
    return found


def _filled(value: Any, lookup: Callable[[str], str]) -> Any:
    """Placeholders of an item's texts replaced."""
    if isinstance(value, str):
        return replace(value, lookup)
    if isinstance(value, list):
        return [_filled(each, lookup) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, lookup) for key, each in value.items()}
    return value


def _of_param(text: str) -> list[Item]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"withParam must be a JSON list, but is {shown(text, _SHOWN)!r}.") from error
    if not isinstance(values, list):
        raise ValueError(f"withParam must be a JSON list, but is {shown(text, _SHOWN)!r}.")
    return [Item(value) for value in values]


def _numbers(sequence: Sequence, lookup: Callable[[str], str]) -> list[str]:
    def whole(text: str) -> int:
        value = replace(text, lookup).strip()
        if not _WHOLE.fullmatch(value):
            raise ValueError(f"withSequence needs whole numbers, not {shown(value, _SHOWN)!r}.")
        return int(value)

    start = whole(sequence.start or "0")
    if sequence.end is not None:
        end = whole(sequence.end)
        step = 1 if end >= start else -1
        numbers = range(start, end + step, step)
    else:
        numbers = range(start, start + max(0, whole(sequence.count or "0")))
    if len(numbers) > MAX_ITEMS:
        raise ValueError(f"The loop has {len(numbers):,} items; at most {MAX_ITEMS} are allowed.")
    form = replace(sequence.format, lookup) if sequence.format else "%d"
    if not _FORMAT.fullmatch(form):
        raise ValueError(
            f"The format {shown(form, _SHOWN)!r} of withSequence must hold one %d, %x, %X or %o."
        )
    return [form % number for number in numbers]


def collected(values: Iterable[str]) -> str:
    """Texts as a JSON list: of their JSON values when all are lists or objects, else of the texts."""
    texts = list(values)
    try:
        parsed = [json.loads(text) for text in texts]
    except (ValueError, RecursionError):
        parsed = []
    is_plain = not parsed or not all(isinstance(value, list | dict) for value in parsed)
    return json.dumps(texts if is_plain else parsed, ensure_ascii=False)
