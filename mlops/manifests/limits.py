"""Retries, deadlines and resource plans of templates, with their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlops.manifests.durations import read_limit
from mlops.manifests.fields import Section
from mlops.manifests.nodes import Text, shown
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.manifests.report import Report
from mlops.manifests.retries import read_retry
from mlops.manifests.spec import Retry

_PLAN_LABELS = ("ai.sap.com/resourcePlan", "ai.sap.com/instanceType")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a template or its defaults say; None where they say nothing."""

    retry: Retry | None = None
    active_seconds: int | None = None
    timeout_seconds: int | None = None
    resource_plan: str | None = None

    def over(self, defaults: Limits) -> Limits:
        """These limits, open ones filled from defaults."""
        return Limits(
            self.retry or defaults.retry,
            self.active_seconds or defaults.active_seconds,
            self.timeout_seconds or defaults.timeout_seconds,
            self.resource_plan or defaults.resource_plan,
        )

    @property
    def deadline_seconds(self) -> int | None:
        """The shorter of the two limits on one attempt of a step."""
        given = [value for value in (self.active_seconds, self.timeout_seconds) if value]
        return min(given, default=None)


def read_limits(section: Section) -> Limits:
    """The limits of a template or of `templateDefaults`."""
    return Limits(
        retry=read_retry(section),
        active_seconds=read_limit(section, "activeDeadlineSeconds", durations=False),
        timeout_seconds=read_limit(section, "timeout", durations=True),
        resource_plan=resource_plan(
            section.section("metadata", "template metadata").pairs("labels"),
            section.report,
            PLANS.__contains__,
        ),
    )


def effective_plan(section: Section, limits: Limits) -> str | None:
    """The plan's name; None, with a notice, when the default plan is taken."""
    if limits.resource_plan is None:
        section.notice(
            "metadata.labels", f"no resource plan is named: the default plan {DEFAULT_PLAN} is used"
        )
    return limits.resource_plan


def resource_plan(labels: Mapping[str, Text], report: Report, known: Callable[[str], bool]) -> str | None:
    """The plan that the labels of a template name; None without one and after an error.

    known: whether a text may stand for a plan.
    """
    given = [(key, node) for key, node in labels.items() if key in _PLAN_LABELS]
    for key, node in labels.items():
        if key not in _PLAN_LABELS:
            report.notice(node.path, "ignored: only the resource plan is read here")
    if len(given) > 1:
        report.error(given[1][1].path, "give resourcePlan or instanceType, not both")
    if not given:
        return None
    node = given[0][1]
    if not known(node.text):
        report.error(node.path, f"{shown(node.text)!r} is no known plan; known are: {', '.join(PLANS)}")
        return None
    return node.text
