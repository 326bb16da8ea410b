"""Sweeps: many executions of one configuration, started together."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import editor, render, respond, viewer
from mlops.views.sweep_form import SweepForm
from mlops.views.sweep_page import SweepPage


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Values of a grid, then what will run, then all of it started."""
    form = SweepForm(scope, request.GET, request.POST if request.method == "POST" else None)
    wanted = request.POST.get("action", "") if form.configuration else ""
    if wanted == "start" and (made := form.submit()):
        count = len(form.plan.rows) - len(made.refused)
        toast = f"{count} of {len(form.plan.rows)} executions were started."
        return respond(request, "mlops:sweeps.detail", sweep_id=made.pk, toast=toast)
    is_fine = form.look() if wanted == "look" else wanted != "start" and request.method != "POST"
    status = 200 if is_fine or wanted == "edit" else 422
    return render(request, "mlops/sweeps/create.html", {"form": form}, status=status)


@viewer
def detail(request: HttpRequest, scope: Scope, sweep_id: Any) -> HttpResponseBase:
    """Executions that were started together, with the values that differ."""
    page = SweepPage(scope, sweep_id)
    return render(request, "mlops/sweeps/detail.html", {"page": page}, fragments=("sweep-table",))
