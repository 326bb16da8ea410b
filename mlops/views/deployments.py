"""Deployments: the page of one, and what is done with it."""

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import render, viewer
from mlops.views.deployment_page import FRAGMENTS, DeploymentPage


@viewer
def detail(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """One deployment; `tab` chooses what of it is shown."""
    page = DeploymentPage(scope, deployment_id, request.GET, fragment=request.htmx.target)
    request.content_security = page.content_security
    return render(request, page.template, {"page": page}, fragments=tuple(FRAGMENTS))
