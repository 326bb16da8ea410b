"""Whether anything of a deployment changed since somebody looked: its own row, revisions and servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from launchpad.access import Scope
from mlops.domain import deployments
from mlops.domain.watching import State
from mlops.lifecycle import FINAL, LIVE, Status
from mlops.models import Deployment, Replica, Revision


def state(scope: Scope, deployment: Deployment) -> State:
    """The state of a deployment now; two queries."""
    servers = deployments.replica_list(scope, deployment).filter(status__in=LIVE)
    return state_of(deployment, deployments.revision_list(scope, deployment), servers)


def state_of(deployment: Deployment, revisions: Iterable[Revision], servers: Iterable[Replica]) -> State:
    """The state that these rows tell; over once the deployment rests and no server of it is left.

    revisions: all, in any order. servers: those that live are looked at, ended ones change no more.
    """
    own = (
        deployment.target_status,
        deployment.status_message,
        deployment.newest,
        deployment.serving,
        deployment.expires_at,
        deployment.archived_at,
    )
    live = sorted(
        (one.pk, one.status, one.is_ready, one.restarts, one.message, str(one.draining_at))
        for one in servers
        if one.status in LIVE
    )
    told = sorted((one.number, one.status, one.message) for one in revisions)
    digest = hashlib.sha256(repr((deployment.status, own, told, live)).encode()).hexdigest()[:16]
    is_over = deployment.status in FINAL | {Status.DELETING} and not live
    return State(deployment.status, digest, is_over)
