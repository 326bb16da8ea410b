"""What changes one filter of the list of executions: a small form each, which works without script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops.domain import catalog, configuration_search, execution_filters
from mlops.views.execution_query import STATUSES, WITHIN, ExecutionQuery

CHOICES = 20
FIND_LIMIT = 80
# What can be added: name in the address, label.
KINDS = {
    "status": "Status",
    "created": "Created",
    "source": "Scenario, executable, version",
    "configuration": "Configuration",
    "by": "Started by",
    "label": "Label",
    "metric": "Metric",
    "archived": "Archived",
}
# The parts of an address that each one sets; labels and metrics are added to those that are there.
_SETS = {
    "status": {"status"},
    "created": {"within", "from", "to", "zone"},
    "source": {"scenario", "executable", "version"},
    "configuration": {"configuration"},
    "by": {"by"},
    "archived": {"archived"},
}
_NAMES = {
    "within": "Created",
    "from": "From",
    "to": "Until",
    "by": "By",
    "scenario": "Scenario",
    "executable": "Executable",
    "version": "Version",
    "configuration": "Configuration",
    "label": "Label",
    "metric": "Metric",
    "status": "Status",
}


def words(name: str, value: str) -> tuple[str, str]:
    """A filter of an address in words: name and value."""
    if name == "status":
        return "Status", value.capitalize()
    if name == "within":
        return "Created", WITHIN[value][0]
    if name == "archived":
        return "Shown", "archived"
    if name == "by" and value == "@me":
        return "By", "me"
    if name == "configuration":
        return "Configuration", value[:8]
    return _NAMES[name], value


def chosen(scope: Scope, asked: ExecutionQuery, kind: str, find: str = "") -> Editor | None:
    """The form for a kind of filter; None when none, or nothing known, is asked for.

    find: a part of the name of what is to be chosen.
    """
    plain = "".join(one for one in find if one.isprintable()).strip()[:FIND_LIMIT]
    return Editor(scope, asked, kind, plain) if kind in KINDS else None


@dataclass(frozen=True)
class Editor:
    """The form that changes one filter. kind: of KINDS. find: of what is chosen by name, a part of it."""

    _scope: Scope
    _asked: ExecutionQuery
    kind: str
    find: str = ""

    @property
    def title(self) -> str:
        """What it changes."""
        return KINDS[self.kind]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form keeps of the address."""
        gone = _SETS.get(self.kind, set())
        return [pair for pair in self._asked.parts + self._asked.shape if pair[0] not in gone]

    @property
    def cancel(self) -> str:
        """The address without it."""
        return self._asked.address()

    @property
    def values(self) -> dict[str, str]:
        """What the single-valued filters are now."""
        return dict(self._asked.parts)

    @property
    def statuses(self) -> list[tuple[str, bool]]:
        """Every status with whether it is asked for."""
        return [(status.value, status in self._asked.filters.statuses) for status in STATUSES]

    @property
    def spans(self) -> list[tuple[str, str, bool]]:
        """Spans of time up to now: value, words, whether it is chosen."""
        now = self.values.get("within")
        return [(value, text.capitalize(), value == now) for value, (text, _) in WITHIN.items()]

    @cached_property
    def scenarios(self) -> list[str]:
        """Scenarios of the workspace; one query."""
        return [one.slug for one in catalog.scenarios(self._scope)]

    @cached_property
    def executables(self) -> list[str]:
        """Executables of the chosen scenario that run to an end; one query, none without a scenario."""
        scenario = self._asked.filters.scenario
        return execution_filters.slugs(self._scope, scenario) if scenario in self.scenarios else []

    @cached_property
    def versions(self) -> list[str]:
        """Labels of versions, newest first, of the chosen executable or else scenario; one query."""
        asked: Any = self._asked.filters
        if asked.scenario not in self.scenarios:
            return []
        return execution_filters.version_labels(self._scope, asked.scenario, asked.executable)

    @cached_property
    def _configurations(self) -> list[Any]:
        rows = configuration_search.find(self._scope, q=self.find).select_related("executable")
        return list(rows[: CHOICES + 1])

    @property
    def configurations(self) -> list[tuple[Any, bool]]:
        """The newest configurations with `find` in their names, each with whether it is chosen; one query."""
        now = self._asked.filters.configuration
        return [(one, one.pk == now) for one in self._configurations[:CHOICES]]

    @property
    def has_more(self) -> bool:
        """Whether only the newest of them are shown."""
        return len(self._configurations) > CHOICES
