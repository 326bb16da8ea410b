"""What is late: looked for by the sweep, and told once to each rule that wants to know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.functions import Coalesce

from mlops.domain import notice_texts, notices
from mlops.domain.notice_texts import spoken
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Execution, Notice, NotificationRule, Schedule, Tick

_LIMIT = 1000


def tell(now: datetime) -> int:
    """Tell of what waits for longer than a rule's grace; return how many rules were told something.

    One query while nothing is late. Safe in any number of copies: a rule's stretch of time, since it was told
    last, is claimed by a conditional update. Many that are late together are one notice.
    """
    until = ExpressionWrapper(Value(now, DateTimeField()) - OuterRef("grace"), output_field=DateTimeField())
    about = NotificationRule.About
    group, begin, one = OuterRef("resource_group"), OuterRef("late_until"), OuterRef("schedule_id")
    late = Q(Exists(_runs(group, begin, until)), about=about.EXECUTIONS) | (
        Q(about=about.SCHEDULES)
        & (Exists(_waiting(group, one, begin, until)) | Exists(_undecided(group, one, begin, until)))
    )
    rules = NotificationRule.unscoped.filter(late, is_active=True, on_late=True).defer("url", "secret")
    return sum(_tell(rule, now) for rule in rules)


def _tell(rule: NotificationRule, now: datetime) -> int:
    until = now - rule.grace
    mine = NotificationRule.unscoped.filter(pk=rule.pk, late_until=rule.late_until, is_active=True)
    with transaction.atomic():
        if not mine.update(late_until=until):
            return 0
        if rule.about == NotificationRule.About.EXECUTIONS:
            return _tell_runs(rule, rule.late_until, until, now)
        return _tell_schedules(rule, rule.late_until, until, now)


def _runs(group: Any, begin: Any, until: Any) -> QuerySet[Execution]:
    """Executions submitted in a stretch of time that have never run."""
    return Execution.unscoped.filter(
        resource_group=group,
        status=Status.PENDING,
        started_at=None,
        created_at__gt=begin,
        created_at__lte=until,
    )


def _waiting(group: Any, schedule: Any, begin: Any, until: Any) -> QuerySet[Tick]:
    """Due times in a stretch of time whose execution has never run. schedule: None for all of the group."""
    return Tick.unscoped.filter(
        schedule_id=_this_or_any(schedule, "schedule_id"),
        schedule__resource_group=group,
        schedule__deleted_at=None,
        is_open=True,
        outcome=Outcome.FIRED,
        tries=1,
        execution__status=Status.PENDING,
        execution__started_at=None,
        fire_at__gt=begin,
        fire_at__lte=until,
    )


def _undecided(group: Any, schedule: Any, begin: Any, until: Any) -> QuerySet[Schedule]:
    """Schedules due in a stretch of time whose due time nobody has decided. schedule: as of `_waiting`."""
    return Schedule.unscoped.filter(
        pk=_this_or_any(schedule, "pk"),
        resource_group=group,
        deleted_at=None,
        status=ScheduleStatus.ACTIVE,
        next_run_at__gt=begin,
        next_run_at__lte=until,
    )


def _this_or_any(schedule: Any, column: str) -> Coalesce:
    wanted = schedule if isinstance(schedule, OuterRef) else Value(schedule, UUIDField())
    return Coalesce(wanted, F(column), output_field=UUIDField())


def _tell_runs(rule: NotificationRule, begin: datetime, until: datetime, now: datetime) -> int:
    rows = _runs(rule.resource_group_id, begin, until).select_related("configuration", "resource_group")
    found = list(rows.order_by("created_at")[:_LIMIT])
    if not found:
        return 0
    row, more = found[0], len(found) - 1
    name = row.name or row.configuration.name
    text = f"Execution {row.pk} of {name} has waited for longer than {notice_texts.span(rule.grace)}."
    if more:
        text += f"\n{more} more {'does' if more == 1 else 'do'} so too."
    told = notice_texts.of_execution(row)
    notices.write(
        [rule],
        row.resource_group,
        Notice.Event.LATE,
        subject=row.pk,
        at=now,
        title=f"Execution {row.pk} of {name} is late",
        text=text,
        url=told["url"],
        facts={"execution": told, "count": len(found)},
    )
    return 1


def _tell_schedules(rule: NotificationRule, begin: datetime, until: datetime, now: datetime) -> int:
    stretch = (rule.resource_group_id, rule.schedule_id, begin, until)
    due = list(_waiting(*stretch).values_list("schedule", "fire_at")[:_LIMIT])
    due += [(row.pk, row.next_run_at) for row in _undecided(*stretch)[:_LIMIT] if row.next_run_at]
    if not due:
        return 0
    due.sort(key=lambda pair: (pair[1], str(pair[0])))
    first = Schedule.unscoped.select_related("resource_group").get(pk=due[0][0])
    grace = notice_texts.span(rule.grace)
    text = f"The run of {first.name} due {spoken(due[0][1])} does not run, {grace} later."
    notices.tell_late(first, rule, [at for _, at in due], text, now)
    return 1
