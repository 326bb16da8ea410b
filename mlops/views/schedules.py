"""Schedules: the list, the page of one, and what editors do with one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import render, viewer
from mlops.domain import schedules
from mlops.views.schedule_list import ScheduleList


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Schedules of the group, newest first."""
    return render(request, "mlops/schedules/index.html", {"listing": ScheduleList(scope, request.GET)})


@viewer
def detail(request: HttpRequest, scope: Scope, schedule_id: UUID) -> HttpResponseBase:
    """One schedule."""
    found = schedules.detail(scope, schedule_id)
    return render(request, "mlops/schedules/detail.html", {"schedule": found})
