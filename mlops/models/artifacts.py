"""Artifacts: numbered, immutable versions of datasets, models, result sets and other things."""

import uuid

from django.conf import settings
from django.db import models

from launchpad.resource_groups.models import ResourceGroup


class Artifact(models.Model):
    """A file or folder in the group's object store, known by kind, name and version number.

    url: `ai://<store>/<path>` without trailing slash. digest: SHA-256 of the single file, or of the
    sorted list of the folder's files with their digests. signature: what the step that made it said of its
    content, "" when it said nothing. labels: list of {key, value}.
    """

    class Kind(models.TextChoices):
        DATASET = "dataset", "Dataset"
        MODEL = "model", "Model"
        RESULTSET = "resultset", "Result set"
        OTHER = "other", "Other artifact"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=256)
    version = models.PositiveIntegerField()
    url = models.CharField(max_length=1024)
    description = models.TextField(blank=True)
    labels = models.JSONField(default=list)
    scenario = models.ForeignKey("mlops.Scenario", on_delete=models.PROTECT, related_name="+")
    execution = models.ForeignKey(
        "mlops.Execution", null=True, on_delete=models.PROTECT, related_name="outputs"
    )
    size_bytes = models.BigIntegerField()
    file_count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=1024, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["resource_group", "kind", "name", "version"], name="artifact_version"
            )
        ]
        indexes = [
            models.Index(fields=["resource_group", "kind", "-created_at", "-id"], name="artifact_list"),
            models.Index(fields=["resource_group", "-created_at", "-id"], name="artifact_newest"),
            models.Index(fields=["resource_group", "kind", "name", "id"], name="artifact_by_name"),
            models.Index(fields=["resource_group", "kind", "size_bytes", "id"], name="artifact_by_size"),
        ]

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"
