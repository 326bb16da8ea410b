"""What the steps of executions ran in: recorded when an attempt begins, and never changed."""

from django.db import models

from launchpad.resource_groups.models import ResourceGroup
from mlops.models.enactments import Execution


class Environment(models.Model):
    """An interpreter with its packages on a kind of system; attempts in the same one share the row.

    digest: of everything else. packages: list of [name, version], sorted by name.
    """

    SCOPE = "resource_group"
    resource_group = models.ForeignKey(ResourceGroup, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    interpreter = models.CharField(max_length=256)
    system = models.CharField(max_length=256)
    packages = models.JSONField(default=list)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["resource_group", "digest"], name="environment_digest")
        ]

    def __str__(self) -> str:
        return f"{self.interpreter}, {len(self.packages)} packages"


class AttemptEnvironment(models.Model):
    """The environment of one attempt. mode: sandbox or plain, how its steps were confined."""

    SCOPE = "execution__resource_group"
    # No index of its own: the constraint's begins with it.
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="+", db_index=False)
    attempt = models.PositiveIntegerField()
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    host = models.CharField(max_length=256)
    mode = models.CharField(max_length=16)
    recorded_at = models.DateTimeField(auto_now_add=True)

    unscoped = models.Manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["execution", "attempt"], name="attempt_environment")]

    def __str__(self) -> str:
        return f"{self.execution_id}/{self.attempt} on {self.host}"
