"""How long a deployment lives, as a form asks for it: for ever, or a number of minutes, hours or days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from launchpad.forms import attempt
from mlops.domain import times_to_live

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
FIELDS = ("lasting", "number", "unit")
FOR_EVER, LIMITED = "for ever", "limited"
_TEXT = re.compile(r"([0-9]+)([mhd])\Z")
_ONE = {"m": "minute", "h": "hour", "d": "day"}


@dataclass(frozen=True)
class Duration:
    """What was typed. lasting: FOR_EVER or LIMITED; number: as typed; unit: of UNITS."""

    lasting: str = FOR_EVER
    number: str = ""
    unit: str = "h"

    @property
    def is_limited(self) -> bool:
        """Whether it ends."""
        return self.lasting == LIMITED

    @property
    def ttl(self) -> str:
        """As the domain takes it: `5h`, "" for ever."""
        return f"{self.number.strip()}{self.unit}" if self.is_limited else ""

    @property
    def units(self) -> list[tuple[str, str, bool]]:
        """Every unit: value, words, whether it is chosen."""
        return [(value, words, value == self.unit) for value, words in UNITS.items()]

    @property
    def words(self) -> str:
        """`5 hours`, `for ever`."""
        if not self.is_limited:
            return "for ever"
        number = self.number.strip()
        return f"{number} {_ONE[self.unit] if number == '1' else UNITS[self.unit]}"

    @property
    def error(self) -> str:
        """Why this is no duration, "" for one."""
        _, errors = attempt(lambda: times_to_live.parse(self.ttl))
        # A deployment that ends needs to say when.
        if self.is_limited and not self.number.strip():
            return "Say after how many minutes, hours or days it ends, or let it run for ever."
        return next(iter(errors.values()), "")


def read(given: Mapping[str, object]) -> Duration:
    """What a form or a draft says; what cannot be meant is left out."""
    lasting, number, unit = (str(given.get(name) or "") for name in FIELDS)
    return Duration(LIMITED if lasting == LIMITED else FOR_EVER, number[:12], unit if unit in UNITS else "h")


def of(ttl: str) -> Duration:
    """The form filled with a time to live that a deployment has."""
    found = _TEXT.match(ttl)
    return Duration(LIMITED, found[1], found[2]) if found else Duration()
