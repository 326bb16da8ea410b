"""Releases: the version labels that a scenario's executables bear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from launchpad.access import Scope
from mlops.domain.label_selection import Selector, meets
from mlops.models import ExecutableVersion, Scenario


@dataclass(frozen=True)
class Release:
    """A version label of a scenario: when the first and when the last executable got it."""

    label: str
    created_at: datetime
    modified_at: datetime


def search(scope: Scope, scenario: Scenario, *, selectors: Iterable[Selector] = ()) -> list[Release]:
    """The releases of a scenario, the newest first.

    selectors: one of the versions with the label has labels that meet all of them.
    """
    wanted = tuple(selectors)
    found: dict[str, Release] = {}
    rows = scope.of(ExecutableVersion).filter(executable__scenario=scenario).order_by("created_at", "number")
    for label, created_at, labels in rows.values_list("label", "created_at", "spec__labels"):
        if meets(labels, wanted):
            first = found.get(label)
            found[label] = Release(label, first.created_at if first else created_at, created_at)
    return sorted(found.values(), key=lambda release: release.modified_at, reverse=True)
