"""What people say about executions, artifacts and scenarios, and the flags they raise on them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from launchpad.resource_groups.models import ResourceGroup


class Comment(models.Model):
    """One person's words on one thing, inside one resource group; as a flag they are the reason for it.

    Exactly one of execution, artifact and scenario is what it is about. text: plain, "" once deleted.
    revision: counts changes, for those who change it at the same time. answer: what an editor said of a
    flag when closing it.
    """

    class Flag(models.TextChoices):
        NONE = "", "Comment"
        OPEN = "open", "Open flag"
        CLOSED = "closed", "Closed flag"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    # No index of their own: those below begin with them.
    execution = models.ForeignKey(
        "mlops.Execution", null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    artifact = models.ForeignKey(
        "mlops.Artifact", null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    scenario = models.ForeignKey(
        "mlops.Scenario", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    text = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=0)
    flag = models.CharField(max_length=8, choices=Flag, blank=True, default=Flag.NONE)
    answer = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=256, blank=True)
    closed_at = models.DateTimeField(null=True)
    deleted_by = models.CharField(max_length=256, blank=True)
    deleted_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(execution__isnull=False, artifact=None, scenario=None)
                | Q(execution=None, artifact__isnull=False, scenario=None)
                | Q(execution=None, artifact=None, scenario__isnull=False),
                name="comment_is_about_one_thing",
            )
        ]
        indexes = [
            *(
                models.Index(
                    F(about), F("created_at").desc(), F("id").desc(), condition=~Q(**{about: None}), name=name
                )
                for about, name in (
                    ("execution", "comment_execution"),
                    ("artifact", "comment_artifact"),
                    ("scenario", "comment_scenario"),
                )
            ),
            models.Index(fields=["resource_group", "flag", "-created_at", "-id"], name="comment_flag"),
        ]

    def __str__(self) -> str:
        return str(self.id)
