"""What changes one filter of a list: a small form each, which works without script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops.domain import catalog, configuration_search, source_filters

CHOICES = 20
FIND_LIMIT = 80
# The parts of an address that each kind sets; labels and metrics are added to those that are there.
SETS = {
    "status": {"status"},
    "created": {"within", "from", "to", "zone"},
    "source": {"scenario", "executable", "version"},
    "configuration": {"configuration"},
    "by": {"by"},
    "archived": {"archived"},
    "ending": {"ending"},
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


@dataclass(frozen=True)
class Editors:
    """The filters of one list. kinds: name in the address and label of what can be added.

    executables: of which kind the list's are. shown: in words, what is on when a switch is. spans: of time,
    value and words.
    """

    kinds: Mapping[str, str]
    executables: str
    shown: Mapping[str, str]
    spans: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, scope: Scope, asked: Any, kind: str, find: str = "") -> Editor | None:
        """The form for a kind of filter; None when none, or nothing known, is asked for.

        find: a part of the name of what is to be chosen.
        """
        plain = "".join(one for one in find if one.isprintable()).strip()[:FIND_LIMIT]
        return Editor(scope, asked, self, kind, plain) if kind in self.kinds else None

    def words(self, name: str, value: str) -> tuple[str, str]:
        """A filter of an address in words: name and value."""
        if name == "status":
            return "Status", value.capitalize()
        if name == "within":
            return "Created", self.spans[value]
        if name in self.shown:
            return "Shown", self.shown[name]
        if name == "by" and value == "@me":
            return "By", "me"
        if name in ("configuration", "schedule"):
            return name.capitalize(), value[:8]
        return _NAMES[name], value


@dataclass(frozen=True)
class Editor:
    """The form that changes one filter. kind: of the editors' kinds; find: of what is chosen by name, a part.

    It is of executions or deployments.
    """

    _scope: Scope
    _asked: Any
    _editors: Editors
    kind: str
    find: str = ""

    @property
    def title(self) -> str:
        """What it changes."""
        return self._editors.kinds[self.kind]

    @property
    def noun(self) -> str:
        """What the list is of, one of them in a word."""
        return self._asked.noun

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form keeps of the address."""
        gone = SETS.get(self.kind, set())
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
        return [(status.value, status in self._asked.filters.statuses) for status in self._asked.statuses]

    @property
    def spans(self) -> list[tuple[str, str, bool]]:
        """Spans of time up to now: value, words, whether it is chosen."""
        now = self.values.get("within")
        return [(value, text.capitalize(), value == now) for value, text in self._editors.spans.items()]

    @cached_property
    def scenarios(self) -> list[str]:
        """Scenarios of the workspace; one query."""
        return [one.slug for one in catalog.scenarios(self._scope)]

    @cached_property
    def executables(self) -> list[str]:
        """Executables of the chosen scenario that the list is of; one query, none without a scenario."""
        scenario = self._asked.filters.scenario
        if scenario not in self.scenarios:
            return []
        return source_filters.slugs(self._scope, scenario, self._editors.executables)

    @cached_property
    def versions(self) -> list[str]:
        """Labels of versions, newest first, of the chosen executable or else scenario; one query."""
        asked: Any = self._asked.filters
        if asked.scenario not in self.scenarios:
            return []
        return source_filters.version_labels(self._scope, asked.scenario, asked.executable)

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
