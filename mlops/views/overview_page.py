"""What the overview shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from launchpad.access import Scope
from mlops.domain import flags, overview, secrets, usage, workers_alive
from mlops.domain.overview import Count, GroupFigures
from mlops.lifecycle import Status
from mlops.views.nouns import BY_KIND, Noun
from mlops.views.overview_bars import Failure, Segment, bars
from mlops.views.overview_deployments import Deployments
from mlops.views.overview_schedules import Schedules
from mlops.views.run_lanes import Timeline, timeline
from mlops.views.workers import Quota

# What bars are made of: the name of a count, its colour (a status, or the class of a series) and its word.
_OUTCOMES = tuple(
    (name, str(status), name if name != "dead" else "failed")
    for name, status in (
        ("completed", Status.COMPLETED),
        ("dead", Status.DEAD),
        ("stopped", Status.STOPPED),
        ("running", Status.RUNNING),
        ("pending", Status.PENDING),
    )
)
_KINDS = tuple(
    (kind, f"s{number}", noun.many) for number, (kind, noun) in enumerate(BY_KIND.items(), start=1)
)


@dataclass(frozen=True)
class Run:
    """An execution on the timeline. slug: of its executable; group: where; url: its page."""

    id: str
    status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    slug: str
    group: str
    url: str


class OverviewPage:
    """The overview of one resource group, or of those of a workspace that one may view.

    query: `group`, any number of times, chooses among a workspace's groups by slug; those that are not there
    for this person are left out and counted. At most overview.GROUPS_LIMIT are looked at.
    """

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._wanted = [] if scope.resource_group else list(dict.fromkeys(query.getlist("group")))
        self.now = timezone.now()

    @cached_property
    def groups(self) -> list[Any]:
        """Groups to choose from, by slug."""
        return overview.groups(self._scope)

    @cached_property
    def _chosen(self) -> list[Any]:
        return [group for group in self.groups if group.slug in set(self._wanted)] or self.groups

    @property
    def chosen(self) -> list[Any]:
        """The groups looked at."""
        return self._chosen[: overview.GROUPS_LIMIT]

    @property
    def choices(self) -> list[tuple[Any, bool]]:
        """Every group with whether it was asked for."""
        return [(group, group.slug in self._wanted) for group in self.groups]

    @property
    def is_narrowed(self) -> bool:
        """Whether some groups were asked for."""
        return len(self._chosen) < len(self.groups)

    @property
    def left_out(self) -> int:
        """How many of the groups asked for are not there for this person."""
        return len(set(self._wanted) - {group.slug for group in self.groups})

    @property
    def unseen(self) -> int:
        """How many groups there are beyond those looked at."""
        return len(self._chosen) - len(self.chosen)

    @property
    def here(self) -> str:
        """The address part that shows the same groups."""
        return "?" + urlencode([("group", group.slug) for group, is_wanted in self.choices if is_wanted])

    @property
    def only(self) -> Any:
        """The one group looked at; None for several."""
        return self.chosen[0] if len(self.chosen) == 1 else None

    @cached_property
    def told(self) -> list[GroupFigures]:
        """The groups' counts; one query."""
        return overview.figures(self.chosen, self.now)

    def total(self, *names: str) -> Count:
        """The sum of some counts over all groups."""
        return sum((one.counts[name] for one in self.told for name in names), Count())

    @cached_property
    def _runs(self) -> list[Any]:
        return overview.runs(self.told, self.now)

    @cached_property
    def timeline(self) -> Timeline:
        """The runs of the last 24 hours and what is due in the next six."""
        slugs = self._slugs
        rows = [
            Run(
                *(run.id, run.status, run.created_at, run.started_at, run.completed_at, run.slug),
                slugs[run.resource_group_id],
                self.url(slugs[run.resource_group_id], "mlops:executions.detail", run.id),
            )
            for run in self._runs
        ]
        return timeline(rows, self.now, self.schedules.upcoming)

    @cached_property
    def _slugs(self) -> dict[Any, str]:
        return {group.pk: group.slug for group in self.chosen}

    @cached_property
    def begun(self) -> Count:
        """How many executions were submitted in the last 24 hours."""
        return self.total("begun")

    @cached_property
    def failures(self) -> list[Failure]:
        """The executions that died last, within a day."""
        slugs = self._slugs
        return [
            Failure(
                run,
                slugs[run.resource_group_id],
                self.url(slugs[run.resource_group_id], "mlops:executions.detail", run.id),
            )
            for run in overview.failures(self.told, self.now)
        ]

    @property
    def more_failures(self) -> Count:
        """How many died within a day beyond those shown."""
        failed = self.total("failed")
        return Count(failed.value - len(self.failures), failed.is_more)

    @cached_property
    def deployments(self) -> Deployments:
        """What there is to tell of deployments."""
        return Deployments(self.told, only=self.only is not None, url=self.url)

    @cached_property
    def schedules(self) -> Schedules:
        """What there is to tell of schedules."""
        return Schedules(self.told, self.now, url=self.url)

    @property
    def waiting(self) -> list[GroupFigures]:
        """Groups in which executions wait for long."""
        return [one for one in self.told if one.counts["waiting"]]

    @cached_property
    def _workers(self) -> list[workers_alive.Sign]:
        return workers_alive.signs()

    @property
    def silent(self) -> list[workers_alive.Sign]:
        """Workers that should give signs of life and do not."""
        return [one for one in self._workers if not one.is_living]

    @property
    def slots(self) -> int:
        """Slots of the living workers for executions."""
        living = [one for one in self._workers if one.is_living and one.queue == workers_alive.EXECUTIONS]
        return sum(one.slots for one in living)

    @cached_property
    def quotas(self) -> list[Quota]:
        """What is limited, for those who administer the workspace; one query."""
        busy, shared = usage.limited(self._scope)
        return [
            Quota("Worker slots", busy, self.slots, "in use by all workspaces together"),
            Quota("Shared secrets", shared, secrets.SHARED_LIMIT, "for all resource groups"),
        ]

    @property
    def is_stranded(self) -> bool:
        """Whether something waits and no worker lives to take it."""
        return bool(self.pending) and not self.slots

    @property
    def attention(self) -> int:
        """How many things want to be looked at, as they are listed."""
        seen = (
            len(self.failures)
            + len(self.deployments.troubled)
            + len(self.schedules.paused)
            + len(self.schedules.refused)
            + len(self.waiting)
            + len(self.silent)
            + len(self.flags)
        )
        return seen + self.is_stranded

    @cached_property
    def flags(self) -> list[tuple[str, int]]:
        """Groups in which flags are open, by slug, with how many; one query."""
        return sorted(flags.open_in(self.chosen).items())

    @property
    def running(self) -> Count:
        """How many executions a worker holds now."""
        return self.total("running", "stopping")

    @property
    def pending(self) -> Count:
        """How many executions wait now."""
        return self.total("pending")

    @property
    def completed(self) -> Count:
        """How many of the week's executions completed."""
        return self.total("completed")

    @property
    def dead(self) -> Count:
        """How many of the week's executions failed."""
        return self.total("dead")

    @property
    def ended(self) -> Count:
        """How many of the week's executions ended by themselves."""
        return self.total("completed", "dead")

    @property
    def success(self) -> tuple[int | None, int | None]:
        """Percent of the ended executions that completed, submitted in this week and in the one before.

        None where none ended. Where too many ended to be counted, of the newest ones.
        """
        completed, dead = self.completed, self.dead
        if completed.is_more or dead.is_more:
            ends = [run.status for run in self._runs if run.status in (Status.COMPLETED, Status.DEAD)]
            return _percent(ends.count(Status.COMPLETED), ends.count(Status.DEAD)), None
        before = self.total("completed_before"), self.total("dead_before")
        is_known = not any(count.is_more for count in before)
        was = _percent(*(count.value for count in before)) if is_known else None
        return _percent(completed.value, dead.value), was

    @cached_property
    def durations(self) -> list[float]:
        """Seconds that the newest completed executions of the week took."""
        return [
            (run.completed_at - run.started_at).total_seconds()
            for run in self._runs
            if run.status == Status.COMPLETED and run.started_at
        ]

    @property
    def median_seconds(self) -> float | None:
        """The middle of `durations`; None without any."""
        return median(self.durations) if self.durations else None

    @property
    def artifacts(self) -> Count:
        """How many artifacts there are."""
        return self.total(*BY_KIND)

    @property
    def kinds(self) -> list[tuple[Noun, Count]]:
        """Each kind of artifact with how many there are."""
        return [(noun, self.total(kind)) for kind, noun in BY_KIND.items()]

    @property
    def by_group(self) -> list[tuple[GroupFigures, list[Segment]]]:
        """Each group with its executions as a bar; the longest bar belongs to the group that has most."""
        return [(one, bar) for one, bar in zip(self.told, bars(self.told, _OUTCOMES), strict=True)]

    @property
    def artifacts_by_group(self) -> list[tuple[GroupFigures, list[Segment], list[tuple[Noun, Count]]]]:
        """Each group with its artifacts as a bar and by kind."""
        return [
            (one, bar, [(noun, one.counts[kind]) for kind, noun in BY_KIND.items()])
            for one, bar in zip(self.told, bars(self.told, _KINDS), strict=True)
        ]

    @cached_property
    def scenarios(self) -> list[tuple[Any, str, str]]:
        """Each scenario with the widths of its bars of workflow and serving executables, in percent."""
        found = overview.scenarios(self._scope)
        most = max((one.workflow_count + one.serving_count for one in found), default=0) or 1
        return [
            (one, f"{one.workflow_count / most * 100:.2f}%", f"{one.serving_count / most * 100:.2f}%")
            for one in found
        ]

    @property
    def running_url(self) -> str:
        """The list of what runs."""
        return self._executions_url(Status.RUNNING, Status.STOPPING)

    @property
    def failures_url(self) -> str:
        """The list of what failed, whenever it was submitted."""
        return self._executions_url(Status.DEAD)

    @property
    def dead_url(self) -> str:
        """The list of what failed in the week."""
        return self._executions_url(Status.DEAD, within="7d")

    @property
    def completed_url(self) -> str:
        """The list of what completed in the week."""
        return self._executions_url(Status.COMPLETED, within="7d")

    def _executions_url(self, *statuses: Status, **more: str) -> str:
        """Executions of the one group looked at; of several groups, the table where each has its own."""
        if self.only is None:
            return "#by-group"
        query = urlencode([*(("status", str(status)) for status in statuses), *more.items()])
        return f"{self.url(self.only.slug, 'mlops:executions.index')}?{query}"

    def url(self, group: str, name: str, *args: Any) -> str:
        """A page in a group of this workspace."""
        return reverse(name, args=(self._scope.workspace.pk, group, *args))


def _percent(good: int, bad: int) -> int | None:
    return int(100 * good / (good + bad)) if good + bad else None
