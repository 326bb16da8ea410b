"""The items of a loop, and what its calls give together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mlops.manifests import loops
from mlops.manifests.nodes import shown
from mlops.manifests.spec import Loop

_SHOWN = 40


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
    """The items of a loop in order. Raises ValueError for what is no list, or one of more than 100."""
    return [Item(value) for value in loops.items(loop, lookup)]


def collected(values: Iterable[str]) -> str:
    """Texts as a JSON list: of their JSON values when all are lists or objects, else of the texts."""
    texts = list(values)
    try:
        parsed = [json.loads(text) for text in texts]
    except (ValueError, RecursionError):
        parsed = []
    is_plain = not parsed or not all(isinstance(value, list | dict) for value in parsed)
    return json.dumps(texts if is_plain else parsed, ensure_ascii=False)
