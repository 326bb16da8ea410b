"""How long a deployment lives: `90m`, `5h` or `2d`, as the AI API writes it."""

from __future__ import annotations

import re
from datetime import timedelta

from launchpad.errors import Invalid

LEAST = timedelta(minutes=10)
MOST = timedelta(days=3650)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_TEXT = re.compile(r"([0-9]{1,9})([mhdMHD])")


def parse(text: str) -> timedelta | None:
    """The time to live that a text means; None for "", which is for ever.

    A natural number and m, h or d, also in upper case: from 10 minutes to 3650 days. Raises Invalid.
    """
    if not text:
        return None
    found = _TEXT.fullmatch(text)
    if found is None:
        said = f"{text[:20]!r} is no duration. Write a whole number and m, h or d, such as 90m, 5h or 2d."
        raise Invalid(said, fields={"ttl": said})
    number, unit = int(found[1]), _UNITS[found[2].lower()]
    try:
        lasting = timedelta(**{unit: number})
    except OverflowError:
        lasting = MOST + LEAST
    if not LEAST <= lasting <= MOST:
        said = f"A deployment lives at least 10m and at most 3650d; {text} is outside of that."
        raise Invalid(said, fields={"ttl": said})
    return lasting
