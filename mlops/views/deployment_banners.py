"""What somebody who opens a deployment should know at once: what failed, what waits, what ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from launchpad.templatetags.launchpad import duration
from mlops.domain import deployments
from mlops.lifecycle import FINAL, Status
from mlops.views.deployment_revisions import Revisions
from mlops.views.deployment_servers import Servers


@dataclass(frozen=True)
class Banner:
    """One condition. kind: bad, warn or "". title: in a sentence; lines: what else there is to say.

    roll_back: the revision to return to, None where that is not offered. log: the address of the log that
    tells more, "" for none. restart, extend: whether that is offered.
    """

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    roll_back: int | None = None
    log: str = ""
    restart: bool = False
    extend: bool = False


def banners(deployment: Any, revisions: Revisions, servers: Servers, *, may_change: bool) -> list[Banner]:
    """Everything there is to say, gravest first. may_change: whether the reader may do something about it."""
    found = [*_failures(deployment, revisions, may_change), *_waiting(deployment, revisions, servers)]
    left = deployments.soon(deployment)
    if left is not None:
        text = "Then it is stopped and put away; its history stays readable."
        found.append(Banner("warn", f"Ends in {duration(left)}", (text,), extend=may_change))
    if deployment.archived_at is not None:
        text = "It is out of the list. Its history, log and revisions stay readable."
        if may_change and deployment.status in FINAL:
            text += " Started again, it has the same address."
        restart = may_change and deployment.status in FINAL and deployment.status != Status.DEAD
        found.append(Banner("", "This deployment is put away", (text,), restart=restart))
    elif deployment.status == Status.STOPPED:
        text = "Started again, it answers at the same address."
        found.append(Banner("", deployment.status_message or "Stopped.", (text,), restart=may_change))
    return found


def _failures(deployment: Any, revisions: Revisions, may_change: bool) -> Iterator[Banner]:
    newest = revisions.by_number.get(deployment.newest)
    if newest is None:
        return
    log = f"?tab=logs&part={newest.number}"
    good = _last_good(deployment, revisions)
    back = good.number if good is not None and may_change else None
    if deployment.status == Status.DEAD:
        cause = newest.message or deployment.status_message
        advice = "Nothing answers at its address now. Look into the log, then start it again"
        if good is not None:
            advice += f", or return to {good.configuration.name} (revision {good.number}), which ran before"
        elif may_change:
            advice += " or update it with another configuration"
        title = f"Revision {newest.number} failed and no other serves"
        yield Banner("bad", title, (cause, f"{advice}."), roll_back=back, log=log, restart=may_change)
    elif newest.status == Status.DEAD and deployment.serving not in (None, newest.number):
        title = f"The update to {newest.configuration.name} (revision {newest.number}) failed"
        lines = (newest.message,)
        if good is not None:
            lines += (f"{good.configuration.name} (revision {good.number}) still serves.",)
        yield Banner("bad", title, lines, roll_back=back, log=log)


def _last_good(deployment: Any, revisions: Revisions) -> Any:
    """The newest earlier revision that ever took over, which serves if any does; None without one."""
    return next(
        (one for one in revisions.all if one.number != deployment.newest and one.ready_at is not None), None
    )


def _waiting(deployment: Any, revisions: Revisions, servers: Servers) -> Iterator[Banner]:
    newest = revisions.by_number.get(deployment.newest)
    if newest is None or deployment.status not in (Status.PENDING, Status.RUNNING):
        return
    log = f"?tab=logs&part={newest.number}"
    says = next(
        (one.message for one in servers.live if one.revision.number == newest.number and one.message), ""
    )
    if deployment.serving is not None and deployment.status == Status.PENDING:
        again = (
            f"Started again {servers.restarts} times so far."
            if servers.restarts != 1
            else "Started again once."
        )
        lines = tuple(one for one in (servers.trouble, again if servers.restarts else "") if one)
        title = "No server is ready: requests are answered with 503 until one is"
        yield Banner("bad", title, lines, log=f"?tab=logs&part={deployment.serving}")
    elif deployment.serving is not None and newest.status == Status.PENDING:
        title = f"Revision {newest.number} is starting; revision {deployment.serving} serves meanwhile"
        yield Banner("", title, (says,) if says else (), log=log)
    elif deployment.serving is None:
        restarts = [f"Started again {servers.restarts} times so far."] if servers.restarts > 1 else []
        yield Banner("", "It is starting", tuple([says] if says else []) + tuple(restarts), log=log)
