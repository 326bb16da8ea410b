"""Trials: calls that people make from the page of a deployment."""

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import participant, render
from mlops.views.deployment_page import DeploymentPage


@participant
def send(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Send what the console holds, or an own call once more; answers with the page or the answer alone."""
    page = DeploymentPage(
        scope,
        deployment_id,
        request.GET,
        fragment=request.htmx.target,
        posted=request.POST,
        files=request.FILES,
    )
    status = 200 if page.console.send() else 422
    return render(request, page.template, {"page": page}, fragments=("trial-answer",), status=status)
