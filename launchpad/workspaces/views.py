"""Pages where one chooses a workspace and a resource group."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from launchpad import access
from launchpad.access import Scope
from launchpad.http import manager, member, public, render, viewer
from launchpad.places import place_url
from launchpad.workspaces.models import Workspace

PAGE = "workspaces/index.html"


@member
def index(request: HttpRequest) -> HttpResponse:
    """The workspaces open to the person, the first one selected."""
    return _page(request, None)


@manager
def detail(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The same page with this workspace selected."""
    return _page(request, scope.workspace)


def _page(request: HttpRequest, selected: Workspace | None) -> HttpResponse:
    q = request.GET.get("q", "").strip()
    everything = list(access.workspaces(request.user))
    shown = [one for one in everything if q.lower() in f"{one.slug} {one.description}".lower()]
    if selected is None and shown:
        selected = shown[0]
    groups = access.resource_groups(request.user, selected) if selected else []
    context = {"q": q, "count": len(everything), "workspaces": shown, "selected": selected, "groups": groups}
    return render(request, PAGE, context, fragments=("workspaces",))


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
    """Into a resource group: its overview."""
    return HttpResponseRedirect(place_url(scope, "mlops:overview.index"))
