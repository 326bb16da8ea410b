"""Configurations: an executable's version with its parameters and input artifacts, immutable."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup


class Configuration(models.Model):
    """Binds one immutable executable version to values and artifacts.

    executable: the version's own. archived_at: since when it is out of the list, None while it is in.
    """

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=256)
    executable_version = models.ForeignKey(
        "mlops.ExecutableVersion", on_delete=models.PROTECT, related_name="+"
    )
    executable = models.ForeignKey("mlops.Executable", on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["resource_group", "-created_at", "-id"], name="configuration_list"),
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(archived_at__isnull=False),
                name="configuration_archived",
            ),
            models.Index(
                fields=["resource_group", "executable", "-created_at", "-id"], name="configuration_executable"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ParameterBinding(models.Model):
    """One parameter's value; all values are text."""

    SCOPE = "configuration__resource_group"
    configuration = models.ForeignKey(Configuration, on_delete=models.CASCADE, related_name="parameters")
    key = models.CharField(max_length=256)
    value = models.TextField(blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["configuration", "key"], name="parameter_key")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class ArtifactBinding(models.Model):
    """One input slot's artifact."""

    SCOPE = "configuration__resource_group"
    configuration = models.ForeignKey(Configuration, on_delete=models.CASCADE, related_name="inputs")
    key = models.CharField(max_length=256)
    artifact = models.ForeignKey("mlops.Artifact", on_delete=models.PROTECT, related_name="bindings")

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["configuration", "key"], name="artifact_key")]

    def __str__(self) -> str:
        return f"{self.key}={self.artifact_id}"


class Draft(models.Model):
    """A wizard left halfway; its author's alone. data: what the wizard's steps have collected so far."""

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    data = models.JSONField(default=dict)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.data.get("name") or self.id)


class ConfigurationDraft(Draft):
    """The wizard of a configuration, left halfway."""

    unscoped = models.Manager()

    class Meta(Draft.Meta):
        abstract = False
        indexes = [models.Index(fields=["resource_group", "author", "-modified_at"], name="draft_list")]
