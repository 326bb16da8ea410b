"""Schedules: the list, the page of one, and what editors do with one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import Undo, action, editor, render, respond, viewer
from mlops.domain import schedules
from mlops.views.schedule_list import ScheduleList
from mlops.views.schedule_page import FRAGMENTS, SchedulePage
from mlops.views.schedule_resume import ResumePage

INDEX, DETAIL = "mlops:schedules.index", "mlops:schedules.detail"
LIST_FRAGMENTS = ("schedule-list", "schedule-table")


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Schedules of the group, newest first, with their next run and how the last ones went."""
    listing = ScheduleList(scope, request.GET)
    return render(request, "mlops/schedules/index.html", {"listing": listing}, fragments=LIST_FRAGMENTS)


@viewer
def detail(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """One schedule; `tab` chooses what of it is shown."""
    page = SchedulePage(scope, schedule_id, request.GET, fragment=request.htmx.target)
    return render(request, page.template, {"page": page}, fragments=tuple(FRAGMENTS))


@action
def run_now(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Run its configuration now, besides its due times."""
    tick = schedules.run_now(scope, schedule_id)
    return _answer(request, schedule_id, f"Execution {str(tick.execution_id)[:8]} was started by hand.")


@action
def pause(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Start nothing of it until it is resumed."""
    paused = schedules.pause(scope, schedule_id)
    undo: Undo = ("mlops:schedules.resume", {"schedule_id": schedule_id}, (), "Resume")
    return _answer(request, schedule_id, f"{paused.name} is paused. What runs goes on.", undo)


@editor
def resume(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Let it be due again; asks what becomes of what was missed, unless nothing was."""
    is_sent = request.method == "POST"
    page = ResumePage(scope, schedule_id, request.POST if is_sent else None)
    if page.resumed:
        return _answer(request, schedule_id, f"{page.resumed.name} is active again. {page.outcome}")
    if is_sent and not page.is_chosen:
        # A button that resumes at once, where there is something to ask.
        return respond(request, "mlops:schedules.resume", schedule_id)
    status = 422 if page.errors else 200
    return render(request, "mlops/schedules/resume.html", {"page": page}, status=status)


@editor
def delete(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Delete it, after asking; leads back to the list."""
    if request.method != "POST":
        found = schedules.get(scope, schedule_id)
        return render(request, "mlops/schedules/delete.html", {"schedule": found})
    gone = schedules.delete(scope, schedule_id, stop_running=request.POST.get("stop_running") == "1")
    return respond(request, INDEX, toast=f"{gone.name} was deleted. Its executions stay.", restart=index)


def _answer(
    request: HttpRequest, schedule_id: UUID, toast: str, undo: Undo | None = None
) -> HttpResponseBase:
    """The list or the page, whichever asked."""
    if request.htmx.target in LIST_FRAGMENTS:
        return respond(request, INDEX, toast=toast, undo=undo, restart=index)
    return respond(request, DETAIL, schedule_id, toast=toast, undo=undo)
