"""Scenarios: the list, the page of one, in a workspace and in its resource groups, and its use case."""

from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import editor, manager, render, respond
from mlops.domain import catalog, flags, use_cases
from mlops.views import api_calls
from mlops.views.scenario_page import ScenarioPage
from mlops.views.use_case_form import UseCaseForm, saved, written


@manager
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The workspace's scenarios by id, filtered by name or id, in a group with their open flags there."""
    q = request.GET.get("q", "").strip()
    everything = list(catalog.scenarios(scope))
    shown = catalog.named(everything, q)
    flagged = flags.counts(scope, "scenarios", [one.pk for one in shown]) if scope.resource_group else {}
    rows = [(one, flagged.get(one.pk, 0)) for one in shown]
    context = {"q": q, "count": len(everything), "rows": rows, "api": api_calls.scenarios(scope)}
    return render(request, "mlops/scenarios/index.html", context, fragments=("scenario-table",))


@manager
def detail(request: HttpRequest, scope: Scope, scenario: str) -> HttpResponse:
    """One scenario: what it is for, its executables as they are now, or every version that arrived."""
    page = ScenarioPage(scope, scenario, request.GET)
    fragments = ("version-table", "executable-table")
    return render(request, "mlops/scenarios/detail.html", {"page": page}, fragments=fragments)


@editor
def use_case(request: HttpRequest, scope: Scope, scenario: str) -> HttpResponseBase:
    """What a scenario is for; who comes second is shown what the first one wrote."""
    found = catalog.scenario(scope, scenario)
    now, status = use_cases.get(scope, found), 200
    form = UseCaseForm(initial=written(now), rows=len(now.indicators))
    if request.method == "POST":
        form = UseCaseForm(request.POST, rows=use_cases.INDICATORS_LIMIT)
        made, status = saved(form, partial(use_cases.describe, scope, scenario=scenario))
        if made is not None:
            return respond(request, "mlops:scenarios.detail", scenario, toast="The use case was saved.")
    if status == 409:
        form.show(now.number)
    context = {"scenario": found, "form": form, "now": now if status == 409 else None}
    return render(request, "mlops/scenarios/use_case.html", context, status=status)
