"""What the gateway notes of requests to deployments: counts, times, a share of the requests themselves."""

from django.conf import settings
from django.db import models

from mlops.models.deployments import Deployment


class TrafficBucket(models.Model):
    """Requests to one revision within 10 seconds that one web process passed on. at: when they begin.

    ok, redirected, refused, failed: by class of the answer's status, 2xx to 5xx; what never got an answer
    counts as failed. latency: JSON object of index of the bound (`mlops.domain.latencies`) to count. seconds:
    the sum of all. busy: most requests open at once. process: which process wrote the row; it alone rewrites
    it.
    """

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="traffic", db_index=False
    )
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    process = models.CharField(max_length=32)
    requests = models.PositiveIntegerField(default=0)
    ok = models.PositiveIntegerField(default=0)
    redirected = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    busy = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    latency = models.JSONField(default=dict)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["deployment", "at", "revision", "process"], name="traffic_bucket")
        ]
        indexes = [models.Index(fields=["at"], name="traffic_at")]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.at}"


class Prediction(models.Model):
    """A request to a deployment and its answer, kept for monitoring.

    request, response: text, at most as much as the gateway keeps; is_cut: whether there was more of one.
    Bodies that are no text are kept as "". caller: the name that the request came under.
    """

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="predictions", db_index=False
    )
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=1024)
    status = models.PositiveSmallIntegerField()
    milliseconds = models.FloatField()
    request = models.TextField(blank=True)
    response = models.TextField(blank=True)
    is_cut = models.BooleanField(default=False)
    caller = models.CharField(max_length=256, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["deployment", "-at", "-id"], name="prediction_list")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Trial(models.Model):
    """A call that somebody made from a deployment's page; that person's alone."""

    SCOPE = "deployment__resource_group"
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="trials", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField()
    at = models.DateTimeField()
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=1024)
    request = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    response = models.TextField(blank=True)
    milliseconds = models.FloatField(null=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["deployment", "user", "-at", "-id"], name="trial_list")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
