"""What runs tell: metric series and points, tags, custom info and log chunks."""

from django.db import models

from launchpad.resource_groups.models import ResourceGroup
from mlops.models.enactments import Execution


class MetricSeries(models.Model):
    """All points of one metric name and label set of an execution, with their summary.

    resource_group: the execution's own, so that an index finds a group's values by size. labels: list of
    {name, value} sorted by name; labels_digest: its identity. last, minimum and maximum tell of finite
    values only; last is the one with the highest step, then the latest time, last_step its step if it has
    one. count: all points; nan_count: those that are NaN or infinite.
    """

    SCOPE = "resource_group"
    resource_group = models.ForeignKey(
        ResourceGroup, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # No index of its own: the constraint's begins with it.
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="metric_series", db_index=False
    )
    name = models.CharField(max_length=256)
    labels = models.JSONField(default=list)
    labels_digest = models.CharField(max_length=64)
    last = models.FloatField(null=True)
    last_step = models.BigIntegerField(null=True)
    last_at = models.DateTimeField(null=True)
    minimum = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    count = models.BigIntegerField(default=0)
    nan_count = models.BigIntegerField(default=0)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "name", "labels_digest"], name="metric_series")
        ]
        indexes = [models.Index(fields=["resource_group", "name", "-last", "-execution"], name="metric_last")]

    def __str__(self) -> str:
        return self.name


class MetricPoint(models.Model):
    """One value. kind: "" a finite number in `value`; "nan", "inf" or "-inf" with `value` 0."""

    SCOPE = "series__resource_group"
    # No index of its own: the constraint's begins with it.
    series = models.ForeignKey(MetricSeries, on_delete=models.CASCADE, related_name="points", db_index=False)
    step = models.BigIntegerField(default=0)
    has_step = models.BooleanField()
    recorded_at = models.DateTimeField()
    value = models.FloatField()
    kind = models.CharField(max_length=4, blank=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["series", "step", "has_step", "recorded_at", "value", "kind"], name="metric_point"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.value}"


class Tag(models.Model):
    """A name and value an execution's run attached to it."""

    SCOPE = "execution__resource_group"
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=256)
    value = models.CharField(max_length=256)
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["execution", "name"], name="tag_name")]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class CustomInfo(models.Model):
    """A longer text an execution's run attached to it, often JSON."""

    SCOPE = "execution__resource_group"
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="custom_info")
    name = models.CharField(max_length=256)
    value = models.TextField()
    modified_at = models.DateTimeField(auto_now=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["execution", "name"], name="custom_info_name")]

    def __str__(self) -> str:
        return self.name


class Chunk(models.Model):
    """Consecutive log lines, numbered by their only writer.

    seq: 0, 1, 2 … within (owner, attempt, step). first_line: 1-based number of the first line
    within the same. text: lines joined by newline; offsets: list of milliseconds from `at`, one a
    line, within a minute; stderr: indices of the lines that were written there.
    """

    attempt = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    at = models.DateTimeField()
    text = models.TextField()
    offsets = models.JSONField(default=list)
    stderr = models.JSONField(default=list)

    class Meta:
        abstract = True
        default_permissions = ()


class LogChunk(Chunk):
    """Consecutive log lines of one step in one attempt of an execution. step: its index."""

    SCOPE = "execution__resource_group"
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="log_chunks")

    unscoped = models.Manager()

    class Meta(Chunk.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["execution", "attempt", "step", "seq"], name="log_chunk_seq")
        ]
        indexes = [models.Index(fields=["execution", "at"], name="log_chunk_time")]

    def __str__(self) -> str:
        return f"{self.execution_id}/{self.attempt}/{self.step}#{self.seq}"
