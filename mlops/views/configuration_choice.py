"""Configurations to choose from, and one of them in full: to run one, or to deploy one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import configuration_search, configurations
from mlops.views import api_calls
from mlops.views.nouns import BY_KIND
from mlops.views.preflight import Preflight

SHOWN = 50
MAX_QUERY = 80


class Choice:
    """query: `q` filters by name, `configuration` is the id of the one chosen, `anyway` overrules checks.

    executable: the slug of the only one whose configurations are offered, to be deployed; "" for all that are
    run. wanted: the id of the one chosen where the query names none. address: what the addresses of this page
    begin with, up to the value of `configuration` or `q`.
    """

    def __init__(
        self, scope: Scope, query: QueryDict, *, executable: str = "", wanted: str = "", address: str = "?"
    ) -> None:
        self._scope = scope
        self._executable = executable
        self.address = address
        self.q = query.get("q", "").replace("\x00", "").strip()[:MAX_QUERY]
        self.wanted = query.get("configuration", "") or wanted
        self._anyway = bool(query.get("anyway"))

    @cached_property
    def selected(self) -> Any:
        """The one chosen, None while none is. Raises NotFound for one of another group."""
        return configurations.get(self._scope, self.wanted) if self.wanted else None

    @cached_property
    def preflight(self) -> Preflight:
        """What is looked at before it starts."""
        return Preflight(self._scope, self.selected, serves=bool(self._executable))

    @property
    def may_start(self) -> bool:
        """Whether one is chosen and nothing keeps it from starting."""
        return self.selected is not None and (self._anyway or not self.preflight.is_bad)

    @cached_property
    def bindings(self) -> configurations.Bindings | None:
        """Parameters and inputs of the one chosen."""
        return configurations.bindings(self.selected) if self.selected else None

    @property
    def inputs(self) -> list[tuple[Any, str, Any]]:
        """The inputs that the one chosen binds: slot, address of the artifact's page, artifact."""
        bound = self.bindings.artifacts if self.bindings else ()
        return [
            (slot, place_url(self._scope, BY_KIND[artifact.kind].detail, artifact.pk), artifact)
            for slot, artifact in bound
        ]

    @cached_property
    def _found(self) -> list[Any]:
        wanted: dict[str, Any] = {"executable": self._executable} if self._executable else {"runnable": True}
        return list(configuration_search.search(self._scope, q=self.q, **wanted)[: SHOWN + 1])

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
