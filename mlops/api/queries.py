"""Query parameters of the AI API: read the same way by every operation, and documented from the same place.

    LIST = Parameters(ids("executableIds", "executables"), top(), skip())

    @operation("GET", "/lm/things", in_group(Right.VIEW), name="things.search", query=LIST)
    def search(request: Call) -> dict[str, Any]:
        asked = LIST.read(request)

A name with a dollar is taken without it too (`top` for `$top`); of both, the one with the dollar holds. Names
that an operation does not know are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from launchpad.errors import Invalid
from mlops.domain.label_selection import Selector
from mlops.domain.limits import storable

ID = r"^[\w.-]{4,64}$"
NAME = r"""^[\w\s.!?,;:\[\](){}<>"'=+*/\\^&%@~$#|-]*$"""
LABEL = r"^ext\.ai\.sap\.com\/[\w\.-]+!?=[^ =,]+$"
TOP, TOP_LIMIT = 10_000, 100_000
SKIP_LIMIT = 2_147_483_647
LIST_LIMIT = 1000
_WHOLE = re.compile(r"\d{1,10}\Z", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[ +-]\d\d:?\d\d)?\Z", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """One query parameter. name: on the wire. key: what a reader gets its value under.

    take: makes the value of the text; raises ValueError with the end of a sentence that begins with the name.
    schema: what the documentation says of the value. many: a list, joined by commas or given repeatedly.
    """

    name: str
    key: str
    take: Callable[[str], Any]
    schema: dict[str, Any]
    description: str
    default: Any = None
    many: bool = False

    def read(self, request: HttpRequest) -> Any:
        """The value in the request's address, the default when it is not there. Raises ValueError."""
        given = request.GET.getlist(self.name)
        if not given and self.name.startswith("$"):
            given = request.GET.getlist(self.name[1:])
        if not given:
            return self.default
        return self.take(",".join(given) if self.many else given[-1])

    @property
    def documented(self) -> dict[str, Any]:
        """The parameter as OpenAPI tells it."""
        told = {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.description,
            "schema": self.schema,
        }
        return told | ({"style": "form", "explode": False} if self.many else {})


class Parameters:
    """The query parameters of one operation."""

    def __init__(self, *parameters: Parameter) -> None:
        self.parameters = parameters

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """Key to value, every key present. Raises Invalid with a sentence for each that is wrong."""
        if not request.META.get("QUERY_STRING"):
            return {one.key: one.default for one in self.parameters}
        found, wrong = {}, {}
        for one in self.parameters:
            try:
                found[one.key] = one.read(request)
            except ValueError as error:
                wrong[one.name] = f"{one.name} {error}."
        if wrong:
            raise Invalid(" ".join(wrong.values()), fields=wrong)
        return found

    @property
    def documented(self) -> list[dict[str, Any]]:
        """The parameters as OpenAPI tells them."""
        return [one.documented for one in self.parameters]


def top(limit: int = TOP_LIMIT, default: int = TOP, *, least: int = 0) -> Parameter:
    """`$top`: at most so many are answered."""
    schema = {"type": "integer", "minimum": least, "maximum": limit, "default": default}
    return Parameter("$top", "top", _whole(least, limit), schema, "At most so many.", default)


def skip() -> Parameter:
    """`$skip`: so many are left out at the beginning."""
    schema = {"type": "integer", "minimum": 0, "maximum": SKIP_LIMIT, "default": 0}
    return Parameter("$skip", "skip", _whole(0, SKIP_LIMIT), schema, "Leave out so many first.", 0)


def _whole(least: int, limit: int) -> Callable[[str], int]:
    def take(text: str) -> int:
        if not _WHOLE.match(text) or not least <= int(text) <= limit:
            raise ValueError(f"is a whole number from {least} to {limit}")
        return int(text)

    return take


def text(name: str, key: str, description: str, *, pattern: str, limit: int = 5000) -> Parameter:
    """A text of at most `limit` characters in which the pattern is found, as the contract writes it."""
    schema = {"type": "string", "pattern": pattern, "maxLength": limit}
    return Parameter(name, key, _fitting(pattern, limit), schema, description)


def _fitting(pattern: str, limit: int = 5000, words: str = "is not of the form that is expected") -> Any:
    # Python's $ takes a line break at the end, and \w letters of every script.
    known = re.compile(re.sub(r"\$\Z", r"\\Z", pattern), re.ASCII if pattern == ID else 0)

    def take(value: str) -> str:
        if len(value) > limit or not known.search(value) or not storable(value):
            raise ValueError(words)
        return value

    return take


_ID_WORDS = "is 4 to 64 letters, digits, dots, hyphens and underscores"


def identifier(name: str, key: str, description: str) -> Parameter:
    """The id of one object."""
    take = _fitting(ID, words=_ID_WORDS)
    return Parameter(name, key, take, {"type": "string", "pattern": ID}, description)


def identifiers(name: str, key: str, description: str, *, limit: int = LIST_LIMIT) -> Parameter:
    """Ids of several objects, any of which is meant; () when not given."""
    schema = {"type": "array", "items": {"type": "string", "pattern": ID}, "maxItems": limit}
    take = _several(_fitting(ID, words=f"holds ids only: each {_ID_WORDS}"), limit)
    return Parameter(name, key, take, schema, description, (), many=True)


def _several(take: Callable[[str], Any], limit: int) -> Callable[[str], tuple[Any, ...]]:
    def taken(value: str) -> tuple[Any, ...]:
        parts = value.split(",")
        if len(parts) > limit:
            raise ValueError(f"holds at most {limit}; {len(parts)} are given")
        return tuple(take(part) for part in parts)

    return taken


def named(name: str, key: str, description: str) -> Parameter:
    """A whole name, exactly as it is."""
    words = "is a name of at most 256 letters, digits, blanks and common punctuation"
    schema = {"type": "string", "pattern": NAME, "maxLength": 256}
    return Parameter(name, key, _fitting(NAME, 256, words), schema, description)


def choice(name: str, key: str, options: Collection[str], description: str) -> Parameter:
    """One of several words."""
    schema = {"type": "string", "enum": list(options)}
    return Parameter(name, key, _one_of(options), schema, description)


def choices(name: str, key: str, options: Collection[str], description: str) -> Parameter:
    """Some of several words; () when not given."""
    schema = {"type": "array", "items": {"type": "string", "enum": list(options)}}
    return Parameter(name, key, _several(_one_of(options), 100), schema, description, (), many=True)


def _one_of(options: Collection[str]) -> Callable[[str], str]:
    def take(value: str) -> str:
        if value not in options:
            raise ValueError(f"is one of: {', '.join(options)}")
        return value

    return take


def expand(part: str) -> Parameter:
    """`$expand`: tell the part whole."""
    return choice("$expand", "expand", (part,), f"Tell the {part} whole.")


def flag(name: str, key: str, description: str) -> Parameter:
    """Yes or no; Python's `True` is taken as well."""

    def take(value: str) -> bool:
        if value.lower() not in ("true", "false"):
            raise ValueError("is true or false")
        return value.lower() == "true"

    return Parameter(name, key, take, {"type": "boolean", "default": False}, description, False)


def search(where: str) -> tuple[Parameter, Parameter]:
    """`$search` and `searchCaseInsensitive`, as `q` and `any_case`. where: what is looked through."""
    pattern = "^[^~]{1,80}$"
    schema = {"type": "string", "pattern": pattern, "minLength": 1, "maxLength": 80}
    take = _fitting(pattern, 80, "is 1 to 80 characters, without ~")
    return (
        Parameter("$search", "q", take, schema, f"A part of {where}, in the case given.", ""),
        flag("searchCaseInsensitive", "any_case", "Search whatever the case."),
    )


def labelled(name: str, key: str, *, pattern: str = LABEL, limit: int = 10) -> Parameter:
    """Conditions on labels, all of which hold, as Selectors; () when not given. pattern: of one condition."""
    fitting = _fitting(pattern, words="holds conditions such as ext.ai.sap.com/team=blue, or != for without")

    def take(part: str) -> Selector:
        before, _, value = fitting(part).partition("=")
        return Selector(before.removesuffix("!"), value.replace("{comma}", ","), before.endswith("!"))

    schema = {
        "type": "array",
        "items": {"type": "string", "pattern": pattern, "maxLength": 5000},
        "minItems": 1,
        "maxItems": limit,
    }
    told = "Labels that all hold, `key=value` or `key!=value`; a comma in a value is written `{comma}`."
    return Parameter(name, key, _several(take, limit), schema, told, (), many=True)


def moment(name: str, key: str, description: str) -> Parameter:
    """A time, aware; one without a zone is UTC, digits beyond microseconds are dropped."""
    words = "is a time such as 2026-01-31T12:00:00Z"

    def take(value: str) -> datetime:
        # Years in which a span can be added and taken away.
        if not _TIME.match(value) or not 1900 <= int(value[:4]) <= 9990:
            raise ValueError(words)
        try:
            # A plus sign that was not percent-encoded arrives as a blank.
            found = datetime.fromisoformat(value.upper().replace(" ", "+"))
        except ValueError as error:
            raise ValueError(words) from error
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

    return Parameter(name, key, take, {"type": "string", "format": "date-time"}, description)
