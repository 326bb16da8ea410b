"""The form that starts many: values of each parameter, then a table of what will run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from launchpad.forms import attempt
from mlops.domain import sweeps
from mlops.views.preflight import Preflight
from mlops.views.variation_form import HELD, VariationForm

MAX_LINES = 200


@dataclass(frozen=True)
class Axis:
    """One parameter of the grid. values: as given, else the configuration's own alone.

    is_fixed: its value has several lines, which no line of the form can hold, so it stays as it is.
    """

    told: Any
    value: str
    values: tuple[str, ...]
    error: str = ""

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.told.name

    @property
    def is_fixed(self) -> bool:
        """Whether it cannot be varied here."""
        return "\n" in self.value

    @property
    def text(self) -> str:
        """The values, one a line."""
        return "\n".join(self.values)

    @property
    def options(self) -> list[tuple[str, bool]]:
        """The values that the template allows, with whether each is wanted; [] when it allows any."""
        return [(one, one in self.values) for one in self.told.enum]


class SweepForm(VariationForm):
    """query and post as of the form with changes; `grid.<parameter>` holds values, one a line or repeated."""

    plan: Any = None

    @cached_property
    def grid(self) -> dict[str, list[str]]:
        """Values of each parameter as sent; blank lines do not count."""
        found: dict[str, list[str]] = {}
        for field in self._post:
            kind, _, name = field.partition(".")
            if kind == "grid":
                lines = [line for one in self._post.getlist(field) for line in str(one).splitlines()]
                found[name] = [line.strip() for line in lines if line.strip()][:MAX_LINES]
        return found

    @property
    def axes(self) -> list[Axis]:
        """Every parameter with its values."""
        return [
            Axis(
                told,
                value,
                tuple(self.grid.get(told.name, [value] if value else [])),
                self.errors.get(f"parameters.{told.name}", ""),
            )
            for told, value in self.bindings.parameters
        ]

    @property
    def _varied(self) -> dict[str, list[str]]:
        """The values of those that are not merely as they were."""
        old = self.old[0]
        return {
            name: values for name, values in self.grid.items() if values and values != [old.get(name, "")]
        }

    def look(self) -> bool:
        """Make the plan; False when something is wrong, which the fields then say."""
        self.plan, self.errors = attempt(
            lambda: sweeps.plan(self._scope, self.configuration.pk, self._varied)
        )
        return self.plan is not None

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        fields = {f"parameters.{axis.name}" for axis in self.axes if not axis.is_fixed}
        return next((sentence for field, sentence in self.errors.items() if field not in fields), "")

    @property
    def rows(self) -> list[list[str]]:
        """The values of each run of the plan, in the order of its axes."""
        return [[row[name] for name in self.plan.names] for row in self.plan.rows]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The grid as fields of the form that starts it."""
        return [(f"grid.{name}", "\n".join(values)) for name, values in self.grid.items()]

    @cached_property
    def preflight(self) -> Preflight:
        """What is looked at before they start."""
        return Preflight(self._scope, self.configuration, count=len(self.plan.rows) if self.plan else 1)

    def submit(self) -> Any:
        """Start every run of the plan; None when something is wrong."""
        if not self.look():
            return None
        if self.is_held:
            self.errors = {"": HELD}
            return None
        made, self.errors = attempt(
            lambda: sweeps.start(
                self._scope, self.plan, name=self.name, origin=self.origin.pk if self.origin else ""
            )
        )
        return made
