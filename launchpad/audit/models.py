"""The audit trail: who did what to which object, append-only."""

from django.conf import settings
from django.db import models


class AppendOnly(models.QuerySet):
    """Reads and inserts only; changing or removing history raises TypeError."""

    def update(self, **_values: object) -> int:
        """Refused: history is not rewritten."""
        raise TypeError("The audit trail is append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: history is not removed."""
        raise TypeError("The audit trail is append-only.")


class AuditEvent(models.Model):
    """One change by a person, a client or the system.

    verb: `<noun>.<verb>` as everywhere else. The place is kept as plain values, so that the event
    outlives what it tells of. detail: JSON object of the values given, secrets left out.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=256)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    verb = models.CharField(max_length=64)
    workspace = models.CharField(max_length=63, blank=True)
    resource_group = models.UUIDField(null=True)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=256, blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=32, blank=True)

    unscoped = models.Manager.from_queryset(AppendOnly)()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["resource_group", "-id"], name="audit_place"),
            models.Index(fields=["workspace", "-id"], name="audit_workspace"),
            models.Index(fields=["workspace", "at"], name="audit_time"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.verb} {self.object_id}"
