"""Executions: the list, the page of one, and what editors do with them."""

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.exports import csv_file
from launchpad.http import action, editor, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import executions, metrics, preflights
from mlops.views.configuration_choice import Choice
from mlops.views.execution_list import ExecutionList
from mlops.views.execution_page import FRAGMENTS, ExecutionPage
from mlops.views.log_panel import LogHit

LONGEST_KEY = 19
POINTS = {
    "metric": lambda row: row.series.name,
    "labels": lambda row: ", ".join(f"{one['name']}={one['value']}" for one in row.series.labels),
    "step": lambda row: row.step if row.has_step else None,
    "recorded_at": lambda row: row.recorded_at,
    "value": lambda row: float(row.kind) if row.kind else row.value,
}
LIST_FRAGMENTS = ("execution-list", "execution-table")


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Executions of the group, newest first, filtered by status and text."""
    listing = ExecutionList(scope, request.GET)
    return render(request, "mlops/executions/index.html", {"listing": listing}, fragments=LIST_FRAGMENTS)


@viewer
def detail(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """One execution; `tab` chooses what of it is shown."""
    page = ExecutionPage(scope, execution_id, request.GET, fragment=request.htmx.target)
    request.content_security = page.content_security
    return render(request, page.template, {"page": page}, fragments=tuple(FRAGMENTS))


@viewer
def seek(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Lead to the next, previous or first line of the log that fits the filters, with what is around it."""
    hit = LogHit(scope, executions.get(scope, execution_id), request.GET)
    page = place_url(scope, "mlops:executions.detail", execution_id=execution_id)
    return respond(request, f"{page}{hit.address}", toast=hit.notice)


@viewer
def points(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Every metric value as CSV, or those of the series that the address names."""
    execution = executions.get(scope, execution_id)
    series = request.GET.get("series", "")
    is_key = series.isascii() and series.isdecimal() and len(series) < LONGEST_KEY
    rows = metrics.every_point(scope, execution, int(series) if is_key else None)
    return csv_file(request, f"{execution_id}-metrics", POINTS, rows)


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Choose a configuration and run it; a configuration's own page posts here directly."""
    choice = Choice(scope, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST" and choice.may_start:
        execution = executions.create(scope, configuration=choice.wanted)
        return respond(
            request,
            "mlops:executions.detail",
            execution_id=execution.pk,
            toast=f"Execution {execution.pk[:8]} was created.",
        )
    return render(
        request,
        "mlops/executions/create.html",
        {"choice": choice, "refused": request.method == "POST"},
        fragments=("configuration-choices", "configuration-preview"),
        status=422 if request.method == "POST" else 200,
    )


@action
def restart(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Run the configuration of an execution once more."""
    preflights.require(scope, executions.get(scope, execution_id).configuration)
    made = executions.restart(scope, execution_id)
    toast = f"Execution {made.pk[:8]} was started again, as {execution_id[:8]} was."
    return respond(request, "mlops:executions.detail", execution_id=made.pk, toast=toast)


@action
def stop(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Stop a pending or running execution; answers with the list or the page, whichever asked."""
    execution = executions.stop(scope, execution_id)
    toast = f"Execution {execution_id[:8]} is {execution.status.lower()}."
    if request.htmx.target in LIST_FRAGMENTS:
        return respond(request, "mlops:executions.index", toast=toast, restart=index)
    return respond(request, "mlops:executions.detail", execution_id=execution_id, toast=toast, restart=detail)


@action
def delete(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Delete an ended execution; leads back to the list."""
    executions.delete(scope, execution_id)
    toast = f"Execution {execution_id[:8]} is being deleted. Its artifacts stay."
    return respond(request, "mlops:executions.index", toast=toast, restart=index)
