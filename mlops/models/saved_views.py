"""Views of lists that people keep: filters, order and columns under a name."""

import uuid

from django.conf import settings
from django.db import models

from launchpad.resource_groups.models import ResourceGroup


class SavedView(models.Model):
    """An address of a list under a name. noun: the list's. query: the address's, without `?`.

    Its owner's alone, unless is_shared: then everybody in the group has it.
    """

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: the constraint's begins with it.
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    noun = models.CharField(max_length=32)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["resource_group", "noun", "owner", "name"], name="saved_view_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
