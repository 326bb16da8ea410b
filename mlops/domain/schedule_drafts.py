"""Drafts of the wizard that makes a schedule."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.commands import command
from mlops.domain import catalog, configurations, drafts, schedules
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.models import Schedule, ScheduleDraft

TIMING = ("rule", "cron", "zone", "once_at", "start", "end", "every", "at", "weekday", "day")
POLICIES = (
    *("overlap", "catch_up", "catch_up_limit", "retries", "retry_pause", "retry_unit"),
    *("time_limit", "limit_unit", "pause_after"),
)
FIELDS = frozenset({"scenario", "executable", "configuration", "name", *TIMING, *POLICIES})
_FOUND_BY = {
    "scenario": catalog.scenario,
    "executable": catalog.executable,
    "configuration": configurations.get,
}


def every(scope: Scope) -> QuerySet[ScheduleDraft]:
    """The holder's own drafts in this resource group, the one touched last first."""
    return drafts.every(scope, ScheduleDraft)


def get(scope: Scope, draft_id: str | uuid.UUID) -> ScheduleDraft:
    """One of the holder's own drafts, without what it names and is not there any more; raises NotFound."""
    found = drafts.get(scope, ScheduleDraft, draft_id)
    for field, look_up in _FOUND_BY.items():
        key = found.data.get(field)
        if key and not drafts.is_there(scope, look_up, key):
            found.data[field] = ""
    return found


@command(audit=False)
def save(scope: Scope, draft_id: str | uuid.UUID | None, data: Mapping[str, Any]) -> ScheduleDraft:
    """Keep a draft, as `drafts.keep`: a new one for None. Raises Forbidden, NotFound, Invalid, Conflict."""
    return drafts.keep(scope, ScheduleDraft, draft_id, data, fields=FIELDS)


@command(audit=False)
def bind(scope: Scope, draft_id: str | uuid.UUID, *, configuration: uuid.UUID) -> ScheduleDraft | None:
    """Choose a configuration in a draft of one's own; None when the draft is gone. Raises Forbidden."""
    return drafts.choose(scope, get, draft_id, {"configuration": str(configuration)})


@command(audit=False)
def submit(
    scope: Scope,
    draft_id: str | uuid.UUID,
    *,
    name: str,
    configuration: uuid.UUID | str,
    timing: Timing,
    policy: Policies,
) -> Schedule:
    """Make a schedule of a draft of one's own, which is gone then: of two who do so, one alone makes it.

    Raises Forbidden and Invalid as `schedules.create`, and NotFound for a draft that is gone.
    """
    scope.one(every(scope).select_for_update(), pk=draft_id).delete()
    return schedules.create(scope, name=name, configuration=configuration, timing=timing, policy=policy)


@command(audit=False)
def discard(scope: Scope, draft_id: str | uuid.UUID) -> None:
    """Remove a draft of one's own. Raises Forbidden, NotFound."""
    get(scope, draft_id).delete()
