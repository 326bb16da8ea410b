"""Real rows of a running execution, as a worker's claim leaves them."""

from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Status
from mlops.models import Execution, StepRun
from tests.mlops import factories


def group(slug: str = "red") -> ResourceGroup:
    """A resource group of the workspace `lab`."""
    return factories.place("lab", slug)


def execution(
    place: ResourceGroup,
    *,
    status: Status = Status.RUNNING,
    attempt: int = 1,
    steps: tuple[str, ...] = ("prepare", "train"),
) -> Execution:
    """An execution in `place` with the step rows of its attempts."""
    row = factories.execution(factories.configuration(place), status=status)
    Execution.unscoped.filter(pk=row.pk).update(attempt=attempt)
    row.attempt = attempt
    StepRun.unscoped.bulk_create(
        StepRun(execution=row, attempt=tried, index=index, name=name, status=Status.UNKNOWN)
        for tried in range(1, attempt + 1)
        for index, name in enumerate(steps)
    )
    return row
