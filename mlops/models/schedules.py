"""Schedules, the ledger of their due times, and due times run again."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models.configurations import Draft


class Schedule(models.Model):
    """A configuration that is run by the clock: once, or whenever a cron expression says.

    cron: five fields, "" for one that runs `once_at`. zone: the IANA time zone cron is read in. start, end:
    nothing is due before and after, both inclusive. next_run_at: when it is due next, None while it is
    INACTIVE. trouble: why that could not be decided although its time has come, "" for nothing. missed_from:
    since when it has been INACTIVE although it was due. status_message: why it is INACTIVE. catch_up_limit:
    of ALL. retries: how often a due time is tried again, retry_pause later. time_limit: how long one run may
    take. pause_after: how many failures in a row pause it, None for any number; failures: how many there
    were. modified_at: of what people changed. deleted_at: since when it is gone for everybody; its ledger
    follows.
    """

    class Overlap(models.TextChoices):
        SKIP = "skip", "Skip the new run"
        ALLOW = "allow", "Let both run"
        REPLACE = "replace", "Stop the old run"

    class CatchUp(models.TextChoices):
        NONE = "none", "None"
        LAST = "last", "The last one"
        ALL = "all", "All, up to a number"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.CharField(max_length=256)
    configuration = models.ForeignKey("mlops.Configuration", on_delete=models.PROTECT, related_name="+")
    executable = models.ForeignKey("mlops.Executable", on_delete=models.PROTECT, related_name="+")
    cron = models.CharField(max_length=128, blank=True)
    once_at = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    status = models.CharField(max_length=8, choices=[(status, status) for status in ScheduleStatus])
    status_message = models.CharField(max_length=256, blank=True)
    trouble = models.CharField(max_length=256, blank=True)
    next_run_at = models.DateTimeField(null=True)
    missed_from = models.DateTimeField(null=True)
    overlap = models.CharField(max_length=8, choices=Overlap, default=Overlap.SKIP)
    catch_up = models.CharField(max_length=8, choices=CatchUp, default=CatchUp.LAST)
    catch_up_limit = models.PositiveSmallIntegerField(default=10)
    retries = models.PositiveSmallIntegerField(default=0)
    retry_pause = models.DurationField(default=timedelta)
    time_limit = models.DurationField(null=True)
    pause_after = models.PositiveSmallIntegerField(null=True)
    failures = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[str(status) for status in ScheduleStatus]),
                name="schedule_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status=ScheduleStatus.ACTIVE) ^ Q(next_run_at__isnull=True),
                name="schedule_next_run_iff_active",
            ),
            models.CheckConstraint(
                condition=Q(cron="") ^ Q(once_at__isnull=True), name="schedule_cron_or_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(deleted_at__isnull=True),
                name="schedule_list",
            ),
            # Of the tabs of the list and their counts.
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(status="INACTIVE", deleted_at__isnull=True),
                name="schedule_inactive",
            ),
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(failures__gt=0, deleted_at__isnull=True),
                name="schedule_failed",
            ),
            models.Index(fields=["next_run_at"], condition=Q(status="ACTIVE"), name="schedule_due"),
            models.Index(
                fields=["resource_group", "next_run_at"],
                condition=Q(status="ACTIVE"),
                name="schedule_upcoming",
            ),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="schedule_gone"),
            models.Index(
                fields=["resource_group", "-created_at"],
                condition=Q(status="INACTIVE", failures__gt=0, deleted_at__isnull=True),
                name="schedule_failing",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tick(models.Model):
    """What became of one due time; one row each, whoever looks at the clock.

    fire_at: when it was due, for a run by hand when it was asked for. until, count: a row that stands for
    several due times skipped together, the first being fire_at. execution: the newest that was started for
    it; tries: how many were. is_open: its end is still to be seen; retry_at: when it is tried again. result:
    how the last try ended, "" before and for what never ran.
    """

    SCOPE = "schedule__resource_group"
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="ticks", db_index=False)
    fire_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=1)
    decided_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=[(outcome, outcome) for outcome in Outcome])
    reason = models.CharField(max_length=1024, blank=True)
    execution = models.ForeignKey("mlops.Execution", null=True, on_delete=models.SET_NULL, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=False)
    timed_out = models.BooleanField(default=False)
    result = models.CharField(
        max_length=10, blank=True, choices=[(status, status) for status in sorted(Status)]
    )

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["schedule", "fire_at"], name="tick_once")]
        indexes = [
            models.Index(fields=["schedule"], condition=Q(is_open=True), name="tick_open"),
            # Of those that are too old to be kept.
            models.Index(fields=["decided_at"], name="tick_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.fire_at.isoformat()} {self.outcome}"


class Backfill(models.Model):
    """Due times of the past that a person has run. begin, end: the range, both inclusive."""

    class Which(models.TextChoices):
        MISSING = "missing", "Those that never ran"
        FAILED = "failed", "Those that never ran or failed"
        ALL = "all", "All of them"

    SCOPE = "schedule__resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="backfills")
    begin = models.DateTimeField()
    end = models.DateTimeField()
    which = models.CharField(max_length=8, choices=Which)
    newest_first = models.BooleanField(default=False)
    at_once = models.PositiveSmallIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=256, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["id"], condition=Q(ended_at__isnull=True), name="backfill_open")]

    def __str__(self) -> str:
        return f"{self.begin.isoformat()} to {self.end.isoformat()}"


class BackfillRun(models.Model):
    """One due time of a backfill, in its order. execution: None until it is started, or when refused."""

    SCOPE = "backfill__schedule__resource_group"
    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="runs", db_index=False)
    position = models.PositiveIntegerField()
    fire_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    execution = models.ForeignKey("mlops.Execution", null=True, on_delete=models.SET_NULL, related_name="+")
    refused = models.CharField(max_length=1024, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["backfill", "position"], name="backfill_run_position"),
            models.UniqueConstraint(fields=["backfill", "fire_at"], name="backfill_run_once"),
        ]

    def __str__(self) -> str:
        return self.fire_at.isoformat()


class ScheduleDraft(Draft):
    """The wizard of a schedule, left halfway."""

    unscoped = models.Manager()

    class Meta(Draft.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["resource_group", "author", "-modified_at"], name="schedule_draft_list")
        ]
