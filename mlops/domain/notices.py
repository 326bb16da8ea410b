"""Notices: written in the transaction of what they tell, once for each receiver; the log of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict
from launchpad.prepared import holding
from launchpad.resource_groups.models import ResourceGroup
from mlops import doorbell
from mlops.domain import moments, notice_texts
from mlops.domain.notice_texts import spoken
from mlops.lifecycle import Outcome, Status
from mlops.models import Execution, Notice, NotificationRule, Schedule, Tick

# Ends of executions that rules may tell of.
ENDS = frozenset({Status.DEAD, Status.COMPLETED})
WAITING = str(Notice.State.WAITING)
# By value, in words.
STATES = dict(Notice.State.choices)
_PURGED_AT_ONCE = 5000


def _rules(about: str, **having: Any) -> QuerySet[NotificationRule]:
    rows = NotificationRule.unscoped.filter(about=about, is_active=True, **having)
    return rows.defer("url", "secret")


def _of(schedule: Schedule) -> QuerySet[NotificationRule]:
    rows = _rules(NotificationRule.About.SCHEDULES, resource_group=schedule.resource_group_id)
    return rows.filter(Q(schedule=None) | Q(schedule=schedule.pk))


def write(
    rules: Iterable[NotificationRule],
    group: ResourceGroup,
    event: str,
    *,
    subject: str,
    at: datetime,
    title: str,
    text: str,
    url: str,
    facts: Mapping[str, Any],
) -> None:
    """One notice for each receiver of the rules, unless there is one of the subject; inside a transaction."""
    rows = []
    for rule in _lasting(list(rules)):
        kind = f"{rule.about.removesuffix('s')}.{event}"
        told = notice_texts.payload(rule, group, kind, at=at, title=title, text=text, url=url, facts=facts)
        rows += [
            Notice(
                resource_group=group,
                rule=rule,
                event=event,
                subject=subject,
                recipient=recipient,
                payload=told,
                next_try_at=at,
                created_at=at,
            )
            for recipient in rule.receivers
        ]
    if rows:
        Notice.unscoped.bulk_create(rows, ignore_conflicts=True)
        doorbell.notices()


def _lasting(rules: list[NotificationRule]) -> list[NotificationRule]:
    """Those that are still there and nobody deletes before the transaction ends.

    A notice of a rule that is gone at the commit would fail all of it, and with it what it tells of.
    """
    if connection.vendor != "postgresql" or not rules:
        return rules
    table = NotificationRule._meta.db_table
    with connection.cursor() as cursor:
        keys = [rule.pk for rule in rules]
        cursor.execute(f'SELECT id FROM "{table}" WHERE id = ANY(%s){holding(table)}', [keys])
        kept = {key for (key,) in cursor.fetchall()}
    return [rule for rule in rules if rule.pk in kept]


def _key(schedule: Schedule, due: datetime) -> str:
    return f"{schedule.pk}/{due.isoformat()}"


def schedule_ended(schedule: Schedule, row: Tick, *, failed: bool, before: int, paused: str) -> None:
    """Tell that a due time's run failed for good, or that one went well after failures.

    Inside the transaction that notes it. before: how many failed in a row before; paused: why the schedule
    paused itself now, "" when it did not.
    """
    if not failed and not before:
        return
    rules = _of(schedule).filter(**({"on_failed": True} if failed else {"on_recovered": True}))
    found = list(rules)
    if not found:
        return
    run = row.execution
    due = spoken(row.fire_at)
    if failed:
        tries = f" after {row.tries} tries" if row.tries > 1 else ""
        parts = [f"The run of {schedule.name} due {due} failed{tries}."]
        parts += [run.status_message] if run and run.status_message else []
        parts += [row.reason] if row.reason else []
        parts += [paused] if paused else []
        title = f"{schedule.name} failed" + (" and paused itself" if paused else "")
    else:
        times = "one failure" if before == 1 else f"{before} failures in a row"
        parts = [f"The run of {schedule.name} due {due} completed after {times}."]
        title = f"{schedule.name} recovered"
    told = notice_texts.of_schedule(schedule)
    facts: dict[str, Any] = {"schedule": told, "due_at": notice_texts.moment(row.fire_at)}
    if run is not None:
        facts["execution"] = notice_texts.of_execution(run)
    write(
        found,
        schedule.resource_group,
        Notice.Event.FAILED if failed else Notice.Event.RECOVERED,
        subject=f"{_key(schedule, row.fire_at)}/{row.execution_id or ''}",
        at=moments.now(),
        title=title,
        text="\n".join(parts),
        url=facts["execution"]["url"] if run is not None else told["url"],
        facts=facts,
    )


def schedules_decided(decided: Sequence[tuple[Schedule, Sequence[Tick]]], now: datetime) -> None:
    """Tell of due times that were skipped, and of those that were started later than a rule's grace.

    Inside the transaction that decides them; one query where nobody wants to know. decided: of each schedule
    those that may be told, by their due times. What is late is one notice of a rule for all of them.
    """
    some = [(schedule, rows) for schedule, rows in decided if rows]
    if not some:
        return
    groups = {schedule.resource_group_id for schedule, _ in some}
    rules = _rules(NotificationRule.About.SCHEDULES, resource_group__in=groups)
    wanting = list(rules.filter(Q(on_skipped=True) | Q(on_late=True)))
    for schedule, rows in some:
        skipped = [row for row in rows if row.outcome == Outcome.SKIPPED]
        if skipped:
            ours = [rule for rule in wanting if rule.on_skipped and _hears_of(rule, schedule)]
            _skipped(schedule, skipped, ours, now)
    started = [(row.fire_at, one) for one, rows in some for row in rows if row.outcome != Outcome.SKIPPED]
    started.sort(key=lambda pair: pair[0])
    for rule in wanting:
        late = [pair for pair in started if now - pair[0] > rule.grace and _hears_of(rule, pair[1])]
        if rule.on_late and late:
            due, schedule = late[0]
            text = f"The run of {schedule.name} due {spoken(due)} was decided {_behind(now - due)} late."
            tell_late(schedule, rule, [at for at, _ in late], text, now)


def _hears_of(rule: NotificationRule, schedule: Schedule) -> bool:
    in_group = rule.resource_group_id == schedule.resource_group_id
    return in_group and rule.schedule_id in (None, schedule.pk)


def _behind(span: timedelta) -> str:
    return notice_texts.span(timedelta(seconds=max(1, round(span.total_seconds()))))


def _skipped(
    schedule: Schedule, rows: Sequence[Tick], rules: Sequence[NotificationRule], now: datetime
) -> None:
    count = sum(row.count for row in rows)
    first, last = rows[0].fire_at, rows[-1].until or rows[-1].fire_at
    reasons = list(dict.fromkeys(row.reason for row in rows))
    if count == 1:
        said = f"The run of {schedule.name} due {spoken(first)} was skipped."
    else:
        said = f"{count} runs of {schedule.name} were skipped, due {spoken(first)} to {spoken(last)}."
    told = notice_texts.of_schedule(schedule)
    facts = {
        "schedule": told,
        "due_at": notice_texts.moment(first),
        "until": notice_texts.moment(last),
        "count": count,
    }
    write(
        rules,
        schedule.resource_group,
        Notice.Event.SKIPPED,
        subject=_key(schedule, first),
        at=now,
        title=f"{schedule.name} skipped " + ("a run" if count == 1 else f"{count} runs"),
        text="\n".join([said, *reasons[:3]]),
        url=told["url"],
        facts=facts,
    )


def tell_late(
    schedule: Schedule, rule: NotificationRule, due: Sequence[datetime], text: str, now: datetime
) -> None:
    """Tell one rule of due times that are late, the first of which is the schedule's; in a transaction."""
    told = notice_texts.of_schedule(schedule)
    more = len(due) - 1
    also = f"\n{more} more of what is due {'is' if more == 1 else 'are'} late too." if more else ""
    write(
        [rule],
        schedule.resource_group,
        Notice.Event.LATE,
        subject=_key(schedule, due[0]),
        at=now,
        title=f"{schedule.name} is late",
        text=text + also,
        url=told["url"],
        facts={"schedule": told, "due_at": notice_texts.moment(due[0]), "count": len(due)},
    )


