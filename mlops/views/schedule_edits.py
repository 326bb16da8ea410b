"""Schedules on their way and changed: the wizard, the page that edits one, the next runs while typing."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, editor, render, respond, viewer
from mlops.domain import schedule_drafts
from mlops.views.schedule_edit_page import EditPage
from mlops.views.schedule_form import ScheduleForm
from mlops.views.schedule_wizard import ScheduleWizard

INDEX, DETAIL = "mlops:schedules.index", "mlops:schedules.detail"
CHOICE_FRAGMENTS = ("configuration-choices", "configuration-preview")


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The wizard: each step is saved as a draft, the last one makes the schedule."""
    wizard = ScheduleWizard(scope, request.GET, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (to := wizard.submit(request.POST.get("action", "next"))):
        toast = f"Schedule {wizard.made} was created." if wizard.made else None
        return respond(request, to, toast=toast)
    return render(
        request,
        "mlops/schedules/create.html",
        {"wizard": wizard},
        fragments=CHOICE_FRAGMENTS,
        status=422 if wizard.errors else 200,
    )


@action
def discard(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Drop one of one's own drafts."""
    if wanted := request.POST.get("draft", ""):
        schedule_drafts.discard(scope, wanted)
        return respond(request, INDEX, toast="The draft was discarded.")
    return respond(request, INDEX)


@editor
def edit(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """Change all of a schedule but its name."""
    page = EditPage(scope, schedule_id, request.GET, request.POST if request.method == "POST" else None)
    if request.method == "POST" and page.submit(request.POST.get("action", "save")):
        return respond(request, DETAIL, schedule_id, toast="The schedule was changed.")
    return render(
        request,
        "mlops/schedules/edit.html",
        {"page": page},
        fragments=CHOICE_FRAGMENTS,
        status=422 if page.errors else 200,
    )


@viewer
def preview(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The next runs of what is being typed; `fill` writes the cron expression that a choice means."""
    form = ScheduleForm(request.GET)
    is_filled = "fill" in request.GET
    if is_filled:
        form.fill()
    response = render(
        request,
        "mlops/schedules/preview.html",
        {"form": form},
        fragments=("schedule-preview", "cron-field"),
    )
    if is_filled:
        response["HX-Trigger-After-Settle"] = "cron-filled"
    return response
