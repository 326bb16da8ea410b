"""What the page of the audit trail shows for one address; each query runs when a template asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.audit import trail
from launchpad.resource_groups import resource_groups

SIZE = 50
_MAX_QUERY = 200
_NOUNS = 64


@dataclass(frozen=True)
class Row:
    """One event. group: the id of its resource group, "" for none, `deleted` for one that is gone."""

    event: Any
    group: str

    @property
    def detail(self) -> list[tuple[str, str]]:
        """The values given, each as text."""
        return [
            (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in self.event.detail.items()
        ]


class AuditList:
    """query: who, verb, thing, group (an id), from and to (days), before or after (an event's number)."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.who, self.verb, self.thing = (_text(query, name) for name in ("who", "verb", "thing"))
        self.notices: list[str] = []
        self.since, self.until = self._day("from"), self._day("to")
        self.group = query.get("group", "")
        if self.group and self.group not in self._keys:
            self.notices.append("There is no such resource group; the filter was left out.")
            self.group = ""

    @cached_property
    def _groups(self) -> dict[UUID, str]:
        return dict(resource_groups.search(self._scope).values_list("pk", "slug"))

    @property
    def _keys(self) -> dict[str, UUID]:
        return {slug: key for key, slug in self._groups.items()}

    @property
    def groups(self) -> list[str]:
        """Ids of the workspace's groups, to choose from."""
        return list(self._groups.values())

    @property
    def filters(self) -> trail.Filters:
        """The same for the domain; days are UTC, the last one included."""
        return trail.Filters(
            self.who,
            self.verb,
            self.thing,
            self._keys.get(self.group),
            _midnight(self.since),
            _midnight(self.until + timedelta(days=1)) if self.until else None,
        )

    @property
    def events(self) -> Any:
        """All that match, newest first."""
        return trail.search(self._scope, self.filters)

    @cached_property
    def _page(self) -> tuple[list[Any], bool, bool]:
        """Events of this page, and whether there are newer and older ones."""
        before, after = (_number(self._query.get(name, "")) for name in ("before", "after"))
        if before is None and after is not None:
            found = list(self.events.filter(id__gt=after).order_by("id")[: SIZE + 1])
            return found[:SIZE][::-1], len(found) > SIZE, True
        rows = self.events if before is None else self.events.filter(id__lt=before)
        found = list(rows[: SIZE + 1])
        return found[:SIZE], before is not None, len(found) > SIZE

    @property
    def rows(self) -> list[Row]:
        """The events of this page."""
        return [Row(one, self._name(one.resource_group)) for one in self._page[0]]

    def name(self, event: Any) -> str:
        """The id of the resource group of an event, as of Row."""
        return self._name(event.resource_group)

    def _name(self, key: UUID | None) -> str:
        return "" if key is None else self._groups.get(key, "deleted")

    @property
    def newer(self) -> str:
        """The address part of the page of newer events, "" at the end."""
        events, newer, _ = self._page
        return self._address(after=events[0].pk if events else 0) if newer else ""

    @property
    def older(self) -> str:
        """The address part of the page of older events, "" at the end."""
        events, _, older = self._page
        return self._address(before=events[-1].pk) if older and events else ""

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return self.filters != trail.Filters()

    @property
    def is_windowed(self) -> bool:
        """Whether a filter reads the newest events only."""
        return self.filters.reads

    @property
    def window(self) -> int:
        """How many it reads."""
        return trail.WINDOW

    @property
    def query(self) -> str:
        """The filters as an address part, without the page."""
        return self._address()

    def _address(self, **cursor: int) -> str:
        changed = self._query.copy()
        for name in ("before", "after"):
            changed.pop(name, None)
        changed.update({name: str(value) for name, value in cursor.items()})
        return f"?{changed.urlencode()}"

    def _day(self, name: str) -> date | None:
        text = self._query.get(name, "")
        try:
            day = date.fromisoformat(text) if text else None
        except ValueError:
            day = None
        if text and (day is None or not 1970 <= day.year <= 9000):
            self.notices.append(f"The day in “{name}” could not be read; the filter was left out.")
            return None
        return day


def _text(query: QueryDict, name: str) -> str:
    return "".join(one for one in query.get(name, "") if one.isprintable()).strip()[:_MAX_QUERY]


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _number(text: str) -> int | None:
    # Longer ones are no key, and more than databases compare.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