def execution_ended(execution_id: str, to: Status) -> None:
    """Tell that an execution died, or that one completed after the one before it had died.

    Inside the transaction that ends it. One query where nobody wants to know. The one before: of the same
    configuration, submitted before it, that has died or completed.
    """
    group = Execution.unscoped.filter(pk=execution_id).values("resource_group")[:1]
    wanted = {"on_failed": True} if to is Status.DEAD else {"on_recovered": True}
    found = list(_rules(NotificationRule.About.EXECUTIONS, resource_group=group, **wanted))
    if not found:
        return
    row = Execution.unscoped.select_related("configuration", "resource_group").get(pk=execution_id)
    name = row.name or row.configuration.name
    if to is Status.DEAD:
        event, title = Notice.Event.FAILED, f"Execution {row.pk} of {name} failed"
        text = f"Execution {row.pk} of {name} failed.\n{row.status_message}".strip()
    else:
        earlier = Execution.unscoped.filter(
            configuration=row.configuration_id, created_at__lt=row.created_at, status__in=ENDS
        )
        before = earlier.order_by("-created_at", "-pk").values("pk", "status").first()
        if before is None or before["status"] != Status.DEAD:
            return
        event, title = Notice.Event.RECOVERED, f"{name} recovered"
        text = f"Execution {row.pk} of {name} completed; the one before, {before['pk']}, had failed."
    told = notice_texts.of_execution(row)
    write(
        found,
        row.resource_group,
        event,
        subject=row.pk,
        at=moments.now(),
        title=title,
        text=text,
        url=told["url"],
        facts={"execution": told},
    )


