"""Workspaces: a place with a runtime, holding scenarios and resource groups."""

from django.core.validators import RegexValidator
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase


class Workspace(models.Model):
    """A place with a runtime; its slug is its key and never changes."""

    class Runtime(models.TextChoices):
        EMBEDDED = "embedded", "This Launchpad's workers"

    slug = models.CharField(
        primary_key=True,
        max_length=63,
        validators=[
            RegexValidator(
                r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z",
                "Use lower-case letters, digits, dots and hyphens; start and end with a letter or digit.",
            )
        ],
    )
    description = models.CharField(max_length=256, blank=True)
    runtime = models.CharField(max_length=16, choices=Runtime, default=Runtime.EMBEDDED)
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        ordering = ["slug"]
        default_permissions = ("add", "change", "delete")
        permissions = [("operations_manager", "May open the ML operations of this workspace")]

    def __str__(self) -> str:
        return self.slug


class WorkspaceUserPermission(UserObjectPermissionBase):
    """A role of one user on one workspace."""

    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")


class WorkspaceGroupPermission(GroupObjectPermissionBase):
    """A role of one team on one workspace."""

    content_object = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
