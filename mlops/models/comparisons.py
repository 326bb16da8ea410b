"""What is compared: executions started together, and boards of charts that people keep."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup


class Sweep(models.Model):
    """Executions started together, one for each combination of some parameters' values.

    axes: list of {name, values} in the order of the grid; refused: list of {values, reason} of combinations
    that did not start.
    """

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=256)
    axes = models.JSONField(default=list)
    refused = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["resource_group", "-created_at", "-id"], name="sweep_list")]

    def __str__(self) -> str:
        return self.name


class Board(models.Model):
    """Charts of some executions or models under a name; its author's own, or the group's when shared.

    items: list of keys, the first one the baseline; charts: list of what `comparisons.Chart` says, as JSON.
    directions: metric to "lower" or "higher", which is better, where somebody said so.
    version: grows with every change, so that the second of two editors is told.
    """

    class Kind(models.TextChoices):
        EXECUTIONS = "executions", "Executions"
        MODELS = "models", "Models"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=256)
    items = models.JSONField(default=list)
    charts = models.JSONField(default=list)
    directions = models.JSONField(default=dict)
    is_shared = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["resource_group", "-created_at", "-id"],
                condition=Q(is_shared=True),
                name="board_shared",
            ),
            models.Index(fields=["resource_group", "author", "-created_at", "-id"], name="board_own"),
        ]

    def __str__(self) -> str:
        return self.name
