"""The catalog of a workspace: sources, scenarios, executables and their immutable versions."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from launchpad.vault import SealedField
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


class Repository(models.Model):
    """A git repository that a workspace's templates come from. credentials: {username, password}.

    replaced_at: since when it has those. state: of the last time it was asked, message why it failed; due_at:
    when it is asked next, at once when it lies in the past. fetched_at: when it was reached last.
    """

    class State(models.TextChoices):
        UNKNOWN = "IN-PROGRESS", "Not reached yet"
        REACHED = "COMPLETED", "Reached"
        FAILED = "ERROR", "Could not be reached"

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=51)
    url = models.CharField(max_length=1024)
    credentials = SealedField()
    replaced_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=16, choices=State, default=State.UNKNOWN)
    message = models.TextField(blank=True)
    fetched_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        verbose_name_plural = "repositories"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="repository_name"),
            models.UniqueConstraint(fields=["workspace", "url"], name="repository_url"),
        ]
        indexes = [models.Index(fields=["due_at"], name="repository_due")]

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """A place templates come from, with its last sync; one of git is what the AI API calls an application.

    findings: list of {severity, file, line, field, reason} of the last sync. Of git: revision is a branch,
    tag, commit or HEAD; path a folder of the repository; commit the one synced last; resources a list of
    {name, kind, status, message}; message why the last sync failed, empty when it did not; due_at when it is
    synced next, at once when it lies in the past; is_stale: its templates are read again although the commit
    is the same. synced_at: when the last sync ended, however. removed_at: it is synced no more, its versions
    stay.
    """

    class Kind(models.TextChoices):
        BUNDLED = "bundled", "Bundled with Launchpad"
        FOLDER = "folder", "Folder"
        GIT = "git", "Git repository"
        UPLOAD = "upload", "Added by hand"

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=1024)
    synced_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)
    repository = models.ForeignKey(Repository, null=True, on_delete=models.PROTECT, related_name="+")
    revision = models.CharField(max_length=256, blank=True)
    path = models.CharField(max_length=1024, blank=True)
    commit = models.CharField(max_length=64, blank=True)
    resources = models.JSONField(default=list)
    message = models.TextField(blank=True)
    sync_started_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    is_stale = models.BooleanField(default=True)
    removed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "name"], condition=Q(removed_at=None), name="source_name"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(kind="git", removed_at=None), name="source_due")
        ]

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


class UseCase(models.Model):
    """What a scenario is for, in plain words. indicators: list of {name, target}; number: counts changes."""

    SCOPE = "scenario__workspace"
    scenario = models.OneToOneField(Scenario, on_delete=models.PROTECT, related_name="use_case")
    goal = models.TextField(blank=True)
    owner = models.CharField(max_length=256, blank=True)
    indicators = models.JSONField(default=list)
    number = models.PositiveIntegerField(default=1)
    modified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.scenario.slug


class Executable(models.Model):
    """One template by its id; what it says is in its versions. name and description follow the newest."""

    class Kind(models.TextChoices):
        WORKFLOW = "workflow", "Workflow"
        SERVING = "serving", "Serving"

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
