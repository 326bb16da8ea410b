"""Teams by the name that does not collide with resource groups, and the keys of API clients."""

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace


class Team(Group):
    """Users who hold roles together."""

    class Meta:
        proxy = True
        default_permissions = ()


class ServiceKey(models.Model):
    """Credentials of an API client, for one resource group or, without one, for the whole workspace.

    application: client id and hashed secret. account: the service account it acts as; its roles are granted
    like a person's. last_used_at is exact to about a minute.
    """

    SCOPE = "workspace"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    resource_group = models.ForeignKey(ResourceGroup, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64)
    role = models.CharField(max_length=32)
    application = models.OneToOneField(
        "oauth2_provider.Application", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["workspace", "resource_group", "-created_at"], name="service_key_list")
        ]

    def __str__(self) -> str:
        return self.name
