"""Metrics of executions: added, read and removed by clients and, under their tokens, by runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.accounts import rates
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.spools import spooled
from mlops.api import metric_queries, queries
from mlops.api.answers import text, time
from mlops.api.documents import Answer, Id
from mlops.api.metric_reports import Number, TrckMetricResource, pairs
from mlops.api.operations import GROUP_HEADER, Operations, Place, View
from mlops.api.queries import Parameters
from mlops.domain import metric_search, metrics, run_tokens
from mlops.domain.metric_search import CUSTOM_INFO, METRICS, TAGS, Found, Value

_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
# So many values are told without a file.
_PLAIN = 5000


@dataclass(frozen=True)
class Reporter:
    """Who reports or reads: a client in a resource group, or a run, which has its own execution only."""

    scope: Scope
    run: run_tokens.Run | None = None

    @property
    def attempt(self) -> int | None:
        """The attempt of the run."""
        return self.run.attempt if self.run else None

    def own(self, execution: str) -> str:
        """The execution, if it is the reporter's to speak of. Raises Invalid."""
        if self.run and execution != self.run.execution:
            raise Invalid(
                f"The token belongs to execution {self.run.execution}, the request names {execution[:64]}."
            )
        return execution


class Report(HttpRequest):
    """A request after authentication."""

    auth: Reporter


class ByClientOrRun(Place):
    """A bearer token of a client or of a run; a resource group that is named must be the run's."""

    def __init__(self, right: Right) -> None:
        super().__init__(right, needs_group=True)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The reporter, None for a token that is none of ours. Raises Invalid, NotFound, Forbidden."""
        # Tokens of clients hold no dots.
        if "." not in token:
            scope = super().authenticate(request, token)
            return scope and Reporter(scope)
        reporter = _run(token)
        named = request.headers.get(GROUP_HEADER)
        group = reporter and reporter.scope.resource_group
        if named and group and named.strip() != group.slug:
            raise NotFound(NOTHING_HERE)
        return reporter


class ByAddress(Place):
    """The run's token in the address: clients in a run send an empty header and any group."""

    def __init__(self, right: Right) -> None:
        super().__init__(right, needs_group=False)

    def __call__(self, request: HttpRequest) -> Reporter | None:
        """The reporter, None for a token that Launchpad did not issue."""
        return _run(request.resolver_match.kwargs["token"]) if request.resolver_match else None


def _run(token: str) -> Reporter | None:
    try:
        run = run_tokens.open_run(token)
    except Forbidden:
        return None
    rates.take(run.execution)
    return Reporter(run.scope, run)


class TrckLabel(Answer):
    """A label, a tag or custom info."""

    name: str
    value: str


class TrckGetMetric(Answer):
    """One metric value. Without a step the run counted none; NaN and the infinities are told as text."""

    name: str
    value: Number
    timestamp: str
    step: int | None = None
    labels: list[TrckLabel]


class TrckGetMetricResource(Answer):
    """What an execution reported; parts that were not selected are missing."""

    executionId: Id
    metrics: list[TrckGetMetric] | None = None
    tags: list[TrckLabel] | None = None
    customInfo: list[TrckLabel] | None = None


class TrckGetMetricResources(Answer):
    """What executions reported."""

    count: int
    resources: list[TrckGetMetricResource]


class TrckDeleted(Answer):
    """The execution whose metrics are gone."""

    id: Id
    message: str


ONE = Parameters(queries.identifier("executionId", "execution", "Of this execution."))


def record(request: Report, body: TrckMetricResource) -> HttpResponse:
    """Add metrics, set tags and custom info by name. The body adds: what was reported before stays.

    A run may report until its execution ends, a client at any time.
    """
    reporter = request.auth
    metrics.record(
        reporter.scope,
        reporter.own(body.executionId),
        metrics=body.points(),
        tags=pairs(body.tags),
        custom_info=pairs(body.customInfo),
        attempt=reporter.attempt,
    )
    return HttpResponse(status=204)


