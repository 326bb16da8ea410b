"""Backfills of schedules: made after a look at what would run, followed, and stopped."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, editor, render, respond, viewer
from mlops import paging
from mlops.domain import backfills
from mlops.views import schedule_facts
from mlops.views.schedule_backfill import BackfillPage

IN_ORDER = paging.Order("position", descending=False)


@editor
def backfill(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Choose due times of the past, see what would run, then have it run."""
    page = BackfillPage(scope, schedule_id, request.POST if request.method == "POST" else None)
    if page.made is not None:
        toast = "The backfill goes on by itself. What it starts is told here."
        return respond(request, "mlops:schedules.backfill_detail", page.made.pk, toast=toast)
    status = 422 if page.is_refused else 200
    return render(request, "mlops/schedules/backfill.html", {"page": page}, status=status)


@viewer
def backfill_detail(request: HttpRequest, scope: Scope, backfill_id: UUID) -> HttpResponseBase:
    """One backfill: how far it is, and each of its runs."""
    found = backfills.get(scope, backfill_id)
    progress = backfills.progress(scope, found)
    context = {
        "backfill": found,
        "progress": progress,
        "total": sum(progress.values()),
        "done": progress["begun"] + progress["refused"],
        "page": paging.page(backfills.runs(scope, found), request.GET, order=IN_ORDER),
        "zone": schedule_facts.zone(found.schedule),
        "here": f"?{request.GET.urlencode()}",
    }
    return render(request, "mlops/schedules/backfill_detail.html", context, fragments=("backfill-progress",))


@action
def backfill_stop(request: HttpRequest, scope: Scope, backfill_id: UUID) -> HttpResponseBase:
    """Start nothing more of it."""
    backfills.stop(scope, backfill_id)
    toast = "The backfill starts nothing more. What runs goes on."
    return respond(request, "mlops:schedules.backfill_detail", backfill_id, toast=toast)
