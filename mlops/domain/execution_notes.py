"""What people say of an execution: its name, notes and labels, their rules, and how they are searched."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops.domain.limits import Check
from mlops.domain.text_search import folded
from mlops.models import Execution

NOTES_LIMIT = 5000
LABEL_LIMIT = 20
VALUE_LIMIT = 256
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\Z")
KEY_RULE = (
    "A label's key is 1 to 63 letters, digits, dots, hyphens, underscores and slashes, "
    "a letter or a digit first."
)


@dataclass(frozen=True)
class Said:
    """The three together, as they are stored. labels: {key, value} by key."""

    name: str
    notes: str
    labels: list[dict[str, str]]

    @property
    def search_text(self) -> str:
        """All of it, its case folded, "" for nothing."""
        labels = (f"{label['key']}={label['value']}" for label in self.labels)
        return folded("\n".join(part for part in (self.name, self.notes, *labels) if part))

    @property
    def version(self) -> str:
        """Tells whether somebody else changed it meanwhile."""
        text = json.dumps([self.name, self.notes, self.labels], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def of(execution: Execution) -> Said:
    """What is said of an execution now."""
    return Said(execution.name, execution.notes, execution.labels)


def checked(*, name: str, notes: str, labels: Sequence[tuple[str, str]]) -> Said:
    """The three as they may be stored.

    name: one line of up to 256 characters, or "". notes: up to 5,000 characters. labels: up to 20 pairs of
    a key, each once, and up to 256 characters on one line. Raises Invalid with a sentence for each field.
    """
    check = Check()
    if name.strip():
        name = check.name(name)
    check.text("notes", notes, label="The text", limit=NOTES_LIMIT)
    held: dict[str, str] = {}
    for key, value in labels:
        if not KEY.match(key):
            check.refuse("labels", f"{KEY_RULE} “{key[:80]}” is none.")
        elif key in held:
            check.refuse("labels", f"The label {key} is given twice.")
        elif any(unicodedata.category(letter) == "Cc" for letter in value):
            check.refuse("labels", f"The value of the label {key} has more than one line.")
        held[key] = check.text("labels", value, label="A label's value", limit=VALUE_LIMIT)
    if len(held) > LABEL_LIMIT:
        check.refuse("labels", f"{len(held)} labels are given; at most {LABEL_LIMIT} are allowed.")
    check.done()
    return Said(name.strip(), notes.strip(), [{"key": key, "value": held[key]} for key in sorted(held)])


def columns(said: Said) -> dict[str, Any]:
    """The columns of an execution that hold it."""
    return {
        "name": said.name,
        "notes": said.notes,
        "labels": said.labels,
        "search_text": said.search_text,
    }
