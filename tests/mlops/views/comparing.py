"""Executions that are worth a comparison, and the page that compares them."""

from datetime import timedelta

from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories

EXECUTIONS = "/w/north/g/red/compare/executions"
MODELS = "/w/north/g/red/compare/models"


def run(group, *, name, epochs, seconds=60, version=None, data=None, **values):
    """A completed execution with metrics: a number, or a list that becomes a curve."""
    bound = factories.configuration(
        group,
        name=name,
        version=version or factories.catalog_version(group),
        parameters={"OWNER": "Ada", "EPOCHS": epochs},
        inputs={"petals": data or factories.artifact(group)},
    )
    at = timezone.now() - timedelta(hours=1)
    row = factories.execution(bound, status=Status.COMPLETED, created_at=at)
    Execution.unscoped.filter(pk=row.pk).update(completed_at=at + timedelta(seconds=seconds))
    points = [
        Point(metric, value, step, at + timedelta(seconds=step), ())
        for metric, told in values.items()
        for step, value in enumerate(told if isinstance(told, list) else [told], start=1)
    ]
    for start in range(0, len(points) or 1, 1000):
        part = points[start : start + 1000]
        metrics.record(system_scope(group), row.pk, metrics=part, tags=[("team", name)], custom_info=[])
    return row


def ask(browser, rows, address=EXECUTIONS, **query):
    """The page that compares these rows."""
    return browser.get(address, {"id": [row.pk for row in rows], **query})
