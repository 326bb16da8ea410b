"""What the page of one configuration shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops.domain import catalog, configuration_moves, configurations
from mlops.views import api_calls

USES_SHOWN = 20
LONGEST_QUERY = 80
# A table of so many rows is read without looking for one.
SEARCHED_FROM = 10


@dataclass(frozen=True)
class Value:
    """One parameter's value beside what the template gives. default None: the template gives none."""

    name: str
    value: str
    default: str | None
    description: str

    @property
    def is_changed(self) -> bool:
        """Whether the value is another than the template's."""
        return self.default is not None and self.value != self.default


class ConfigurationPage:
    """One configuration. Raises NotFound when made for one of another group.

    q: what to look for in names and values.
    """

    def __init__(self, scope: Scope, configuration_id: Any, q: str = "") -> None:
        self._scope = scope
        self.q = q.strip()[:LONGEST_QUERY]
        self.configuration = configurations.get(scope, configuration_id)
        self.version = self.configuration.executable_version
        self.executable = self.version.executable

    @cached_property
    def bindings(self) -> configurations.Bindings:
        """Parameters and inputs, in the template's order; two queries."""
        return configurations.bindings(self.configuration)

    @property
    def values(self) -> list[Value]:
        """Every parameter with its default."""
        return [
            Value(told.name, value, told.default, told.description)
            for told, value in self.bindings.parameters
        ]

    @property
    def shown_values(self) -> list[Value]:
        """The parameters that have what is looked for in their name or value."""
        words = self.q.lower()
        return [one for one in self.values if words in f"{one.name}\n{one.value}".lower()]

    @property
    def shown_inputs(self) -> list[tuple[Any, Any]]:
        """The inputs that have what is looked for in their name or artifact."""
        words = self.q.lower()
        return [
            (slot, artifact)
            for slot, artifact in self.bindings.artifacts
            if words in f"{slot.name}\n{artifact}".lower()
        ]

    @property
    def is_long(self) -> bool:
        """Whether there is so much that one looks for something."""
        return len(self.bindings.parameters) + len(self.bindings.artifacts) >= SEARCHED_FROM or bool(self.q)

    @property
    def changed_count(self) -> int:
        """How many values differ from the template's."""
        return sum(value.is_changed for value in self.values)

    @cached_property
    def newest(self) -> Any:
        """The executable's newest version."""
        return catalog.snapshots(self._scope, executable=self.executable)[0]

    @property
    def is_outdated(self) -> bool:
        """Whether the executable has a newer version than the one bound."""
        return self.newest.number > self.version.number

    @cached_property
    def _uses(self) -> list[Any]:
        found = configurations.deployed if self.serves else configurations.uses
        return list(found(self._scope, self.configuration)[: USES_SHOWN + 1])

    @property
    def uses_shown(self) -> int:
        """How many uses are shown at most."""
        return USES_SHOWN

    @property
    def serves(self) -> bool:
        """Whether it is deployed instead of run."""
        return self.executable.kind == "serving"

    @property
    def executions(self) -> list[Any]:
        """The newest executions of it."""
        return [] if self.serves else self._uses[:USES_SHOWN]

    @property
    def deployments(self) -> list[Any]:
        """The newest deployments of it, those that have another configuration by now included."""
        return self._uses[:USES_SHOWN] if self.serves else []

    @property
    def has_more_uses(self) -> bool:
        """Whether there are older ones than those shown."""
        return len(self._uses) > USES_SHOWN

    @property
    def api(self) -> api_calls.ApiUse:
        """The same configuration over the API."""
        serves = catalog.describe(self.version).serving is not None
        return api_calls.configuration(self._scope, self.configuration.pk, serves=serves)

    @property
    def is_used(self) -> bool:
        """Whether anything was made of it."""
        return bool(self._uses)

    def copy(self, *, number: int | None = None) -> dict[str, Any]:
        """A draft with these values. number: another version of the executable, by default the same.

        Of another version, the values that it takes; `notes` say what does not fit, is new or stays.
        """
        version = catalog.version(self._scope, self.executable.slug, number or self.version.number)
        move = configuration_moves.fit(self.configuration, self.bindings, version)
        return {
            "name": self.configuration.name,
            "scenario": self.executable.scenario.slug,
            "executable": self.executable.slug,
            "version": version.number,
            "parameters": move.parameters,
            "artifacts": move.artifacts,
            "origin": {"id": str(self.configuration.pk), "name": self.configuration.name},
            "notes": list(move.notes),
        }
