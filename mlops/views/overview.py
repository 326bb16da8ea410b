"""The overview of a workspace or of one of its resource groups."""

from django.http import HttpRequest, HttpResponse

from launchpad.access import Scope
from launchpad.http import manager, render
from mlops.views.overview_page import OverviewPage


@manager
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """What wants attention first, then figures, runs and what there is in the groups one may view."""
    context = {"page": OverviewPage(scope, request.GET)}
    return render(request, "mlops/overview/index.html", context, fragments=("overview",))
