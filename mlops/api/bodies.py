"""Reads the JSON of requests, and refuses in it what no database can hold.

What a body holds is told by pydantic's models, never ninja's Schema: that takes a list for an object without
any of its keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from launchpad.errors import Invalid
from mlops.domain.limits import storable


class Body(Parser):
    """The parser of every operation's body."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as JSON types. Raises ValueError, RecursionError, and Invalid for texts with NUL."""
        text = request.body.decode()
        found = json.loads(text)
        # Only escapes bring these in: UTF-8 knows no half pairs, and JSON no raw NUL.
        if "\\u0000" in text or "\\ud" in text.lower():
            for place, one in _texts(found):
                if not storable(one):
                    named = place if storable(place) else "A key"
                    raise Invalid(f"{named} holds a NUL character or half a character. Remove it.")
        return found


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value with its place, names of keys included."""
    waiting = [("The body", value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str):
            yield place, one
        elif isinstance(one, dict):
            yield from ((key, key) for key in one)
            waiting.extend(one.items())
        elif isinstance(one, list):
            waiting.extend((place, part) for part in one)
