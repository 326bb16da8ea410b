"""Variations: a configuration started with changes."""

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import editor, render, respond
from mlops.views.variation_form import VariationForm


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Change values of a configuration and run it as a new one; `look` only shows what differs."""
    form = VariationForm(scope, request.GET, request.POST if request.method == "POST" else None)
    looks = request.method != "POST" or request.POST.get("action") == "look"
    if form.configuration and not looks and (made := form.submit()):
        toast = f"Execution {made.pk[:8]} was started with {len(form.changes) or 'no'} changes."
        return respond(request, "mlops:executions.detail", execution_id=made.pk, toast=toast)
    return render(
        request,
        "mlops/variations/create.html",
        {"form": form},
        fragments=("variation-changes",),
        status=200 if looks else 422,
    )
