"""Compare: executions or models side by side."""

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.exports import csv_file
from launchpad.http import render, viewer
from mlops.views.comparison_page import ComparisonPage


@viewer
def executions(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Executions side by side, those that `id` names."""
    return _show(request, scope, "executions")


@viewer
def models(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Models side by side, with what made them."""
    return _show(request, scope, "models")


@viewer
def executions_file(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The comparison of executions as a CSV file."""
    return _file(request, scope, "executions")


@viewer
def models_file(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The comparison of models as a CSV file."""
    return _file(request, scope, "models")


def _file(request: HttpRequest, scope: Scope, kind: str) -> HttpResponseBase:
    page = ComparisonPage(scope, kind, request.GET)
    if not page.is_enough:
        raise Invalid(f"There is nothing to compare. Choose at least two {kind} that you may view.")
    return csv_file(request, f"compare-{kind}", page.heads, page.lines)


def _show(request: HttpRequest, scope: Scope, kind: str) -> HttpResponseBase:
    page = ComparisonPage(scope, kind, request.GET)
    if page.is_enough:
        request.content_security = page.content_security
    return render(request, "mlops/compare/detail.html", {"page": page})
