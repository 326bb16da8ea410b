"""Resource groups: the walls inside a workspace, and the base of everything behind them."""

import uuid

from django.conf import settings
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


class Visit(models.Model):
    """Where a person was last in a workspace. resource_group: None once that group is gone."""

    SCOPE = "workspace"
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    resource_group = models.ForeignKey(ResourceGroup, null=True, on_delete=models.SET_NULL, related_name="+")
    visited_at = models.DateTimeField()

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="visit_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id}"


class AccessRequest(models.Model):
    """A person's wish for a role in a resource group; one at a time is open.

    outcome: empty while it is open.
    """

    class Outcome(models.TextChoices):
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.CASCADE, related_name="+")
    message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "resource_group"],
                condition=models.Q(closed_at=None),
                name="access_request_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["resource_group", "-created_at"],
                condition=models.Q(closed_at=None),
                name="access_request_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.resource_group.slug}"
