"""Revisions of a deployment: opened with their replicas, taken over from, drained, ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from mlops import doorbell
from mlops.domain import enactments
from mlops.domain.servings import Plan
from mlops.lifecycle import FINAL, LIVE, Status, TargetStatus
from mlops.models import Deployment, Replica, Revision

ACTOR = "launchpad"
# The AI API lets a failed deployment be updated for so long; afterwards it is put away.
DEAD_DAYS = 7


def add(deployment: Deployment, plan: Plan, *, number: int, reason: str, user: User | None) -> Revision:
    """The next revision of a deployment with its replicas, all PENDING; runs inside a command's transaction.

    It binds what the deployment's row says: its configuration and version.
    """
    revision = Revision.unscoped.create(
        deployment=deployment,
        number=number,
        configuration_id=deployment.configuration_id,
        executable_version_id=deployment.executable_version_id,
        status=Status.PENDING,
        reason=reason[:256],
        replicas=plan.replicas,
        most=plan.most,
        created_by=user,
        created_at=timezone.now(),
    )
    start(revision)
    return revision


def start(revision: Revision) -> None:
    """Put the replicas of a PENDING revision on the table, and ring workers."""
    grow(revision, revision.replicas)


def grow(revision: Revision, count: int) -> None:
    """So many replicas more of a revision; rings workers."""
    Replica.unscoped.bulk_create(_replicas(revision, count))
    for _ in range(count):
        doorbell.deployments()


def shrink(revision: Revision, count: int) -> None:
    """So many replicas fewer of a revision, those begun last: they finish their requests and end."""
    rows = Replica.unscoped.filter(revision=revision, status__in=LIVE, draining_at=None)
    for replica in rows.order_by("-index")[:count]:
        _end_replica(replica, at_once=False)


def _replicas(revision: Revision, count: int) -> list[Replica]:
    known = Replica.unscoped.filter(revision=revision).aggregate(last=Max("index"))["last"]
    first = 0 if known is None else known + 1
    now = timezone.now()
    return [
        Replica(
            deployment_id=revision.deployment_id,
            revision=revision,
            index=first + number,
            status=Status.PENDING,
            message="Waiting for a worker",
            not_before=now,
            created_at=now,
        )
        for number in range(count)
    ]


def settle(deployment_id: str) -> None:
    """Do whatever follows from how the replicas of a deployment fare; commits once, harmless to repeat.

    Safe in any number of processes: the row of the deployment is held meanwhile.
    """
    with transaction.atomic():
        rows = Deployment.unscoped.select_for_update(no_key=True)
        deployment = rows.filter(pk=deployment_id).first()
        if deployment is not None:
            _Settling(deployment).go()


@dataclass
class _Settling:
    """One look at a deployment and all of it that lives."""

    deployment: Deployment
    revisions: dict[int, Revision] = field(default_factory=dict)
    replicas: dict[int, list[Replica]] = field(default_factory=dict)

    def go(self) -> None:
        wanted = {self.deployment.newest, self.deployment.serving}
        for revision in Revision.unscoped.filter(deployment=self.deployment).order_by("number"):
            if revision.status in LIVE or revision.number in wanted:
                self.revisions[revision.number] = revision
                self.replicas[revision.number] = []
        numbers = {revision.pk: number for number, revision in self.revisions.items()}
        for replica in Replica.unscoped.filter(revision__in=numbers).order_by("index"):
            self.replicas[numbers[replica.revision_id]].append(replica)
        if self.deployment.status == Status.STOPPING:
            self._stop()
        elif self.deployment.status in (Status.PENDING, Status.RUNNING):
            self._run()
        elif self.deployment.status == Status.DEAD:
            self._end(self.revisions.values())

    def _stop(self) -> None:
        self._end(self.revisions.values())
        if any(self._live(number) for number in self.revisions):
            return
        expired = self.deployment.expires_at is not None and self.deployment.expires_at <= timezone.now()
        put_away: dict[str, Any] = {"archived_at": Now()} if expired else {}
        enactments.transition_deployment(
            self.deployment.pk,
            Status.STOPPED,
            actor=ACTOR,
            reason="Its time to live is over." if expired else "Stopped; no process of it is left.",
            revision=self.deployment.newest,
            serving=None,
            **put_away,
        )

    def _run(self) -> None:
        newest, serving = self.deployment.newest, self.deployment.serving
        if self.revisions[newest].status == Status.PENDING:
            # One that is started again still has the servers of before, which do not speak for it.
            begun = self.replicas[newest][-self.revisions[newest].replicas :]
            dead = [replica for replica in begun if replica.status == Status.DEAD]
            if self._ready(newest) >= self.revisions[newest].replicas:
                self._take_over()
                serving = newest
            elif dead:
                self._fail(newest, dead[0].message)
        elif serving is not None and not self._live(serving):
            dead = self._of(serving, {Status.DEAD})
            self._fail(serving, dead[-1].message if dead else "None of its servers is left.")
        for number in self.replicas:
            for replica in self._of(number, {Status.RUNNING}) if number in (newest, serving) else ():
                if replica.draining_at is not None:
                    _end_replica(replica, at_once=False)
        self._end(revision for number, revision in self.revisions.items() if number not in (newest, serving))
        self._tell(serving)

    def _take_over(self) -> None:
        """The newest revision gets the requests from now on; whichever got them drains."""
        number = self.deployment.newest
        revision = self.revisions[number]
        enactments.move_revision(revision.pk, Status.RUNNING, message="", ready_at=Now(), ended_at=None)
        revision.refresh_from_db()
        reason = f"Revision {number} is ready and gets the requests."
        changes: dict[str, Any] = {
            "serving": number,
            "latest_running_configuration_id": revision.configuration_id,
            "status_message": reason,
        }
        if self.deployment.status == Status.PENDING:
            enactments.transition_deployment(
                self.deployment.pk, Status.RUNNING, actor=ACTOR, reason=reason, revision=number, **changes
            )
        else:
            Deployment.unscoped.filter(pk=self.deployment.pk).update(modified_at=Now(), **changes)
            enactments.note_deployment(self.deployment.pk, number, actor=ACTOR, reason=reason)
        self.deployment.refresh_from_db()

    def _fail(self, number: int, cause: str) -> None:
        """A revision has failed: what serves goes on serving, without any the deployment is dead."""
        revision = self.revisions[number]
        enactments.move_revision(revision.pk, Status.DEAD, message=cause, ended_at=Now())
        revision.refresh_from_db()
        self._end([revision])
        serving = self.deployment.serving
        if serving is not None and serving != number and self._live(serving):
            reason = f"Revision {number} failed: {cause} Revision {serving} still serves."
            Deployment.unscoped.filter(pk=self.deployment.pk).update(
                modified_at=Now(), status_message=reason[:256]
            )
            enactments.note_deployment(
                self.deployment.pk, number, actor=ACTOR, reason=reason, evidence={"cause": cause}
            )
            return
        enactments.transition_deployment(
            self.deployment.pk,
            Status.DEAD,
            actor=ACTOR,
            reason=f"Revision {number} failed: {cause}",
            evidence={"cause": cause},
            revision=number,
            serving=None,
        )
        self.deployment.refresh_from_db()

    def _tell(self, serving: int | None) -> None:
        """Say whether anything answers: RUNNING with a ready replica, else PENDING until one is."""
        if serving is None or self.deployment.status not in (Status.PENDING, Status.RUNNING):
            return
        is_ready = self._ready(serving) > 0
        if is_ready == (self.deployment.status == Status.RUNNING):
            return
        troubled = next((one.message for one in self.replicas[serving] if one.status in LIVE), "")
        enactments.transition_deployment(
            self.deployment.pk,
            Status.RUNNING if is_ready else Status.PENDING,
            actor=ACTOR,
            reason="A server is ready again." if is_ready else f"No server is ready. {troubled}".strip(),
            revision=serving,
        )

    def _end(self, revisions: Iterable[Revision]) -> None:
        """Have revisions end: a ready replica drains first, unless everything is to stop."""
        at_once = self.deployment.status in (Status.STOPPING, Status.DEAD)
        for revision in revisions:
            for replica in self.replicas[revision.number]:
                _end_replica(replica, at_once=at_once)
            if revision.status in (Status.PENDING, Status.RUNNING):
                enactments.move_revision(revision.pk, Status.STOPPING)
                revision.refresh_from_db()
            if revision.status == Status.STOPPING and not self._live(revision.number):
                enactments.move_revision(revision.pk, Status.STOPPED, ended_at=Now())

    def _of(self, number: int, statuses: Collection[Status]) -> list[Replica]:
        return [replica for replica in self.replicas[number] if replica.status in statuses]

    def _live(self, number: int) -> int:
        return len(self._of(number, LIVE)) if number in self.replicas else 0

    def _ready(self, number: int) -> int:
        running = self._of(number, {Status.RUNNING}) if number in self.replicas else []
        return sum(replica.is_ready and replica.draining_at is None for replica in running)


def _end_replica(replica: Replica, *, at_once: bool) -> None:
    """Nothing waits for a replica that nobody holds; one that answers first gets no new requests."""
    if replica.status == Status.PENDING:
        enactments.move_replica(
            replica.pk, Status.STOPPED, attempt=replica.attempt, is_ready=False, message="", ended_at=Now()
        )
    elif replica.status == Status.RUNNING:
        drained_at = (replica.draining_at or timezone.now()) + timedelta(
            seconds=settings.DEPLOYMENT_DRAIN_SECONDS
        )
        if at_once or not replica.is_ready or (replica.draining_at and drained_at <= timezone.now()):
            enactments.move_replica(
                replica.pk, Status.STOPPING, attempt=replica.attempt, is_ready=False, message="Stopping"
            )
        elif replica.draining_at is None:
            Replica.unscoped.filter(pk=replica.pk).update(
                draining_at=Now(), message="Finishing its last requests"
            )
    replica.refresh_from_db()


def unsettled() -> list[str]:
    """Keys of deployments that may have something to do: those that move, and those whose servers do."""
    live = Replica.unscoped.filter(status__in=LIVE)
    at_work = live.filter(is_ready=True, status=Status.RUNNING, draining_at=None)
    restless = live.filter(Q(draining_at__isnull=False) | Q(is_ready=False) | Q(deployment__status__in=FINAL))
    moving = Q(status__in=(Status.PENDING, Status.STOPPING)) | (
        Q(status=Status.RUNNING) & ~Q(pk__in=at_work.values("deployment"))
    )
    keys = {*Deployment.unscoped.filter(moving).values_list("pk", flat=True)}
    return sorted(keys | {*restless.values_list("deployment", flat=True)})


def expire(now: datetime) -> int:
    """Stop deployments whose time to live is over, and put those that rest already away; return how many.

    One that has been DEAD for DEAD_DAYS is put away too, whatever its time to live.
    """
    long_dead = Deployment.unscoped.filter(
        status=Status.DEAD, archived_at=None, completed_at__lte=now - timedelta(days=DEAD_DAYS)
    )
    count = long_dead.update(archived_at=Now(), modified_at=Now())
    for deployment in Deployment.unscoped.filter(expires_at__lte=now, archived_at=None):
        with transaction.atomic():
            held = Deployment.unscoped.select_for_update(no_key=True).get(pk=deployment.pk)
            if held.expires_at is None or held.expires_at > now or held.archived_at is not None:
                continue
            if held.status in (Status.PENDING, Status.RUNNING):
                enactments.transition_deployment(
                    held.pk,
                    Status.STOPPING,
                    actor=ACTOR,
                    reason="Its time to live is over.",
                    revision=held.newest,
                    target_status=TargetStatus.STOPPED,
                )
                count += 1
            elif held.status in (Status.STOPPED, Status.DEAD):
                Deployment.unscoped.filter(pk=held.pk).update(archived_at=Now())
                count += 1
        settle(deployment.pk)
    return count
