"""The servers of a deployment: which are there, which are ready, how many there may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from launchpad.access import Scope
from mlops.domain import deployments
from mlops.lifecycle import LIVE, Status
from mlops.views.deployment_charts import Curve, chart, milliseconds
from mlops.views.execution_charts import Chart

ENDED = 20
_CHARTED = 200
_SPAN = timedelta(days=1)


class Servers:
    """The servers of a deployment; a query for those that live, one for others.

    revision: the one that gets the requests, or is to; None where there is none.
    """

    def __init__(self, scope: Scope, deployment: Any, revision: Any) -> None:
        self._scope = scope
        self._deployment = deployment
        self._revision = revision

    @cached_property
    def live(self) -> list[Any]:
        """Those that are there or come."""
        return list(deployments.replica_list(self._scope, self._deployment).filter(status__in=LIVE))

    @cached_property
    def _ended(self) -> list[Any]:
        rows = deployments.replica_list(self._scope, self._deployment).exclude(status__in=LIVE)
        return list(rows.order_by("-ended_at", "-pk")[:_CHARTED])

    @property
    def ended(self) -> list[Any]:
        """The newest of those that are gone."""
        return self._ended[:ENDED]

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
    def wanted(self) -> int:
        """How many of them there should be at least."""
        return self._revision.replicas if self._revision else 0

    @property
    def most(self) -> int:
        """How many there may be."""
        return self._revision.most if self._revision else 0

    @property
    def restarts(self) -> int:
        """How often those that live ended by themselves."""
        return sum(one.restarts for one in self.live)

    @property
    def trouble(self) -> str:
        """What the first server that is not ready says of itself, "" without one."""
        return next((one.message for one in self.own if not one.is_ready and one.message), "")

    @cached_property
    def chart(self) -> Chart | None:
        """How many ran at a time within the last day, between how few and how many; None without any."""
        now = timezone.now()
        since = now - _SPAN
        moves: list[tuple[datetime, int]] = []
        for one in (*self.live, *self._ended):
            end = one.ended_at or now
            if one.started_at is not None and end > since:
                moves.append((max(one.started_at, since), 1))
                moves += [(end, -1)] if one.ended_at else []
        if not moves:
            return None
        running, curve = 0, []
        for at, change in sorted(moves):
            curve += [(milliseconds(at), running), (milliseconds(at), running + change)]
            running += change
        curve.append((milliseconds(now), running))
        ends = (curve[0][0], curve[-1][0])
        curves = [Curve("Running", curve[1:])]
        curves += [Curve("At least", [(x, self.wanted) for x in ends])]
        curves += [Curve("At most", [(x, self.most) for x in ends])]
        return chart("server-count", "Servers in the last 24 hours", curves)
