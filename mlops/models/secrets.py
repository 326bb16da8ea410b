"""Secrets and connections; their values are encrypted at rest and never shown again."""

import uuid

from django.db import models

from launchpad.resource_groups.models import ResourceGroup
from launchpad.vault import SealedField
from launchpad.workspaces.models import Workspace


class ObjectStoreSecret(models.Model):
    """An object store of a resource group, by the name that `ai://<name>/…` addresses bear.

    kind: s3, or local for a folder of this Launchpad. options: public, such as bucket, endpoint, region,
    path_prefix, use_https and verify_ssl. data: credentials.
    """

    class Kind(models.TextChoices):
        S3 = "s3", "S3-compatible"
        LOCAL = "local", "Folder of this Launchpad"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=233)
    kind = models.CharField(max_length=16, choices=Kind)
    options = models.JSONField(default=dict)
    data = SealedField()
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["resource_group", "name"], name="object_store_name")]

    def __str__(self) -> str:
        return self.name


class DockerSecret(models.Model):
    """Credentials of a container registry, which process runners do not use. data: {.dockerconfigjson}."""

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=63)
    data = SealedField()
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="docker_secret_name")]

    def __str__(self) -> str:
        return self.name


class Secret(models.Model):
    """Named values that templates refer to. data: key to base64 text; labels: list of {key, value}."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=252)
    data = SealedField()
    labels = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class WorkspaceSecret(Secret):
    """A generic secret of a workspace. is_shared: runs of every resource group may refer to it."""

    SCOPE = "workspace"
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    is_shared = models.BooleanField(default=False)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "is_shared", "name"], name="workspace_secret_name")
        ]


class ResourceGroupSecret(Secret):
    """A generic secret of one resource group; in its runs it hides a workspace's of the same name."""

    SCOPE = "resource_group"
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["resource_group", "name"], name="resource_group_secret_name")
        ]
