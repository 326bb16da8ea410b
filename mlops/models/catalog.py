"""The catalog of a workspace: sources, scenarios, executables and their immutable versions."""

import uuid

from django.db import models

from launchpad.workspaces.models import Workspace


class SourceTree(models.Model):
    """A packed source tree, stored once by its digest in the workspace's store."""

    SCOPE = "workspace"
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="source_tree_digest")]

    def __str__(self) -> str:
        return self.digest[:12]


class Source(models.Model):
    """A place templates come from: the bundled examples or a folder, with its last sync.

    findings: list of {severity, file, line, field, reason} of the last sync.
    """

    class Kind(models.TextChoices):
        BUNDLED = "bundled", "Bundled with Launchpad"
        FOLDER = "folder", "Folder"

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=1024)
    synced_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "name"], name="source_name")]

    def __str__(self) -> str:
        return self.name


class Scenario(models.Model):
    """What a family of executables is for. labels: list of {key, value}."""

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    slug = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True)
    labels = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="scenario_slug")]

    def __str__(self) -> str:
        return self.slug


class Executable(models.Model):
    """One template by its id; what it says is in its versions. name and description follow the newest."""

    class Kind(models.TextChoices):
        WORKFLOW = "workflow", "Workflow"

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="executables")
    slug = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.WORKFLOW)
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True)
    labels = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="executable_slug")]

    def __str__(self) -> str:
        return self.slug


class ExecutableVersion(models.Model):
    """An immutable snapshot of a template and its source tree.

    number: 1, 2, 3 … in order of arrival; label: the template's own version text. spec: the typed
    spec as `mlops.manifests` writes it. notices: list of {file, line, field, reason}.
    """

    SCOPE = "executable__workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    executable = models.ForeignKey(Executable, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=256)
    digest = models.CharField(max_length=64)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    source_tree = models.ForeignKey(SourceTree, on_delete=models.PROTECT, related_name="+")
    file = models.CharField(max_length=1024)
    commit = models.CharField(max_length=64, blank=True)
    spec = models.JSONField()
    template = models.TextField()
    notices = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["executable", "number"], name="executable_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.executable.slug} {self.label}"
