"""Where requests to a deployment go: its ready servers, and the limits of their revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import FilteredRelation, Q

from mlops.domain import catalog, servings
from mlops.lifecycle import Status
from mlops.models import Deployment, Revision

# An IN of many values is slow to phrase, and SQLite takes a few thousand.
_AT_ONCE = 500
_KEPT = 10_000
_lock = threading.Lock()
_limits: OrderedDict[int, Limits] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a revision's template says of requests. concurrency: at once to one server, 0 for any number."""

    concurrency: int
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server that may get requests. address: `host:port`. attempt: tells it from earlier ones there."""

    replica: int
    attempt: int
    address: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A revision that gets a share of the requests. weight: of all branches' together."""

    revision: int
    weight: int
    limits: Limits
    servers: tuple[Server, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """What becomes of requests to a deployment, as one moment of the table has it.

    branches: revisions that answer, by weight; today one. shadow: a revision that gets copies whose answers
    nobody sees; None today. share: of how many of 100 requests a copy is kept, 0 for none. message: what the
    deployment says of itself.
    """

    deployment: str
    workspace: str
    group: str
    status: Status
    message: str
    is_archived: bool
    share: int
    branches: tuple[Branch, ...]
    shadow: Branch | None = None


def find(deployment_id: str) -> Route | None:
    """The route of one deployment, None where there is none. At most two queries."""
    return look_up([deployment_id]).get(deployment_id)


def look_up(deployment_ids: Collection[str]) -> dict[str, Route]:
    """Routes by deployment; those that are gone are left out.

    One query, and another one when a revision is seen for the first time. For the gateway, which opens a
    scope on the deployment's group before it sends anything there.
    """
    keys = list(deployment_ids)
    found: dict[str, Route] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found |= _look_up(keys[start : start + _AT_ONCE])
    return found


def _look_up(keys: list[str]) -> dict[str, Route]:
    ready = Q(replicas__status=Status.RUNNING, replicas__is_ready=True, replicas__draining_at=None)
    rows = Deployment.unscoped.filter(pk__in=keys).annotate(
        ready=FilteredRelation("replicas", condition=ready & ~Q(replicas__address=""))
    )
    table = rows.order_by("pk", "ready__index").values_list(
        *("pk", "resource_group__workspace_id", "resource_group__slug", "status", "status_message"),
        *("archived_at", "keeps_predictions", "prediction_share", "serving"),
        *("ready__revision__number", "ready__revision_id", "ready__pk", "ready__attempt", "ready__address"),
    )
    heads: dict[str, tuple[str, str, str, str, bool, int]] = {}
    servers: dict[str, dict[tuple[int, int], list[Server]]] = {}
    for key, workspace, group, status, message, archived, keeps, share, serving, number, pk, *server in table:
        heads[key] = (workspace, group, status, message, archived is not None, share if keeps else 0)
        if number is not None and number == serving:
            servers.setdefault(key, {}).setdefault((number, pk), []).append(Server(*server))
    limits = _limits_of({pk for branches in servers.values() for _number, pk in branches})
    found = {}
    for key, (workspace, group, status, message, is_archived, share) in heads.items():
        branches = tuple(
            Branch(number, 100, limits[pk], tuple(members))
            for (number, pk), members in servers.get(key, {}).items()
            if pk in limits
        )
        found[key] = Route(key, workspace, group, Status(status), message, is_archived, share, branches)
    return found


def _limits_of(revisions: Iterable[int]) -> dict[int, Limits]:
    """Limits by revision: a revision never changes, so they are read once."""
    found: dict[int, Limits] = {}
    with _lock:
        for pk in revisions:
            if pk in _limits:
                _limits.move_to_end(pk)
                found[pk] = _limits[pk]
    unknown = set(revisions) - set(found)
    if not unknown:
        return found
    rows = Revision.unscoped.filter(pk__in=unknown).select_related("executable_version")
    for revision in rows.prefetch_related("configuration__parameters"):
        values = {row.key: row.value for row in revision.configuration.parameters.all()}
        plan = servings.plan(catalog.describe(revision.executable_version), values)
        found[revision.pk] = Limits(plan.concurrency, float(plan.timeout_seconds))
    with _lock:
        _limits.update(found)
        while len(_limits) > _KEPT:
            _limits.popitem(last=False)
    return found
