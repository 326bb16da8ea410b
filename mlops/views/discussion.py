"""What is said about one thing, as every page of it shows: comments and flags, newest first, and the form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.places import place_url
from mlops import paging
from mlops.domain import comments, flags
from mlops.views.nouns import BY_KIND

SIZE = 20


@dataclass(frozen=True)
class Entry:
    """One comment with the addresses of what the reader may do to it, "" for the rest."""

    comment: Any
    edit: str
    delete: str
    close: str
    reopen: str

    @property
    def acts(self) -> bool:
        """Whether the reader may do anything to it."""
        return any((self.edit, self.delete, self.close, self.reopen))


class Discussion:
    """Comments on one thing; each query runs when a template first asks for its result.

    found: what they are about. text, error: what was sent and refused, and why.
    """

    limit = comments.TEXT_LIMIT

    def __init__(
        self, scope: Scope, found: Any, query: QueryDict | None = None, *, text: str = "", error: str = ""
    ) -> None:
        self._scope = scope
        self._found = found
        self._query = query or QueryDict()
        self.text = text
        self.error = error
        self.kind, self.key = comments.address(found)

    @cached_property
    def page(self) -> paging.Page:
        """One page of comments, newest first; one query."""
        return paging.page(comments.about(self._scope, self._found), self._query, size=SIZE)

    @property
    def entries(self) -> list[Entry]:
        """The page's comments."""
        return [self._entry(row) for row in self.page.rows]

    def _entry(self, row: Any) -> Entry:
        may_settle = self._scope.may_change and row.deleted_at is None
        allowed = {
            "comments.edit": comments.is_editable(self._scope, row),
            "comments.delete": comments.is_deletable(self._scope, row),
            "flags.close": may_settle and row.flag == row.Flag.OPEN,
            "flags.reopen": may_settle and row.flag == row.Flag.CLOSED,
        }
        urls = [may and place_url(self._scope, f"mlops:{verb}", row.pk) for verb, may in allowed.items()]
        return Entry(row, *(url or "" for url in urls))

    @cached_property
    def open_flags(self) -> int:
        """How many flags nobody has closed; one query."""
        return flags.count(self._scope, self._found)

    @property
    def add_url(self) -> str:
        """Where a comment is sent."""
        return self._to("comments.add")

    @property
    def flag_url(self) -> str:
        """Where a flag is sent."""
        return self._to("flags.create")

    def _to(self, verb: str) -> str:
        return place_url(self._scope, f"mlops:{verb}", kind=self.kind, key=self.key)

    @property
    def url(self) -> str:
        """The address of all of it, on a page of its own."""
        return self._to("comments.index")

    @property
    def newer(self) -> str:
        """The address of the next newer page, "" at an end."""
        return self.page.newer and self.url + self.page.newer

    @property
    def older(self) -> str:
        """The address of the next older page, "" at an end."""
        return self.page.older and self.url + self.page.older

    @property
    def title(self) -> str:
        """What it is about, in words."""
        return title(self._found)

    @property
    def home(self) -> str:
        """The address of the page that shows it among the rest of the thing."""
        return home(self._scope, self._found)


def title(found: Any) -> str:
    """A thing that is commented on, in words."""
    kind, key = comments.address(found)
    if kind == "executions":
        return f"Execution {key[:8]}"
    if kind == "artifacts":
        return f"{BY_KIND[found.kind].one.capitalize()} {found}"
    return f"Scenario {found.name}"


def home(scope: Scope, found: Any) -> str:
    """The address of the discussion on the page of a thing."""
    kind, key = comments.address(found)
    if kind == "artifacts":
        return place_url(scope, BY_KIND[found.kind].detail, key) + "#discussion"
    return place_url(scope, f"mlops:{kind}.detail", key) + "?tab=discussion"
