"""What the address of a list asks for: texts, statuses, a configuration; what cannot be read is left out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain.limits import NAME_LIMIT, storable
from mlops.lifecycle import Status
from mlops.views.column_choice import ColumnChoice

MAX_TEXT = 200
ME = "@me"


class ListQuery:
    """The filters, order and columns that one address asks for.

    problems: a sentence for each value that was left out. parts: what filters, as (name, value).
    sort: as in the address, "" for newest first. columns: names of the columns shown. A list gives its noun,
    the statuses its rows have in the order of a life, the order that each heading asks for first, and its
    columns.
    """

    noun: str
    statuses: Sequence[Status]
    sorts: Mapping[str, paging.Order]
    column_table: Sequence[tuple[str, str, bool]]

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.problems: list[str] = []
        self.parts: list[tuple[str, str]] = []
        self.sort = ""
        self.column_choice = ColumnChoice(self.column_table, query)
        self.columns = self.column_choice.shown

    def _keep(self, name: str, value: str) -> str:
        self.parts.append((name, value))
        return value

    def _text(self, name: str, limit: int = NAME_LIMIT) -> str:
        value = self._query.get(name, "").strip()
        if not value:
            return ""
        if len(value) > limit or not storable(value):
            self.problems.append(f"The filter {name} is not a text of up to {limit} characters: left out.")
            return ""
        return self._keep(name, value)

    def _statuses(self) -> tuple[str, ...]:
        asked = [value.upper() for value in self._query.getlist("status") if value]
        for value in dict.fromkeys(asked):
            if value not in self.statuses:
                article = "an" if self.noun[0] in "aeiou" else "a"
                self.problems.append(
                    f"“{value[:40]}” is no status of {article} {self.noun} and was left out."
                )
        return tuple(self._keep("status", status.value) for status in self.statuses if status in asked)

    def _key(self, name: str) -> uuid.UUID | None:
        """The key of what the address names, such as a configuration."""
        text = self._query.get(name, "").strip()
        try:
            key = uuid.UUID(text) if text else None
        except ValueError:
            self.problems.append(f"The filter {name} takes a {name}'s whole ID: left out.")
            return None
        if key:
            self._keep(name, str(key))
        return key

    def _by(self) -> str:
        name = self._text("by")
        if name == ME:
            return self._scope.user.username if self._scope.user else ""
        return name

    def _is_on(self, name: str) -> bool:
        return bool(self._query.get(name) == "1" and self._keep(name, "1"))

    def _usual_sort(self, also: str = "") -> tuple[str, paging.Order]:
        """As in the address, "" for newest first, and the order it means. also: what else there is."""
        value = self._query.get("sort", "").strip()
        name = value.removeprefix("-")
        if value and name not in self.sorts:
            self.problems.append(
                f"The list can be sorted by {', '.join(self.sorts)}{also}; it is by created now."
            )
            return "", self.sorts["created"]
        order = self.sorts[name or "created"]
        if value == "created":
            return "", order
        return value, order.reverse if value.startswith("-") else order

    @property
    def shape(self) -> list[tuple[str, str]]:
        """Order and columns as parts of an address."""
        return [*([("sort", self.sort)] if self.sort else []), *self.column_choice.parts]

    def address(
        self, *, without: Iterable[tuple[str, str]] = (), plus: Iterable[tuple[str, str]] = (), drop: str = ""
    ) -> str:
        """This list's query, without some parts or a whole name, with others; never a place in its pages."""
        gone = set(without)
        kept = [pair for pair in self.parts + self.shape if pair not in gone and pair[0] != drop]
        return "?" + urlencode([*kept, *plus])
