"""The bin of a group, what comes back from it, and checks of stored bytes."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, render, respond, viewer
from mlops import paging
from mlops.domain import artifact_bin, artifact_checks, artifacts
from mlops.views.nouns import BY_KIND


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """What lies in the group's bin, and when each goes for good."""
    rows = artifact_bin.search(scope)
    page = paging.page(rows, request.GET)
    context = {
        "page": page,
        "rows": [(row, BY_KIND[row.kind], artifact_bin.goes_at(row)) for row in page.rows],
        "label": f"{paging.capped(paging.counts({'all': rows})['all'])} in the bin",
        "days": settings.BIN_DAYS,
    }
    return render(request, "mlops/bin/index.html", context, fragments=("bin-table",))


@action
def restore(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Take an artifact out of the bin; leads to its page."""
    back = artifacts.restore(scope, artifact_id)
    toast = f"{BY_KIND[back.kind].one.capitalize()} {back} is back."
    return respond(request, BY_KIND[back.kind].detail, artifact_id=back.pk, toast=toast)


@action
def check(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Have all bytes of an artifact read and compared; its page tells the result."""
    artifact = artifact_checks.ask(scope, artifact_id)
    toast = f"The stored bytes of {artifact} will be read. This page tells the result."
    return respond(request, BY_KIND[artifact.kind].detail, artifact_id=artifact.pk, toast=toast)
