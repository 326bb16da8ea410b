"""Resource groups: the walls inside a workspace, and the base of everything behind them."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from launchpad.workspaces.models import Workspace


class ResourceGroup(models.Model):
    """A part of a workspace whose content only its viewers and editors see.

    labels: list of {key, value}. deleting_at: since when it is being emptied; from then on nobody opens it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    slug = models.CharField(
        "id",
        max_length=253,
        validators=[
            RegexValidator(
                r"^[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}[a-zA-Z0-9]\Z",
                "Use 3 to 253 letters, digits, dots and hyphens; start and end with a letter or digit.",
            )
        ],
    )
    description = models.CharField(max_length=256, blank=True)
    labels = models.JSONField(default=list, editable=False)
    deleting_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        ordering = ["workspace_id", "slug"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="resource_group_slug")]
        default_permissions = ("add", "change", "delete")
        permissions = [
            ("mloperations_viewer", "May see everything in this resource group"),
            ("mloperations_editor", "May change everything in this resource group"),
        ]

    def __str__(self) -> str:
        return f"{self.workspace_id} / {self.slug}"


class ResourceGroupUserPermission(UserObjectPermissionBase):
    """A role of one user on one resource group."""

    content_object = models.ForeignKey(ResourceGroup, on_delete=models.CASCADE, related_name="+")


class ResourceGroupGroupPermission(GroupObjectPermissionBase):
    """A role of one team on one resource group."""

    content_object = models.ForeignKey(ResourceGroup, on_delete=models.CASCADE, related_name="+")