def search(request: Report) -> HttpResponseBase:
    """What executions reported, newest execution first. One that reported nothing is not told of.

    NaN and the infinities, which JSON does not know, are told as the texts "NaN", "Infinity", "-Infinity".
    """
    reporter, asked = request.auth, metric_queries.read(request)
    top, skip, parts = (asked.pop(key) for key in ("top", "skip", "parts"))
    if reporter.run:
        run_tokens.check_alive(reporter.run)
        asked["executions"] = {reporter.run.execution} & (asked["executions"] or {reporter.run.execution})
    keys = list(metric_search.search(reporter.scope, **asked)[skip : skip + top])
    many = METRICS in parts and metric_search.count(reporter.scope, keys) > _PLAIN
    pieces = _pieces(metric_search.read(reporter.scope, keys, parts), parts)
    if many or len(keys) > metric_search.AT_ONCE:
        return spooled(request, pieces, content_type="application/json")
    return HttpResponse("".join(pieces), content_type="application/json")


def _pieces(resources: Iterator[Found], parts: Collection[str]) -> Iterator[str]:
    """The text of the list, a value at a time; its count comes last, when it is known."""
    count = 0
    yield '{"resources":['
    for one in resources:
        told: dict[str, Any] = {"executionId": one.execution}
        for part, pairs_of in ((TAGS, one.tags), (CUSTOM_INFO, one.custom_info)):
            if part in parts:
                told[part] = [{"name": name, "value": value} for name, value in pairs_of]
        yield ("," if count else "") + text(told)[:-1]
        if METRICS in parts:
            yield ',"metrics":['
            for number, value in enumerate(one.metrics):
                yield ("," if number else "") + text(_value(value))
            yield "]"
        yield "}"
        count += 1
    yield f'],"count":{count}}}'


def _value(one: Value) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "value": _WORDS.get(one.kind, one.value),
        "timestamp": time(one.recorded_at),
        "labels": one.labels,
    }
    if one.step is not None:
        told["step"] = one.step
    return told


def delete(request: Report) -> dict[str, Any]:
    """Remove all metrics, tags and custom info of an execution."""
    reporter, execution = request.auth, ONE.read(request)["execution"]
    if execution is None:
        raise Invalid("Name the execution in executionId.")
    metrics.delete(reporter.scope, reporter.own(execution), attempt=reporter.attempt)
    return {"id": execution, "message": "Metric Resource was successfully deleted"}


def record_in_run(request: Report, token: str, body: TrckMetricResource) -> HttpResponse:
    """The same for a run, whose clients know no other address than AICORE_TRACKING_ENDPOINT."""
    return record(request, body)


def search_in_run(request: Report, token: str) -> HttpResponseBase:
    """What the run's execution reported so far."""
    return search(request)


def delete_in_run(request: Report, token: str) -> dict[str, Any]:
    """Remove what the run's execution reported."""
    return delete(request)


operation = Operations("Metrics")
tracking = Operations("Metrics", prefix="/api/v1")
in_run = Operations("Metrics", prefix="/runs/{token}/api/v1")


def _mount(
    at: Operations, path: str, place: type[Place], views: Sequence[View], *, name: str = "", **more: Any
) -> None:
    """Offer recording, searching and deleting at an address. name: added to the operations' names."""
    recording, searching, deleting = views
    at("PATCH", path, place(Right.CHANGE), name=f"metrics.record{name}", answers={204: None}, **more)(
        recording
    )
    answers = {200: TrckGetMetricResources}
    query = metric_queries.METRICS_OF
    at("GET", path, place(Right.VIEW), name=f"metrics.search{name}", answers=answers, query=query, **more)(
        searching
    )
    gone = {200: TrckDeleted}
    at("DELETE", path, place(Right.CHANGE), name=f"metrics.delete{name}", answers=gone, query=ONE, **more)(
        deleting
    )


_mount(operation, "/lm/metrics", ByClientOrRun, (record, search, delete))
_mount(
    tracking, "/metrics", ByClientOrRun, (record, search, delete), name="_tracked", include_in_schema=False
)
_mount(
    in_run,
    "/metrics",
    ByAddress,
    (record_in_run, search_in_run, delete_in_run),
    name="_in_run",
    include_in_schema=False,
)
