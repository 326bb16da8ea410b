"""Executions with their steps, status history and the workers that carry them out."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import FINAL, STORED, Status, TargetStatus


def execution_key() -> str:
    """A fresh key: `e` and 15 random hex characters."""
    return "e" + secrets.token_hex(8)[:15]


class Worker(models.Model):
    """A process that carries executions or replicas out. attempts: list of "<key>/<attempt>" it is alive for.

    queue: what it carries out, `executions` or `deployments`. version: of its software, as
    `launchpad.software.version` tells it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    queue = models.CharField(max_length=16, default="executions")
    host = models.CharField(max_length=256)
    pid = models.PositiveIntegerField()
    slots = models.PositiveIntegerField()
    version = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    attempts = models.JSONField(default=list)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"


class Leased(models.Model):
    """What a worker holds under a lease. attempt: 0 until the first claim.

    user_code_started: whether the current attempt's command ran.
    """

    attempt = models.PositiveIntegerField(default=0)
    user_code_started = models.BooleanField(default=False)
    worker = models.ForeignKey(Worker, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Enactment(models.Model):
    """What executions and deployments share: wish, observation and times.

    executable: the version's own. duration: from its start to its end; None before, and for what never
    started.
    """

    # Where db_index is off, a list's index begins with the column.
    configuration = models.ForeignKey(
        "mlops.Configuration", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    executable_version = models.ForeignKey(
        "mlops.ExecutableVersion", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    executable = models.ForeignKey(
        "mlops.Executable", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=[(status, status) for status in sorted(STORED)])
    target_status = models.CharField(max_length=10, choices=[(target, target) for target in TargetStatus])
    status_message = models.CharField(max_length=256, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    duration = models.DurationField(null=True)

    class Meta:
        abstract = True


class Execution(Enactment, Leased):
    """One run of a configuration. notices: sentences about how it was run, such as a missing sandbox.

    name, notes, labels: what people say of it, labels a list of {key, value} by key. search_text: all of
    that, its case folded, to be searched. archived_at: since when it is out of the list, None while it is in.
    origin: the execution it was started again from; sweep: those it was started together with. schedule: key
    of the one that started it, which may be gone; due_at: the time of the schedule that it stands for.
    """

    SCOPE = "resource_group"
    id = models.CharField(primary_key=True, max_length=16, default=execution_key, editable=False)
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    notices = models.JSONField(default=list)
    name = models.CharField(max_length=256, blank=True)
    notes = models.TextField(blank=True)
    labels = models.JSONField(default=list)
    search_text = models.TextField(blank=True)
    archived_at = models.DateTimeField(null=True)
    # Most have neither: their indexes hold those that do.
    origin = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    sweep = models.ForeignKey(
        "mlops.Sweep", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Without a constraint: executions outlive their schedule and go on telling which it was.
    schedule = models.ForeignKey(
        "mlops.Schedule",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    due_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[str(status) for status in sorted(STORED)]),
                name="execution_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[str(status) for status in sorted(FINAL | {Status.DELETING})])
                ^ Q(completed_at__isnull=True),
                name="execution_completed_at_iff_final",
            ),
        ]
        indexes = [
            models.Index(fields=["resource_group", "-created_at", "-id"], name="execution_list"),
            models.Index(fields=["resource_group", "status", "-created_at", "-id"], name="execution_status"),
            models.Index(
                fields=["resource_group", "executable", "status", "-created_at", "-id"],
                name="execution_executable",
            ),
            models.Index(fields=["configuration", "-created_at", "-id"], name="execution_configuration"),
            models.Index(
                fields=["executable", "resource_group", "-created_at", "-id"], name="execution_of_executable"
            ),
            models.Index(
                fields=["executable_version", "resource_group", "-created_at", "-id"],
                name="execution_version",
            ),
            models.Index(
                fields=["created_by", "resource_group", "-created_at", "-id"],
                condition=Q(archived_at__isnull=True),
                name="execution_creator",
            ),
            # Of the list of pages, whose counts read nothing but these two.
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(archived_at__isnull=True),
                name="execution_kept",
            ),
            models.Index(
                fields=["resource_group", "status", "-created_at", "-id"],
                condition=Q(archived_at__isnull=True),
                name="execution_kept_status",
            ),
            models.Index(
                fields=["resource_group", "-duration", "-id"],
                condition=Q(duration__isnull=False),
                name="execution_duration",
            ),
            models.Index(
                fields=["resource_group", "name", "id"], condition=Q(name__gt=""), name="execution_name"
            ),
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(archived_at__isnull=False),
                name="execution_archived",
            ),
            models.Index(
                fields=["resource_group", "created_at"],
                condition=Q(status="PENDING"),
                name="execution_pending",
            ),
            models.Index(
                fields=["resource_group", "-completed_at", "-id"],
                condition=Q(status="DEAD"),
                name="execution_failed",
            ),
            models.Index(
                fields=["worker"], condition=Q(status__in=["RUNNING", "STOPPING"]), name="execution_leased"
            ),
            models.Index(fields=["created_at"], condition=Q(status="DELETING"), name="execution_deleting"),
            models.Index(fields=["origin"], condition=Q(origin__isnull=False), name="execution_origin"),
            models.Index(fields=["sweep"], condition=Q(sweep__isnull=False), name="execution_sweep"),
            models.Index(
                fields=["schedule", "-created_at", "-id"],
                condition=Q(schedule__isnull=False),
                name="execution_schedule",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class StepRun(models.Model):
    """One node in one attempt of an execution: a leaf that runs a process, or a group of such.

    index: order of arrival, which logs go by. name: unique path in the attempt, as `main.train(0:a)`. parent:
    index of the group it lies in. after: indices of the nodes it waits for. template: the template it calls.
    kind: leaf, steps, dag, loop or exit. message: a sentence for people on how it ended. outputs: parameters
    it passed on, by name.
    """

    class Kind(models.TextChoices):
        LEAF = "leaf", "Step"
        STEPS = "steps", "Steps"
        DAG = "dag", "Graph"
        LOOP = "loop", "Loop"
        EXIT = "exit", "At the end"

    SCOPE = "execution__resource_group"
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="steps")
    attempt = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=1024)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.LEAF)
    template = models.CharField(max_length=128, blank=True)
    parent = models.PositiveIntegerField(null=True)
    after = models.JSONField(default=list)
    outputs = models.JSONField(default=dict)
    tries = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=[(status, status) for status in Status])
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    cause = models.CharField(max_length=16, blank=True)
    message = models.CharField(max_length=1024, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["attempt", "index"]
        constraints = [models.UniqueConstraint(fields=["execution", "attempt", "index"], name="step_run")]

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """One move of a status: when, from, to, who, why. evidence: JSON object."""

    at = models.DateTimeField()
    attempt = models.PositiveIntegerField()
    source = models.CharField(max_length=10, blank=True)
    target = models.CharField(max_length=10)
    actor = models.CharField(max_length=256)
    reason = models.CharField(max_length=1024, blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        abstract = True
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class StatusChange(Change):
    """One move of an execution's status. attempt: in which."""

    SCOPE = "execution__resource_group"
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="status_changes")

    unscoped = models.Manager()
