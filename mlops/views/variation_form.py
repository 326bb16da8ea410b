"""The form that starts a configuration with changes: its values, those that differ marked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.forms import attempt
from mlops.domain import configurations, executions, variations
from mlops.views.preflight import Preflight
from mlops.views.wizard_fields import ParameterField, SlotField

HELD = "Nothing was started: a check fails. See what to do, or choose to start anyway."


@dataclass(frozen=True)
class Change:
    """One value that differs. old, new: "" for none."""

    name: str
    old: str
    new: str


class VariationForm:
    """query: `execution` or `configuration` says what to start from; post: the fields, when sent.

    Raises NotFound for one of another group.
    """

    def __init__(self, scope: Scope, query: QueryDict, post: QueryDict | None = None) -> None:
        self._scope = scope
        self._post = post or QueryDict()
        key, wanted = query.get("execution", ""), query.get("configuration", "")
        self.origin = executions.get(scope, key) if key else None
        self.configuration: Any = None
        if self.origin or wanted:
            chosen = self.origin.configuration_id if self.origin else wanted
            self.configuration = configurations.get(scope, chosen)
        self.errors: dict[str, str] = {}

    @property
    def query(self) -> str:
        """The part of the address that says what to start from."""
        if self.origin:
            return f"?execution={self.origin.pk}"
        return f"?configuration={self.configuration.pk}" if self.configuration else ""

    @cached_property
    def bindings(self) -> configurations.Bindings:
        """What the configuration binds."""
        return configurations.bindings(self.configuration)

    @cached_property
    def old(self) -> variations.Values:
        """Values and artifact ids of the configuration."""
        bound = self.bindings
        return (
            {told.name: value for told, value in bound.parameters},
            {slot.name: str(artifact.pk) for slot, artifact in bound.artifacts},
        )

    @cached_property
    def given(self) -> variations.Values:
        """Values and artifact ids as sent; a text area's line ends become those of the template."""
        found: variations.Values = ({}, {})
        for field, value in self._post.items():
            kind, _, name = field.partition(".")
            if kind in ("parameters", "artifacts"):
                found[kind == "artifacts"][name] = str(value).replace("\r\n", "\n")
        return found

    @property
    def name(self) -> str:
        """The new configuration's name as sent, "" for one made of what changed."""
        return self._post.get("name", "").strip()

    @property
    def suggestion(self) -> str:
        """The name it gets when none is given."""
        new = self.old[0] | self.given[0]
        return variations.named(self.configuration.name, variations.differing(self.old[0], new))

    @property
    def fields(self) -> list[tuple[ParameterField, str, bool]]:
        """Every parameter as a field, with its value so far and whether the one given differs."""
        shown = self.old[0] | self.given[0]
        return [
            (
                ParameterField(told, shown[told.name], self.errors.get(f"parameters.{told.name}", "")),
                value,
                shown[told.name] != value,
            )
            for told, value in self.bindings.parameters
        ]

    @cached_property
    def slots(self) -> list[tuple[SlotField, bool]]:
        """Every input with the artifacts to choose from, and whether the one given differs."""
        version = self.configuration.executable_version
        choices = configurations.choices(self._scope, version)
        shown = self.old[1] | self.given[1]
        template_slots = configurations.slots(version)
        return [
            (
                SlotField(
                    slot,
                    self._with_bound(slot.name, choices[slot.name]),
                    shown.get(slot.name, ""),
                    "",
                    self.errors.get(f"artifacts.{slot.name}", ""),
                ),
                shown.get(slot.name, "") != self.old[1].get(slot.name, ""),
            )
            for slot in template_slots
        ]

    def _with_bound(self, name: str, choices: list[Any]) -> list[Any]:
        """The choices, and what is bound now when it is older than all of them."""
        bound = {slot.name: artifact for slot, artifact in self.bindings.artifacts}.get(name)
        return choices if bound is None or bound in choices else [bound, *choices]

    @property
    def changes(self) -> list[Change]:
        """What differs from the configuration."""
        titles = {
            str(artifact.pk): str(artifact) for slot, _ in self.slots for artifact, _chosen in slot.options
        }
        found = [
            Change(name, self.old[0].get(name, ""), value)
            for name, value in variations.differing(self.old[0], self.given[0]).items()
        ]
        return found + [
            Change(name, titles.get(self.old[1].get(name, ""), ""), titles.get(value, value))
            for name, value in variations.differing(self.old[1], self.given[1]).items()
        ]

    @cached_property
    def preflight(self) -> Preflight:
        """What is looked at before it starts."""
        chosen = self.old[1] | self.given[1]
        return Preflight(
            self._scope, self.configuration, inputs={key: value for key, value in chosen.items() if value}
        )

    @property
    def is_held(self) -> bool:
        """Whether a check fails and nobody said to start anyway."""
        return self.preflight.is_bad and not self._post.get("anyway")

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        fields = {f"parameters.{told.name}" for told, _ in self.bindings.parameters}
        fields |= {f"artifacts.{slot.name}" for slot, _ in self.slots} | {"name"}
        return next((sentence for field, sentence in self.errors.items() if field not in fields), "")

    def submit(self) -> Any:
        """Start it; None when something is wrong, which the fields then say."""
        if self.is_held:
            self.errors = {"": HELD}
            return None
        made, self.errors = attempt(
            lambda: variations.create(
                self._scope,
                configuration=self.configuration.pk,
                parameters=self.given[0],
                artifacts=self.given[1],
                name=self.name,
                origin=self.origin.pk if self.origin else "",
            )
        )
        return made
