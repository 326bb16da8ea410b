"""The fields of the configuration wizard: one for a parameter, one for an input artifact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops.views.nouns import BY_KIND, Noun

LONG = 120


@dataclass(frozen=True)
class ParameterField:
    """A parameter as a form field. told: what the template says; given None: nothing was typed yet."""

    told: Any
    given: str | None
    error: str = ""

    @property
    def name(self) -> str:
        """The parameter's name, spelt as in the template."""
        return self.told.name

    @property
    def value(self) -> str:
        """What was typed, else the default."""
        return self.given if self.given is not None else self.told.default or ""

    @property
    def is_mandatory(self) -> bool:
        """Whether the template gives no default."""
        return self.told.default is None

    @property
    def is_changed(self) -> bool:
        """Whether the value is another than the default."""
        return not self.is_mandatory and self.value != self.told.default

    @property
    def is_long(self) -> bool:
        """Whether it takes more than one line."""
        return "\n" in self.value or len(self.value) > LONG

    @property
    def options(self) -> list[str]:
        """Values to choose from; one that is not allowed any more stays visible until it is changed."""
        allowed = list(self.told.enum)
        if not allowed:
            return []
        missing = [] if self.value in allowed else [self.value]
        return missing + allowed


@dataclass(frozen=True)
class SlotField:
    """An input as a group of radio buttons. chosen: an artifact's id, "" for none on purpose."""

    told: Any
    choices: list[Any]
    given: str | None
    registered: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """The input's name, spelt as in the template."""
        return self.told.name

    @property
    def noun(self) -> Noun:
        """The kind of artifact it takes."""
        return BY_KIND[self.told.kind]

    @property
    def chosen(self) -> str:
        """The id chosen: what was just registered, what was chosen before, or the only one there is."""
        ids = [str(artifact.pk) for artifact in self.choices]
        if self.registered in ids:
            return self.registered
        if self.given is None and len(ids) == 1 and not self.told.optional:
            return ids[0]
        return self.given or ""

    @property
    def options(self) -> list[tuple[Any, bool]]:
        """Artifacts with whether each is chosen."""
        return [(artifact, str(artifact.pk) == self.chosen) for artifact in self.choices]

    @property
    def artifact(self) -> Any:
        """The artifact chosen, None for none."""
        return next((artifact for artifact, is_chosen in self.options if is_chosen), None)

    @property
    def is_gone(self) -> bool:
        """Whether what was chosen before is not to be had any more."""
        return bool(self.given) and self.artifact is None
