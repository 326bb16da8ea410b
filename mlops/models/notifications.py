"""Rules by which people and programs are told of schedules and executions, and what they are told."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchpad.resource_groups.models import ResourceGroup
from launchpad.vault import SealedField


class NotificationRule(models.Model):
    """Who is told of what happens in a resource group.

    about: whose events; schedule: of one alone, None for all. grace: for how long what is due may wait before
    it is late; late_until: due times and submissions up to here have been looked at for lateness. addresses:
    of EMAIL; url: of WEBHOOK. target: the same as everybody in the group may see it; host: of the webhook,
    one of which is asked at a time. secret: what signs webhooks: {"new": …, "old": [[…, until when it signs
    too], …]}. message: why it is not active.
    """

    class About(models.TextChoices):
        SCHEDULES = "schedules", "Schedules"
        EXECUTIONS = "executions", "Executions"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.CharField(max_length=256)
    about = models.CharField(max_length=10, choices=About)
    schedule = models.ForeignKey("mlops.Schedule", null=True, on_delete=models.CASCADE, related_name="+")
    on_failed = models.BooleanField(default=False)
    on_recovered = models.BooleanField(default=False)
    on_skipped = models.BooleanField(default=False)
    on_late = models.BooleanField(default=False)
    grace = models.DurationField(default=timedelta(minutes=5))
    late_until = models.DateTimeField()
    channel = models.CharField(max_length=8, choices=Channel)
    addresses = models.JSONField(default=list)
    # Addresses of many receivers are their passwords.
    url = SealedField(null=True)
    target = models.CharField(max_length=512)
    host = models.CharField(max_length=300, blank=True)
    secret = SealedField(null=True)
    is_active = models.BooleanField(default=True)
    message = models.CharField(max_length=256, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(about="schedules") | Q(schedule__isnull=True, on_skipped=False),
                name="notification_rule_of_schedules",
            )
        ]
        indexes = [
            models.Index(fields=["resource_group", "-created_at", "-id"], name="notification_rule_list"),
            models.Index(
                fields=["resource_group", "about"],
                condition=Q(is_active=True),
                name="notification_rule_active",
            ),
            models.Index(
                fields=["id"], condition=Q(is_active=True, on_late=True), name="notification_rule_late"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def receivers(self) -> list[str]:
        """Each gets notices of its own: addresses, or "" for the webhook."""
        return self.addresses or [""]

    @property
    def events(self) -> list[str]:
        """What it tells of, in the order of a life."""
        return [event for event in Notice.TOLD if getattr(self, f"on_{event}")]


class Notice(models.Model):
    """One thing that one receiver of a rule is told, and how far that is.

    Written along with what it tells of, once: subject names that. recipient: an e-mail address, "" for a
    webhook. tries: how often it was sent; next_try_at: when it is sent next, None once it has ended;
    claimed_until: until then nobody else sends it. answer: what the receiver's server said.
    """

    class Event(models.TextChoices):
        FAILED = "failed", "Failed"
        RECOVERED = "recovered", "Recovered"
        SKIPPED = "skipped", "Skipped"
        LATE = "late", "Late"
        TEST = "test", "Test"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not delivered"

    TOLD = ("failed", "recovered", "skipped", "late")
    SCOPE = "resource_group"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rule = models.ForeignKey(NotificationRule, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.CharField(max_length=10, choices=Event)
    subject = models.CharField(max_length=128)
    recipient = models.CharField(max_length=254, blank=True)
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    answer = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["rule", "event", "subject", "recipient"], name="notice_once"),
            models.CheckConstraint(
                condition=Q(state="waiting") ^ Q(next_try_at__isnull=True), name="notice_next_try_iff_waiting"
            ),
        ]
        indexes = [
            models.Index(fields=["resource_group", "-created_at", "-id"], name="notice_log"),
            models.Index(fields=["rule", "-created_at", "-id"], name="notice_of_rule"),
            models.Index(fields=["next_try_at"], condition=Q(state="waiting"), name="notice_due"),
            models.Index(fields=["created_at"], name="notice_old"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"
