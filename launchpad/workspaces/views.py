"""The way in: the last place, a resource group, a request for one, and whether Launchpad is well."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from launchpad import last_place, viewing
from launchpad.access import Scope
from launchpad.http import member, member_action, public, respond, viewer
from launchpad.places import place_url
from launchpad.resource_groups import access_requests, visits


@member
def home(request: HttpRequest) -> HttpResponse:
    """Where the person was last, if it is still open to them; else the choice of a workspace."""
    place = visits.last(request.user, last_place.kept(request))
    if place is None:
        return HttpResponseRedirect(reverse("workspaces.index"))
    return HttpResponseRedirect(place_url(place, "mlops:overview.index"))


@member_action
def ask(request: HttpRequest) -> HttpResponseBase:
    """Ask for a role in a resource group; the answer is the same whether or not there is one."""
    names = ("workspace", "resource_group", "message")
    workspace, resource_group, message = (request.POST.get(name, "") for name in names)
    access_requests.ask(request.user, workspace, resource_group, message=message)
    toast = "If there is such a resource group, its administrators see your request now."
    return respond(request, reverse("workspaces.index"), toast=toast)


@member_action
def end_viewing(request: HttpRequest) -> HttpResponseBase:
    """See everything as oneself again, on the page one was on."""
    ended = viewing.end(request, "ended")
    url = str(request.POST.get("next", ""))
    if not url.startswith("/") or not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        url = reverse("workspaces.index")
    toast = f"You no longer view as {ended.name}." if ended else None
    return respond(request, url, toast=toast)


@public("load balancers and supervisors ask it")
def health(request: HttpRequest) -> HttpResponse:
    """Says ok when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@viewer
def enter(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Into a resource group: its overview. It is where Launchpad opens next time."""
    if scope.viewed_as is None:
        visits.remember(scope)
    return HttpResponseRedirect(place_url(scope, "mlops:overview.index"))
