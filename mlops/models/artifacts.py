"""Artifacts: numbered, immutable versions of datasets, models, result sets and other things."""

import uuid

from django.conf import settings
from django.db import models

from launchpad.resource_groups.models import ResourceGroup


class Artifact(models.Model):
    """A file or folder in the group's object store, known by kind, name and version number.

    url: `ai://<store>/<path>` without trailing slash. digest: SHA-256 of the single file, or of the
    sorted list of the folder's files with their digests. signature: what the step that made it said of its
    content, "" when it said nothing. release_note: what is new in this version. labels: list of {key, value}.
    binned_at, binned_by: it lies in the bin since, and who put it there. is_newest: no higher version of its
    name is outside the bin. search_text: name and description, their case folded, to be searched.
    """

    class Kind(models.TextChoices):
        DATASET = "dataset", "Dataset"
        MODEL = "model", "Model"
        RESULTSET = "resultset", "Result set"
        OTHER = "other", "Other artifact"

    SCOPE = "resource_group"
    SHOWN = {"binned_at": None}
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=256)
    version = models.PositiveIntegerField()
    url = models.CharField(max_length=1024)
    description = models.TextField(blank=True)
    release_note = models.TextField(blank=True)
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
    binned_at = models.DateTimeField(null=True)
    binned_by = models.CharField(max_length=256, blank=True)
    is_newest = models.BooleanField(default=False)
    search_text = models.TextField(blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["resource_group", "kind", "name", "version"], name="artifact_version"
            ),
            models.UniqueConstraint(
                fields=["resource_group", "kind", "name"],
                condition=models.Q(is_newest=True),
                name="artifact_one_newest",
            ),
        ]
        indexes = [
            models.Index(fields=["resource_group", "kind", "-created_at", "-id"], name="artifact_list"),
            models.Index(fields=["resource_group", "-created_at", "-id"], name="artifact_newest"),
            models.Index(fields=["resource_group", "kind", "name", "id"], name="artifact_by_name"),
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=models.Q(binned_at__isnull=False),
                name="artifact_bin",
            ),
            models.Index(
                fields=["binned_at"], condition=models.Q(binned_at__isnull=False), name="artifact_expiry"
            ),
            models.Index(fields=["resource_group", "kind", "size_bytes", "id"], name="artifact_by_size"),
            models.Index(
                fields=["resource_group", "kind", "-created_at", "-id"],
                condition=models.Q(is_newest=True),
                name="artifact_names",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


class ArtifactFacts(models.Model):
    """What was found in an artifact's bytes when it was registered.

    files: list of [path, bytes, SHA-256] by path; empty for more than 10,000 of them. onnx: list of
    {path, error} or {path, ir_version, producer, opsets, inputs, outputs, node_count, parameter_count}.
    seal: the signature of what was registered, "" for none; sealed_by, sealed_at: who or what registered it
    and when, part of what is signed.
    """

    SCOPE = "artifact__resource_group"
    artifact = models.OneToOneField(
        Artifact, primary_key=True, on_delete=models.CASCADE, related_name="facts"
    )
    files = models.JSONField(default=list)
    onnx = models.JSONField(default=list)
    seal = models.CharField(max_length=128, blank=True)
    sealed_by = models.CharField(max_length=256, blank=True)
    sealed_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"facts of {self.artifact_id}"


class ArtifactCheck(models.Model):
    """The last comparison of an artifact's stored bytes with what was registered, and a wish for another.

    state: as of `mlops.domain.artifact_files.Contents`, "" before the first. reason: why they cannot be read.
    odd: list of [path, what is odd], at most 100. wanted_at: somebody asked for a check that has not ended.
    claimed_at: a worker is at it since.
    """

    SCOPE = "artifact__resource_group"
    artifact = models.OneToOneField(
        Artifact, primary_key=True, on_delete=models.CASCADE, related_name="check_row"
    )
    state = models.CharField(max_length=16, blank=True)
    reason = models.TextField(blank=True)
    odd = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True)
    wanted_by = models.CharField(max_length=256, blank=True)
    claimed_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["wanted_at"], condition=models.Q(wanted_at__isnull=False), name="artifact_check_due"
            )
        ]

    def __str__(self) -> str:
        return f"check of {self.artifact_id}"


class ArtifactAlias(models.Model):
    """A name, such as champion, that points to one version of a kind and name, and may be moved."""

    SCOPE = "resource_group"
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Artifact.Kind)
    name = models.CharField(max_length=256)
    alias = models.CharField(max_length=63)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="aliases")

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["resource_group", "kind", "name", "alias"], name="artifact_alias_name"
            )
        ]

    def __str__(self) -> str:
        return self.alias


class ArtifactAliasMove(models.Model):
    """One move of an alias: who, when, why, from which version to which; None for none."""

    SCOPE = "resource_group"
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Artifact.Kind)
    name = models.CharField(max_length=256)
    alias = models.CharField(max_length=63)
    from_version = models.PositiveIntegerField(null=True)
    to_version = models.PositiveIntegerField(null=True)
    why = models.TextField(blank=True)
    actor = models.CharField(max_length=256)
    at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["resource_group", "kind", "name", "-id"], name="alias_moves")]

    def __str__(self) -> str:
        return f"{self.alias}: {self.from_version} to {self.to_version}"
