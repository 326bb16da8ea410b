"""Who has which access in a workspace and where it comes from; and the requests for more."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from launchpad import viewing
from launchpad.access import Scope
from launchpad.exports import csv_file
from launchpad.http import WRITE, administrator, render, respond
from launchpad.resource_groups import access_requests, effective, resource_groups, view_as
from mlops import paging

SIZE = 100
REVIEW = {
    "who": lambda one: one.who,
    "resource_group": lambda one: one.group,
    "access": lambda one: one.access,
    "from": lambda one: one.sources,
    "problem": lambda one: one.problem,
}


def _asked(request: HttpRequest) -> dict[str, Any]:
    query = request.GET
    who = "".join(one for one in query.get("who", "") if one.isprintable()).strip()[:150]
    return {"who": who, "group": query.get("group", ""), "by_person": query.get("by") == "person"}


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Effective access by resource group or by person."""
    asked = _asked(request)
    rows = effective.review(scope, **asked)
    text = request.GET.get("page", "1")
    page = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    pages = max(1, -(-len(rows) // SIZE))
    page = min(max(page, 1), pages)
    kept = {name: value for name, value in request.GET.items() if name in ("who", "group", "by")}
    context = {
        "asked": asked,
        "rows": rows[(page - 1) * SIZE : page * SIZE],
        "count": len(rows),
        "newer": f"?{urlencode({**kept, 'page': page - 1})}" if page > 1 else "",
        "older": f"?{urlencode({**kept, 'page': page + 1})}" if page < pages else "",
        "query": f"?{urlencode(kept)}",
        "groups": list(resource_groups.search(scope).values_list("slug", flat=True)),
        "superusers": effective.superusers(),
        "requests": access_requests.search(scope).count(),
        "open_groups": view_as.open_to(scope),
    }
    return render(request, "mlops/access_review/index.html", context, fragments=("access-table",))


@administrator()
def export(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The same as a file, all of it; superusers first, whose access no role gives."""
    passing = [
        effective.Access(name, "*", effective.ADMINISTRATOR, "superuser") for name in effective.superusers()
    ]
    rows = [*passing, *effective.review(scope, **_asked(request))]
    return csv_file(request, f"{scope.workspace.pk}-access", REVIEW, rows)


@administrator()
def requests(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Open requests for a role in one of the groups."""
    context = {
        "page": paging.page(access_requests.search(scope), request.GET),
        "may_grant": request.user.is_superuser,
        "superusers": effective.superusers(),
    }
    return render(request, "mlops/access_review/requests.html", context, fragments=("request-table",))


@administrator(methods=WRITE)
def view(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Look at a group as a person sees it."""
    group, person = (request.POST.get(name, "") for name in ("group", "person"))
    begun = viewing.begin(request, scope, group=group, person=person)
    places = {"workspace": begun.workspace, "resource_group": begun.resource_group}
    return respond(request, reverse("mlops:overview.index", kwargs=places))


@administrator(methods=WRITE)
def decline(request: HttpRequest, scope: Scope, request_id: Any) -> HttpResponseBase:
    """Close a request without a role."""
    found = access_requests.decline(scope, request_id)
    toast = f"The request of {found.user} was declined."
    return respond(request, "mlops:access_requests.index", toast=toast, restart=requests)
