"""Deployments with their revisions and replicas, status history, log and wizard drafts."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import FINAL, STORED, Status
from mlops.models.configurations import Draft
from mlops.models.enactments import Change, Enactment, Leased
from mlops.models.tracking import Chunk


def deployment_key() -> str:
    """A fresh key: `d` and 15 random hex characters."""
    return "d" + secrets.token_hex(8)[:15]


class Deployment(Enactment):
    """A stable address behind which one revision of a model server answers.

    configuration and executable_version: of the newest revision. ttl: as it was asked for, such as `5h`, ""
    for ever; expires_at: when it ends by that. newest: number of the revision that is wished for; serving: of
    the one that gets the requests, None before the first take-over. latest_running_configuration: of the last
    take-over. keeps_predictions: whether a share of requests and answers is kept, prediction_share: how many
    of 100, prediction_days: for how long. archived_at: since when it is out of the list and the API; its
    history stays readable.
    """

    class Operation(models.TextChoices):
        CREATE = "CREATE", "Created"
        UPDATE = "UPDATE", "Updated"
        DELETE = "DELETE", "Deleted"
        CASCADE_UPDATE = "CASCADE-UPDATE", "Updated with its template"

    SCOPE = "resource_group"
    id = models.CharField(primary_key=True, max_length=16, default=deployment_key, editable=False)
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    ttl = models.CharField(max_length=16, blank=True)
    expires_at = models.DateTimeField(null=True)
    last_operation = models.CharField(max_length=16, choices=Operation, default=Operation.CREATE)
    latest_running_configuration = models.ForeignKey(
        "mlops.Configuration", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    newest = models.PositiveIntegerField(default=1)
    serving = models.PositiveIntegerField(null=True)
    keeps_predictions = models.BooleanField(default=False)
    prediction_share = models.PositiveSmallIntegerField(default=100)
    prediction_days = models.PositiveSmallIntegerField(default=30)
    archived_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[str(status) for status in sorted(STORED - {Status.COMPLETED})]),
                name="deployment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[str(status) for status in sorted(FINAL | {Status.DELETING})])
                ^ Q(completed_at__isnull=True),
                name="deployment_completed_at_iff_final",
            ),
        ]
        indexes = [
            models.Index(fields=["resource_group", "-created_at", "-id"], name="deployment_list"),
            models.Index(fields=["resource_group", "status", "-created_at", "-id"], name="deployment_status"),
            models.Index(
                fields=["resource_group", "executable", "-created_at", "-id"], name="deployment_executable"
            ),
            # Most were put away in the end; lists pass over them.
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(archived_at__isnull=True),
                name="deployment_kept",
            ),
            models.Index(
                fields=["resource_group", "status", "-created_at", "-id"],
                condition=Q(archived_at__isnull=True),
                name="deployment_kept_status",
            ),
            models.Index(fields=["configuration", "-created_at", "-id"], name="deployment_configuration"),
            models.Index(fields=["executable_version"], name="deployment_version"),
            models.Index(fields=["created_by"], name="deployment_creator"),
            # What the sweep looks at: whatever is not at rest.
            models.Index(
                fields=["status"],
                condition=Q(status__in=["PENDING", "RUNNING", "STOPPING", "DELETING"]),
                name="deployment_live",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False, archived_at__isnull=True),
                name="deployment_expiry",
            ),
            # What the sweep puts away one day.
            models.Index(
                fields=["completed_at"],
                condition=Q(status="DEAD", archived_at__isnull=True),
                name="deployment_dead",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Revision(models.Model):
    """What a deployment was told to serve at one time: a configuration, numbered from 1.

    reason: why it came to be, in a sentence; message: how it fares. ready_at: when it took over last.
    replicas, most: how many servers it starts with and may come to.
    """

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="revisions", db_index=False
    )
    number = models.PositiveIntegerField()
    configuration = models.ForeignKey("mlops.Configuration", on_delete=models.PROTECT, related_name="+")
    executable_version = models.ForeignKey(
        "mlops.ExecutableVersion", on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=10, choices=[(status, status) for status in sorted(STORED)])
    reason = models.CharField(max_length=256, blank=True)
    message = models.CharField(max_length=1024, blank=True)
    replicas = models.PositiveIntegerField(default=1)
    most = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["deployment", "number"], name="revision_number")]

    def __str__(self) -> str:
        return f"{self.deployment_id} revision {self.number}"


class Replica(Leased):
    """One server process of a revision; held by a worker, started again by any.

    index: from 0 within (revision); after a stop new replicas go on counting. address: `host:port` while it
    runs. is_ready: whether it may get requests; ready_at: since when. not_before: when it may be claimed,
    later than now while it backs off. restarts: how often in a row it ended by itself. draining_at: since
    when it gets no new requests. notices: sentences on how it is run.
    """

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="replicas")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="servers", db_index=False)
    index = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=[(status, status) for status in sorted(STORED)])
    message = models.CharField(max_length=1024, blank=True)
    address = models.CharField(max_length=256, blank=True)
    is_ready = models.BooleanField(default=False)
    ready_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField()
    restarts = models.PositiveIntegerField(default=0)
    draining_at = models.DateTimeField(null=True)
    memory_bytes = models.BigIntegerField(null=True)
    notices = models.JSONField(default=list)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField(auto_now=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["revision", "index"], name="replica_index")]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(status="PENDING"), name="replica_pending"),
            models.Index(
                fields=["worker"], condition=Q(status__in=["RUNNING", "STOPPING"]), name="replica_leased"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} replica {self.index + 1}"


class DeploymentChange(Change):
    """One move of a deployment's status, or what befell a revision. attempt: the revision's number."""

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="status_changes")

    unscoped = models.Manager()


class ReplicaLogChunk(Chunk):
    """Log lines of one replica. attempt: the revision's number; step: the replica's index."""

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="log_chunks")

    unscoped = models.Manager()

    class Meta(Chunk.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["deployment", "attempt", "step", "seq"], name="replica_log_seq")
        ]
        indexes = [models.Index(fields=["deployment", "at"], name="replica_log_time")]

    def __str__(self) -> str:
        return f"{self.deployment_id}/{self.attempt}/{self.step}#{self.seq}"


class DeploymentDraft(Draft):
    """The wizard of a deployment, left halfway."""

    unscoped = models.Manager()

    class Meta(Draft.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["resource_group", "author", "-modified_at"], name="deployment_draft_list")
        ]
