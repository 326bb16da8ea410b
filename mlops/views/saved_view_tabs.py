"""Views of a list as tabs: those that everybody has, and those that were saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain.saved_views import View


@dataclass(frozen=True)
class Tab:
    """One view. query: the address part that shows it; count: None where none is told."""

    label: str
    query: str
    is_current: bool
    count: int | None = None
    is_shared: bool = False


class Tabs:
    """The views of one list. noun: the list's; usual: what everybody has; here: the query shown now."""

    def __init__(
        self, scope: Scope, noun: str, usual: Sequence[Tab], saved: Sequence[View], here: str
    ) -> None:
        self.noun = noun
        self.create_url = place_url(scope, "mlops:saved_views.create")
        self.manage_url = f"{place_url(scope, 'mlops:saved_views.index')}?noun={noun}"
        self.here = here.removeprefix("?")
        own = [
            Tab(view.name, f"?{view.query}", self._is_here(view.query), is_shared=view.is_shared)
            for view in saved
        ]
        # What was saved says more than what everybody has.
        is_saved = any(tab.is_current for tab in own)
        first = [Tab(tab.label, tab.query, tab.is_current and not is_saved, tab.count) for tab in usual]
        self.all = [*first, *own]
        self.has_saved = bool(own)

    def _is_here(self, query: str) -> bool:
        return bool(query) and _pairs(query) == _pairs(self.here)


def _pairs(query: str) -> list[tuple[str, str]]:
    return sorted((name, value) for name, values in QueryDict(query).lists() for value in values)
