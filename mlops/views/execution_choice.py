"""What the page that creates an execution shows: configurations to choose from and one of them in full."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import configuration_search, configurations
from mlops.views import api_calls
from mlops.views.preflight import Preflight

SHOWN = 50
MAX_QUERY = 80


class Choice:
    """query: `q` filters by name, `configuration` is the id of the one chosen, `anyway` overrules checks."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self.q = query.get("q", "").replace("\x00", "").strip()[:MAX_QUERY]
        self.wanted = query.get("configuration", "")
        self._anyway = bool(query.get("anyway"))

    @cached_property
    def selected(self) -> Any:
        """The one chosen, None while none is. Raises NotFound for one of another group."""
        return configurations.get(self._scope, self.wanted) if self.wanted else None

    @cached_property
    def preflight(self) -> Preflight:
        """What is looked at before it starts."""
        return Preflight(self._scope, self.selected)

    @property
    def may_start(self) -> bool:
        """Whether one is chosen and nothing keeps it from starting."""
        return self.selected is not None and (self._anyway or not self.preflight.is_bad)

    @cached_property
    def bindings(self) -> configurations.Bindings | None:
        """Parameters and inputs of the one chosen."""
        return configurations.bindings(self.selected) if self.selected else None

    @cached_property
    def _found(self) -> list[Any]:
        return list(configuration_search.search(self._scope, q=self.q, runnable=True)[: SHOWN + 1])

    @property
    def configurations(self) -> list[Any]:
        """The newest that match, the chosen one among them if it matches."""
        return self._found[:SHOWN]

    @property
    def api(self) -> api_calls.ApiUse | None:
        """The call that runs the one chosen, else the first one shown; None when there is none."""
        one = self.selected or next(iter(self.configurations), None)
        return api_calls.new_execution(self._scope, one.pk, one.name) if one else None

    @property
    def is_cut(self) -> bool:
        """Whether more match than are shown."""
        return len(self._found) > SHOWN

    @property
    def is_hidden(self) -> bool:
        """Whether the chosen one is not among those shown."""
        return self.selected is not None and self.selected not in self.configurations
