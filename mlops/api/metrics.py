"""What a run reports: `PATCH /v2/lm/metrics`, and the same under the run's own secret address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.decorators import decorate_view
from ninja.security import HttpBearer
from pydantic import BeforeValidator

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.http import endpoint
from mlops.api.errors import limited
from mlops.domain import metrics, run_tokens
from mlops.domain.metric_limits import Point
from mlops.models import Execution

router = Router(tags=["Metrics"])

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?\Z", re.ASCII)
_WORDS = {"NaN", "Infinity", "+Infinity", "-Infinity"}


def _number(value: Any) -> float:
    """JSON has no NaN: besides numbers the three words are taken, as text or as Python writes them."""
    if isinstance(value, str) and value in _WORDS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('must be a number, "NaN", "Infinity" or "-Infinity"')
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("must lie within the range of a double") from error


def _time(value: Any) -> datetime | None:
    """RFC 3339; a time without a zone is UTC, digits beyond microseconds are dropped."""
    if value is None:
        return None
    if not isinstance(value, str) or not _TIME.match(value):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    try:
        time = datetime.fromisoformat(value.upper())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be a time within the years 1 to 9999") from error


class Named(Schema):
    """A label, a tag or custom info."""

    name: str
    value: str


class Metric(Schema):
    """One metric value."""

    name: str
    value: Annotated[float, BeforeValidator(_number)]
    timestamp: Annotated[datetime | None, BeforeValidator(_time)] = None
    step: int | None = None
    labels: list[Named] | None = None


class MetricResource(Schema):
    """TrckMetricResource; keys that it does not name are ignored."""

    executionId: str
    metrics: list[Metric] | None = None
    tags: list[Named] | None = None
    customInfo: list[Named] | None = None


class Authenticated(HttpRequest):
    """A request after authentication."""

    auth: tuple[Scope, Execution, int]


def _run(token: str) -> tuple[Scope, Execution, int] | None:
    try:
        return run_tokens.open_run(token)
    except Forbidden:
        return None


class RunBearer(HttpBearer):
    """`Authorization: Bearer <run token>`; a resource group that is named must be the run's."""

    def authenticate(self, request: HttpRequest, token: str) -> tuple[Scope, Execution, int] | None:
        """The run, None when the token is not one. Raises NotFound for another resource group."""
        run = _run(token)
        named = request.headers.get("AI-Resource-Group")
        if run and named and named != run[1].resource_group.slug:
            raise NotFound(NOTHING_HERE)
        return run


def _run_in_path(request: HttpRequest) -> tuple[Scope, Execution, int] | None:
    """Clients inside a run send an empty Authorization header, and a group of their own choice."""
    return _run(request.resolver_match.kwargs["token"]) if request.resolver_match else None


@router.patch(
    "/v2/lm/metrics",
    auth=RunBearer(),
    response={204: None},
    url_name="metrics.report",
    operation_id="metrics.report",
)
@decorate_view(limited)
@endpoint(Right.CHANGE, "run token")
def report(request: Authenticated, body: MetricResource) -> Status[None]:
    """Add metrics, set tags and custom info of the run's execution."""
    return _record(request, body)


@router.patch(
    "/runs/{token}/api/v1/metrics", auth=_run_in_path, response={204: None}, url_name="metrics.report_in_run"
)
@decorate_view(limited)
@endpoint(Right.CHANGE, "run token in the path")
def report_in_run(request: Authenticated, token: str, body: MetricResource) -> Status[None]:
    """The same for clients that know no other address than AICORE_TRACKING_ENDPOINT."""
    return _record(request, body)


def _record(request: Authenticated, body: MetricResource) -> Status[None]:
    scope, execution, attempt = request.auth
    if body.executionId != execution.pk:
        raise Invalid(
            f"The token belongs to execution {execution.pk}, the body names {body.executionId[:64]}."
        )
    metrics.record(
        scope,
        execution,
        metrics=[
            Point(one.name, one.value, one.step, one.timestamp, _pairs(one.labels))
            for one in body.metrics or ()
        ],
        tags=_pairs(body.tags),
        custom_info=_pairs(body.customInfo),
        attempt=attempt,
    )
    return Status(204, None)


def _pairs(named: Iterable[Named] | None) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.value) for one in named or ())
