"""The servers of a deployment: which are there, which are ready, how many there may be."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops.domain import deployments
from mlops.lifecycle import LIVE, Status

ENDED = 20


class Servers:
    """All servers of a deployment, of the newest revision first; one query."""

    def __init__(self, scope: Scope, deployment: Any) -> None:
        self._scope = scope
        self._deployment = deployment

    @cached_property
    def _all(self) -> list[Any]:
        return list(deployments.replica_list(self._scope, self._deployment))

    @cached_property
    def live(self) -> list[Any]:
        """Those that are there or come."""
        return [one for one in self._all if one.status in LIVE]

    @property
    def ended(self) -> list[Any]:
        """The newest of those that are gone."""
        return [one for one in self._all if one.status not in LIVE][:ENDED]

    @property
    def rows(self) -> list[Any]:
        """Those that live, then the newest of those that ended."""
        return [*self.live, *self.ended]

    @property
    def is_any_live(self) -> bool:
        """Whether one of them still moves."""
        return bool(self.live)

    @property
    def number(self) -> int:
        """The revision that gets the requests, or is to."""
        return self._deployment.serving or self._deployment.newest

    @property
    def own(self) -> list[Any]:
        """The live ones of that revision that take requests, or will."""
        return [one for one in self.live if one.revision.number == self.number and one.draining_at is None]

    @property
    def ready(self) -> list[Any]:
        """Those of them that answer."""
        return [one for one in self.own if one.is_ready and one.status == Status.RUNNING]

    @property
    def revision(self) -> Any:
        """The revision that gets the requests, None without any server."""
        return next((one.revision for one in self._all if one.revision.number == self.number), None)

    @property
    def wanted(self) -> int:
        """How many of them there should be at least."""
        return self.revision.replicas if self.revision else 0

    @property
    def most(self) -> int:
        """How many there may be."""
        return self.revision.most if self.revision else 0

    @property
    def restarts(self) -> int:
        """How often those that live ended by themselves."""
        return sum(one.restarts for one in self.live)

    @property
    def trouble(self) -> str:
        """What the first server that is not ready says of itself, "" without one."""
        return next((one.message for one in self.own if not one.is_ready and one.message), "")
