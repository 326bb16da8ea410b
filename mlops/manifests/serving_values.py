"""What the fields of a ServingTemplate may come to, once parameters are filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from mlops.manifests.durations import seconds
from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import names, replace
from mlops.manifests.plans import PLANS
from mlops.manifests.spec import Serving

_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_HOUR = 3600.0
_PREFIX = "inputs.parameters."


class Problem(NamedTuple):
    """field: as in the template, the predictor's by their path in it; parameters: those it is made of."""

    field: str
    reason: str
    parameters: tuple[str, ...]


PLAN = "ai.sap.com/resourcePlan"
KNATIVE = "autoscaling.knative.dev/"


def problems(serving: Serving, values: Mapping[str, str]) -> Iterator[Problem]:
    """Every field that cannot be what the values make of it.

    values: parameters by name; a field that wants one that is missing is passed over.
    """

    def filled(text: str | None) -> str | None:
        if text is None or not values.keys() >= set(_parameters(text)):
            return None
        return replace(text, lambda name: values[name.removeprefix(_PREFIX)]).strip()

    for field, text, least, most in numbers(serving):
        value = filled(text)
        if value is not None and not _whole(value, least, most):
            reason = f"{shown(value, 60)!r} must be a whole number from {least} to {most:,}"
            yield Problem(field, reason, _parameters(text))
    bounds = (filled(serving.min_replicas), filled(serving.max_replicas))
    replicas = [int(value) for value in bounds if value is not None and _WHOLE.fullmatch(value)]
    if len(replicas) == 2 and replicas[1] < replicas[0]:
        reason = f"{replicas[1]} is below minReplicas, which is {replicas[0]}"
        yield Problem("maxReplicas", reason, _parameters(f"{serving.max_replicas}{serving.min_replicas}"))
    plan = filled(serving.resource_plan)
    if plan is not None and plan not in PLANS:
        reason = f"{shown(plan)!r} is no known plan; known are: {', '.join(PLANS)}"
        yield Problem(PLAN, reason, _parameters(serving.resource_plan))
    for key, text in serving.autoscaling:
        value = filled(text)
        fits, words = AUTOSCALING[key]
        if value is not None and not fits(value):
            yield Problem(f"{KNATIVE}{key}", f"{shown(value, 60)!r} must be {words}", _parameters(text))


def numbers(serving: Serving) -> Iterator[tuple[str, str | None, int, int]]:
    """(field, text, least, most) of every whole number."""
    yield "minReplicas", serving.min_replicas, 0, 1000
    yield "maxReplicas", serving.max_replicas, 1, 1000
    yield "containerConcurrency", serving.concurrency, 0, 100_000
    yield "timeout", serving.timeout_seconds, 1, 86_400
    yield "terminationGracePeriodSeconds", serving.grace_seconds, 0, 3600
    if serving.server is not None:
        yield "containers[0].ports[0].containerPort", serving.server.port, 1, 65_535
        yield "containers[0].readinessProbe.httpGet.port", serving.server.ready_port, 1, 65_535
        yield "containers[0].livenessProbe.httpGet.port", serving.server.live_port, 1, 65_535


def _parameters(text: str | None) -> tuple[str, ...]:
    return tuple(name.removeprefix(_PREFIX) for name in names(text or ""))


def _whole(value: str, least: int, most: int) -> bool:
    return _WHOLE.fullmatch(value) is not None and least <= int(value) <= most


def _within(value: str, least: float, most: float) -> bool:
    found = seconds(value)
    return found is not None and least <= found <= most


def _burst(value: str) -> bool:
    return _DECIMAL.fullmatch(value) is not None and (value == "-1" or Decimal(value) >= 0)


# What the number of servers follows; the others are recorded.
SCALING = frozenset({"metric", "target", "window"})
AUTOSCALING: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "metric": (lambda value: value in ("concurrency", "rps"), "concurrency or rps"),
    "target": (lambda value: _whole(value, 1, 1_000_000), "a whole number from 1 to 1,000,000"),
    "targetBurstCapacity": (_burst, "a number from 0 on, or -1 to always buffer"),
    "window": (lambda value: _within(value, 6, _HOUR), "a duration from 6s to 1h"),
    "scaleToZeroPodRetentionPeriod": (lambda value: _within(value, 0, _HOUR), "a duration from 0s to 1h"),
    "scale-down-delay": (lambda value: _within(value, 0, _HOUR), "a duration from 0s to 1h"),
}
