"""Retries, deadlines and resource plans of templates, with their defaults."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.manifests.fields import Section
from mlops.manifests.nodes import shown
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.manifests.spec import Retry

MAX_RETRIES = 20
MAX_SECONDS = 31_536_000
_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?")
_POLICIES = ("OnFailure", "OnError", "OnTransientError", "Always")
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
    """The limits of a template, of `templateDefaults`, or (retries only) of `spec`."""
    return Limits(
        retry=read_retry(section),
        active_seconds=_seconds(section, "activeDeadlineSeconds", durations=False),
        timeout_seconds=_seconds(section, "timeout", durations=True),
        resource_plan=_resource_plan(section.section("metadata", "template metadata")),
    )


def read_retry(section: Section) -> Retry | None:
    """`retryStrategy`; None when there is none."""
    retry = section.section("retryStrategy", "retryStrategy")
    if not retry.present:
        return None
    if not retry.has("limit"):
        retry.error("limit", f"is missing; give a number of retries from 0 to {MAX_RETRIES}")
    limit = retry.number("limit", least=0, most=MAX_RETRIES)
    policy = retry.text("retryPolicy") or "OnFailure"
    if policy not in _POLICIES:
        retry.error("retryPolicy", f"{shown(policy)} is none of {', '.join(_POLICIES)}")
    elif retry.has("retryPolicy") and policy != "Always":
        retry.notice("retryPolicy", "recorded; for now a step is retried whatever ended it")
    return Retry(limit or 0, policy)


def spec_deadline(spec: Section) -> int | None:
    """Seconds the whole run may take; None without limit."""
    return _seconds(spec, "activeDeadlineSeconds", durations=False)


def refuse_on_steps(section: Section) -> None:
    """Limits belong to the templates that run something; a group of steps has none of its own yet."""
    for field in ("retryStrategy", "activeDeadlineSeconds", "timeout"):
        if section.has(field):
            section.error(field, f"{field} on a template with steps is not supported yet")


def effective_plan(section: Section, limits: Limits) -> str | None:
    """The plan's name; None, with a notice, when the default plan is taken."""
    if limits.resource_plan is None:
        section.notice(
            "metadata.labels", f"no resource plan is named: the default plan {DEFAULT_PLAN} is used"
        )
    return limits.resource_plan


def _resource_plan(metadata: Section) -> str | None:
    labels = metadata.pairs("labels")
    given = [(key, node) for key, node in labels.items() if key in _PLAN_LABELS]
    for key, node in labels.items():
        if key not in _PLAN_LABELS:
            metadata.report.notice(node.path, "ignored: only the resource plan is read here")
    if len(given) > 1:
        metadata.report.error(given[1][1].path, "give resourcePlan or instanceType, not both")
    if not given:
        return None
    node = given[0][1]
    if node.text not in PLANS:
        known = ", ".join(PLANS)
        metadata.report.error(node.path, f"{shown(node.text)!r} is no known plan; known are: {known}")
        return None
    return node.text


def _seconds(section: Section, key: str, *, durations: bool) -> int | None:
    value = section.text(key)
    if value is None:
        return None
    match = _DURATION.fullmatch(value) if durations else None
    if match and any(match.groups()):
        days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    else:
        total = int(value) if re.fullmatch(r"[1-9][0-9]{0,8}", value) else 0
    if not 1 <= total <= MAX_SECONDS:
        form = " or a duration such as 30s, 5m or 2h" if durations else ""
        section.error(key, f"{shown(value)!r} must be a number of seconds{form}, at least 1, at most a year")
        return None
    return total
