"""Lists in the order of names: a filter by part of a name, and pages that begin after one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

SIZE = 50
_MAX_QUERY = 80


class ByName:
    """The page of rows that `q` and `after` in the address ask for; one query.

    rows: ordered by `name`, which is unique among them.
    """

    def __init__(self, rows: QuerySet[Any], query: QueryDict, *, name: str = "name") -> None:
        self._name = name
        self._query = query
        # Not every database can be asked for every text.
        self.q = "".join(one for one in query.get("q", "") if one.isprintable()).strip()[:_MAX_QUERY]
        self._after = "".join(one for one in query.get("after", "") if one.isprintable())
        found = rows.filter(**{f"{name}__icontains": self.q}) if self.q else rows
        self._rows = found.filter(**{f"{name}__gt": self._after}) if self._after else found

    @cached_property
    def _found(self) -> list[Any]:
        return list(self._rows[: SIZE + 1])

    @property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return self._found[:SIZE]

    @property
    def next(self) -> str:
        """The address part of the next page, "" on the last."""
        if len(self._found) <= SIZE:
            return ""
        return self._address(getattr(self.rows[-1], self._name))

    @property
    def first(self) -> str:
        """The address part of the first page, "" on the first."""
        return self._address("") if self._after else ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all, as opposed to nothing that was asked for."""
        return not (self.rows or self.q or self._after)

    @property
    def here(self) -> str:
        """The address part of this very page."""
        return f"?{self._query.urlencode()}"

    def _address(self, after: str) -> str:
        changed = self._query.copy()
        changed.pop("after", None)
        if after:
            changed["after"] = after
        return f"?{changed.urlencode()}"