def search(scope: Scope, *, rule: NotificationRule | None = None, state: str = "") -> QuerySet[Notice]:
    """The group's notices, newest first, each with its rule; state: of `Notice.State`, "" for all."""
    rows = scope.of(Notice).select_related("rule").defer("rule__url", "rule__secret")
    if rule is not None:
        rows = rows.filter(rule=rule)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-created_at", "-pk")


def newest(scope: Scope, rules: Sequence[NotificationRule]) -> dict[uuid.UUID, Notice]:
    """The newest notice of each of the rules that has one; one query."""
    ours = scope.of(Notice).filter(rule=OuterRef("pk")).order_by("-created_at", "-pk")
    keys = scope.of(NotificationRule).filter(pk__in=[rule.pk for rule in rules])
    rows = scope.of(Notice).filter(pk__in=keys.order_by().values(newest=Subquery(ours.values("pk")[:1])))
    return {row.rule_id: row for row in rows.defer("payload")}


@command()
def send_again(scope: Scope, notice_id: uuid.UUID | str) -> Notice:
    """Try a notice that was not delivered again, as often as the first time.

    Raises NotFound, Forbidden; Conflict when it was delivered, still waits, or its rule is paused or has
    other receivers now.
    """
    rows = scope.of(Notice).select_related("rule").defer("rule__url", "rule__secret")
    notice: Notice = scope.one(rows, pk=notice_id)
    if not notice.rule.is_active:
        raise Conflict(f"{notice.rule.name} is paused. Resume it first.")
    if notice.recipient not in notice.rule.receivers:
        raise Conflict(f"{notice.rule.name} has other receivers now.")
    again = {"state": Notice.State.WAITING, "tries": 0, "next_try_at": moments.now(), "ended_at": None}
    failed = scope.of(Notice).filter(pk=notice.pk, state=Notice.State.FAILED)
    if not failed.update(**again, claimed_until=None):
        raise Conflict("Only what was not delivered is sent again.")
    doorbell.notices()
    return notice


def purge(now: datetime) -> int:
    """Remove notices older than NOTICE_DAYS; return how many went."""
    old = Notice.unscoped.filter(created_at__lt=now - timedelta(days=settings.NOTICE_DAYS))
    gone = 0
    while keys := list(old.values_list("pk", flat=True)[:_PURGED_AT_ONCE]):
        gone += Notice.unscoped.filter(pk__in=keys).delete()[0]
    return gone
