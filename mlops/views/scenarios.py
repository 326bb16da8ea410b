"""Scenarios: the list and the page of one, in a workspace and in its resource groups."""

from django.http import HttpRequest, HttpResponse

from launchpad.access import Scope
from launchpad.http import manager, render
from mlops import paging
from mlops.domain import catalog
from mlops.views import api_calls
from mlops.views.discussion import Discussion

TABS = ("executables", "versions", "discussion")


@manager
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The workspace's scenarios by id, filtered by name or id."""
    q = request.GET.get("q", "").strip()
    everything = list(catalog.scenarios(scope))
    shown = [one for one in everything if q.lower() in f"{one.slug} {one.name}".lower()]
    context = {"q": q, "count": len(everything), "scenarios": shown, "api": api_calls.scenarios(scope)}
    return render(request, "mlops/scenarios/index.html", context, fragments=("scenario-table",))


@manager
def detail(request: HttpRequest, scope: Scope, scenario: str) -> HttpResponse:
    """One scenario: its executables as they are now, or every version that arrived."""
    found = catalog.scenario(scope, scenario)
    tab = request.GET.get("tab", "")
    context = {"scenario": found, "tab": tab if tab in TABS else TABS[0]}
    context["api"] = api_calls.scenario(scope, found.slug)
    if scope.resource_group is not None:
        context["discussion"] = Discussion(scope, found, request.GET)
    if tab == "versions":
        context["page"] = paging.page(catalog.snapshots(scope, scenario=found), request.GET)
    else:
        newest = catalog.newest_versions(scope, found)
        context["executables"] = [(version, catalog.describe(version)) for version in newest]
    return render(request, "mlops/scenarios/detail.html", context, fragments=("version-table",))
