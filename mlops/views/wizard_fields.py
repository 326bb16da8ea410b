"""The fields of the configuration wizard: one for a parameter, one for an input artifact."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops.domain.configurations import CHOICES_LIMIT
from mlops.views.nouns import BY_KIND, Noun

LONG = 120
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+\Z", re.ASCII)


def _is_json(text: str) -> bool:
    """Whether a text is a list or an object in JSON."""
    if text.strip()[:1] not in ("[", "{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


# In the order in which a default is taken for one of them.
TYPES: dict[str, Callable[[str], bool]] = {
    "truth value": lambda text: text.strip().lower() in ("true", "false"),
    "whole number": lambda text: bool(_WHOLE.match(text.strip())),
    "number": lambda text: bool(_NUMBER.match(text.strip())),
    "JSON text": _is_json,
}


@dataclass(frozen=True)
class ParameterField:
    """A parameter as a form field. told: by the template; given None: nothing was typed; id: on the page."""

    told: Any
    given: str | None
    error: str = ""
    id: str = ""

    @property
    def name(self) -> str:
        """The parameter's name, spelt as in the template."""
        return self.told.name

    @property
    def value(self) -> str:
        """What was typed, else the default."""
        return self.given if self.given is not None else self.told.default or ""

    @property
    def is_mandatory(self) -> bool:
        """Whether the template gives no default."""
        return self.told.default is None

    @property
    def is_changed(self) -> bool:
        """Whether the value is another than the default."""
        return not self.is_mandatory and self.value != self.told.default

    @property
    def is_long(self) -> bool:
        """Whether it takes more than one line."""
        return "\n" in self.value or len(self.value) > LONG

    @property
    def type(self) -> str:
        """What the default says of the values, in words; "" where it says nothing. All values are text."""
        default = self.told.default or ""
        return next((name for name, is_one in TYPES.items() if is_one(default)), "") if default else ""

    @property
    def doubt(self) -> str:
        """A sentence where the value is not of the default's type; it may still be meant."""
        if not self.type or not self.value or self.told.enum or TYPES[self.type](self.value):
            return ""
        if self.type == "whole number" and TYPES["number"](self.value):
            return ""
        return f"The default is a {self.type}, this is not."

    @property
    def mode(self) -> str:
        """Which keys a touch screen offers."""
        return {"whole number": "numeric", "number": "decimal"}.get(self.type, "text")

    @property
    def options(self) -> list[str]:
        """Values to choose from; one that is not allowed any more stays visible until it is changed."""
        allowed = list(self.told.enum)
        if not allowed:
            return []
        missing = [] if self.value in allowed else [self.value]
        return missing + allowed


@dataclass(frozen=True)
class SlotField:
    """An input as a group of radio buttons. chosen: an artifact's id, "" for none on purpose."""

    told: Any
    choices: list[Any]
    given: str | None
    registered: str = ""
    error: str = ""
    is_searched: bool = False

    @property
    def name(self) -> str:
        """The input's name, spelt as in the template."""
        return self.told.name

    @property
    def noun(self) -> Noun:
        """The kind of artifact it takes."""
        return BY_KIND[self.told.kind]

    @property
    def chosen(self) -> str:
        """The id chosen: what was just registered, what was chosen before, or the only one there is."""
        ids = [str(artifact.pk) for artifact in self.choices]
        if self.registered in ids:
            return self.registered
        if self.given is None and len(ids) == 1 and not (self.told.optional or self.is_searched):
            return ids[0]
        return self.given or ""

    @property
    def options(self) -> list[tuple[Any, bool]]:
        """Artifacts with whether each is chosen."""
        return [(artifact, str(artifact.pk) == self.chosen) for artifact in self.choices]

    @property
    def artifact(self) -> Any:
        """The artifact chosen, None for none."""
        return next((artifact for artifact, is_chosen in self.options if is_chosen), None)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than are offered."""
        return len(self.choices) >= CHOICES_LIMIT

    @property
    def is_gone(self) -> bool:
        """Whether what was chosen before is not to be had any more."""
        return bool(self.given) and self.artifact is None
