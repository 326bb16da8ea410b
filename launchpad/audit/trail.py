"""Reading the audit trail: a workspace's for its administrators, an object's for everyone who may view it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from launchpad.access import Scope
from launchpad.audit.models import AuditEvent

WINDOW = 100_000
HISTORY = 50


@dataclass(frozen=True)
class Filters:
    """What of a trail is wanted; empty values leave it whole.

    who: part of the actor's name. verb: its beginning, such as `executions.`. thing: part of an object's
    name, its type, or its id. group: a resource group's key. since, until: aware moments, until exclusive.
    """

    who: str = ""
    verb: str = ""
    thing: str = ""
    group: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def reads(self) -> bool:
        """Whether no index serves them, so that only the newest WINDOW events are read."""
        return bool(self.who or self.verb or self.thing)


def search(scope: Scope, filters: Filters) -> QuerySet[AuditEvent]:
    """Events of the workspace and all its groups, newest first, for its administrators.

    A filter that no index serves reads the newest WINDOW events of the group and days chosen. Raises
    Forbidden.
    """
    scope.administer()
    rows = AuditEvent.unscoped.filter(workspace=scope.workspace.pk).order_by("-id")
    # Events are numbered as time goes by: the edges are looked up once, then the page reads the key alone.
    if filters.since is not None:
        edge = rows.filter(at__gte=filters.since).order_by("at", "id").values("id")[:1]
        rows = rows.filter(id__gte=Subquery(edge), at__gte=filters.since)
    if filters.until is not None:
        edge = rows.filter(at__lt=filters.until).order_by("-at", "-id").values("id")[:1]
        rows = rows.filter(id__lte=Subquery(edge), at__lt=filters.until)
    if filters.group is not None:
        rows = rows.filter(resource_group=filters.group)
    if filters.reads:
        last = rows.values("id")[WINDOW - 1 : WINDOW]
        rows = rows.filter(id__gte=Coalesce(Subquery(last), Value(0), output_field=BigIntegerField()))
    if filters.who:
        rows = rows.filter(actor__icontains=filters.who)
    if filters.verb:
        rows = rows.filter(verb__istartswith=filters.verb)
    if filters.thing:
        rows = rows.filter(
            Q(object_name__icontains=filters.thing)
            | Q(object_id=filters.thing)
            | Q(object_type=filters.thing.lower())
        )
    return rows


def history(scope: Scope, row: Model) -> list[AuditEvent]:
    """The newest HISTORY events of one object that the scope's holder may view, newest first; one query.

    Of an object of the workspace: those that happened in the scope's own resource group or in none.
    """
    here = Q(resource_group=None)
    if scope.resource_group is not None:
        here |= Q(resource_group=scope.resource_group.pk)
    found: QuerySet[Any] = AuditEvent.unscoped.filter(
        here,
        workspace=scope.workspace.pk,
        object_type=row._meta.model_name,
        object_id=str(row.pk)[:64],
    )
    return list(found.order_by("-id")[:HISTORY])
