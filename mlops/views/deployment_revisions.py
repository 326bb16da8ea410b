"""The revisions of a deployment as a table, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import deployments, revision_differences, served_models
from mlops.lifecycle import DEPLOYMENT_REPOINTABLE, Status
from mlops.views.nouns import BY_KIND

SHOWN = 5
_LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Row:
    """One revision. models: those that its configuration binds. may_return: a roll back to it is possible.

    is_current: it gets the requests; log: the address of its log.
    """

    revision: Any
    models: list[Any]
    is_current: bool
    may_return: bool
    log: str


class Revisions:
    """All revisions, newest first. query: `from` and `to` are the numbers of two to compare."""

    def __init__(self, scope: Scope, deployment: Any, query: QueryDict) -> None:
        self._scope = scope
        self._deployment = deployment
        self._query = query

    @cached_property
    def all(self) -> list[Any]:
        """The rows of the table; one query."""
        return list(deployments.revision_list(self._scope, self._deployment))

    @cached_property
    def by_number(self) -> dict[int, Any]:
        """The same by number."""
        return {one.number: one for one in self.all}

    @property
    def rows(self) -> list[Row]:
        """Each revision with its models; one query more."""
        return self._rows(self.all)

    @property
    def first_rows(self) -> list[Row]:
        """The newest few."""
        return self._rows(self.all[:SHOWN])

    @property
    def hidden(self) -> int:
        """How many are not among the newest few."""
        return max(len(self.all) - SHOWN, 0)

    def _rows(self, revisions: list[Any]) -> list[Row]:
        bound = served_models.by_configuration(self._scope, [one.configuration_id for one in revisions])
        return [
            Row(
                one,
                bound[one.configuration_id],
                one.number == self._deployment.serving,
                self._may_return(one),
                f"?tab=logs&part={one.number}",
            )
            for one in revisions
        ]

    def _may_return(self, revision: Any) -> bool:
        """Rolling back to what failed, or to what is wished for already, would change nothing."""
        return (
            self._scope.may_change
            and self._deployment.status in DEPLOYMENT_REPOINTABLE
            and revision.number != self._deployment.newest
            and revision.status != Status.DEAD
        )

    @property
    def compared(self) -> tuple[int, int] | None:
        """The numbers of the two to compare, the older one first; by default the newest two."""
        if len(self.all) < 2:
            return None
        wanted = [self._number(name) for name in ("from", "to")]
        known = [number for number in wanted if number in self.by_number]
        if len(set(known)) == 2:
            return min(known), max(known)
        return self.all[1].number, self.all[0].number

    def _number(self, name: str) -> int:
        text = self._query.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0

    @cached_property
    def difference(self) -> revision_differences.Difference | None:
        """What differs between the two, None where there is only one revision."""
        if self.compared is None:
            return None
        older, newer = (self.by_number[number] for number in self.compared)
        return revision_differences.between(self._scope, older, newer)

    @property
    def files_url(self) -> str:
        """Where the files of the two models are compared, "" unless they are versions of one name."""
        found = self.difference
        if found is None or found.models is None:
            return ""
        before, after = found.models
        url = place_url(self._scope, "mlops:artifacts.difference", after.pk)
        is_alike = (before.kind, before.name) == (after.kind, after.name) and before.pk != after.pk
        return f"{url}?with={before.version}" if is_alike and after.kind in BY_KIND else ""
