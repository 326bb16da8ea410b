"""Which deployments a list shows, with how many of their servers are ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest, Now

from launchpad.access import Scope
from mlops.domain import source_filters
from mlops.domain.capped import CappedCount
from mlops.lifecycle import STOPPABLE, Status
from mlops.models import Configuration, Deployment, Replica, Revision

# A deployment that ends within this time is near its end.
NEAR = timedelta(days=1)
_REFERRED = {
    "configuration_name": "configuration__name",
    "executable_slug": "executable__slug",
    "scenario_slug": "executable__scenario__slug",
    "version_label": "executable_version__label",
    "author": "created_by__username",
}


@dataclass(frozen=True)
class Filters:
    """What all of the deployments shown have in common; what is empty filters nothing.

    statuses: any of them. q: the beginning of the key, or a part of the configuration's name, whatever the
    case. scenario, executable: slugs; version: its label. by: a user's name. ending: only those that end
    within NEAR. archived: only those that are put away, else only those that are not.
    """

    statuses: tuple[str, ...] = ()
    q: str = ""
    scenario: str = ""
    version: str = ""
    executable: str = ""
    configuration: UUID | None = None
    by: str = ""
    ending: bool = False
    archived: bool = False

    @property
    def is_indexed(self) -> bool:
        """Whether an index leads to the rows, or they are met soon in the list's order."""
        sources = bool(self.scenario or self.executable or self.version)
        origins = bool(self.by) + bool(self.configuration) + sources
        return origins <= 1 and not (origins and self.statuses) and not self.q


def everything(scope: Scope, *, archived: bool = False) -> QuerySet[Deployment]:
    """The deployments that are in the list, or those put away, newest first."""
    rows = scope.of(Deployment).filter(archived_at__isnull=not archived)
    return rows.order_by("-created_at", "-pk")


def anything(scope: Scope) -> QuerySet[Deployment]:
    """The deployments of the group, put away or not."""
    return scope.of(Deployment).order_by()


def near_end(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Those that serve, or are about to, and end within NEAR."""
    return rows.filter(
        status__in=STOPPABLE, archived_at__isnull=True, expires_at__isnull=False, expires_at__lte=Now() + NEAR
    )


def find(scope: Scope, filters: Filters) -> QuerySet[Deployment]:
    """The deployments that the filters leave, newest first."""
    rows = everything(scope, archived=filters.archived)
    if filters.statuses:
        rows = rows.filter(status__in=filters.statuses)
    if filters.q:
        named = scope.of(Configuration).filter(name__icontains=filters.q).order_by().values("pk")
        rows = rows.filter(Q(pk__startswith=filters.q.lower()) | Q(configuration__in=named))
    if filters.configuration is not None:
        rows = rows.filter(configuration=filters.configuration)
    if filters.by:
        person = User.objects.filter(username=filters.by).values("pk")[:1]
        rows = rows.filter(created_by=Subquery(person))
    if filters.ending:
        rows = near_end(rows)
    return source_filters.narrow(
        scope,
        rows,
        scenario=filters.scenario,
        executable=filters.executable,
        version=filters.version,
    )


def with_health(scope: Scope, rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """The rows with how their servers fare: ready of wanted, of the revision that gets the requests.

    Before the first take-over, of the newest. Servers that finish their last requests do not count.
    newest_status: of the newest revision.
    """
    number = Coalesce(OuterRef("serving"), OuterRef("newest"))
    wanted = scope.of(Revision).filter(deployment=OuterRef("pk"), number=number)
    servers = scope.of(Replica).filter(
        deployment=OuterRef("pk"), revision__number=number, draining_at__isnull=True
    )
    there = servers.filter(status__in=(Status.PENDING, Status.RUNNING))
    ready = servers.filter(status=Status.RUNNING, is_ready=True)
    asked = Subquery(wanted.values("replicas")[:1])
    newest = scope.of(Revision).filter(deployment=OuterRef("pk"), number=OuterRef("newest"))
    return rows.annotate(
        newest_status=Subquery(newest.values("status")[:1]),
        ready=CappedCount(ready.order_by().values("pk")),
        wanted=Case(
            When(
                status__in=STOPPABLE,
                then=Greatest(Coalesce(asked, 0), CappedCount(there.order_by().values("pk"))),
            ),
            default=None,
            output_field=IntegerField(),
        ),
    )


def for_list(scope: Scope, rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """The rows with what a list shows of each, each one object.

    configuration_name, executable_slug, scenario_slug, version_label, author: from the rows they refer to,
    author a user's name or None. ready, wanted: as `with_health`.
    """
    shown: dict[str, Any] = {name: F(path) for name, path in _REFERRED.items()}
    return with_health(scope, rows).annotate(**shown)
