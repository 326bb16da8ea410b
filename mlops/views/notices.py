"""The log of notices: what was told to whom, how that went, and sending again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from launchpad.access import Scope
from launchpad.errors import NotFound
from launchpad.http import action, render, respond, viewer
from mlops import paging
from mlops.domain import notices, notification_rules


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Notices of the group, newest first: all, of one rule or of one state."""
    state = request.GET.get("state", "")
    state = state if state in notices.STATES else ""
    rule, is_unknown = _rule(scope, request.GET.get("rule", ""))
    page = paging.page(notices.search(scope, rule=rule, state=state), request.GET)
    context = {
        "page": page,
        "rule": rule,
        "is_unknown": is_unknown,
        "is_live": any(notice.state == notices.WAITING for notice in page.rows),
        "here": request.get_full_path(),
        "state": state,
        "states": notices.STATES.items(),
    }
    return render(request, "mlops/notices/index.html", context, fragments=("notice-table",))


def _rule(scope: Scope, key: str) -> tuple[Any, bool]:
    """The rule that the address asks for, and whether it asks for one that is not there."""
    if not key:
        return None, False
    try:
        return notification_rules.get(scope, UUID(key)), False
    except (NotFound, ValueError):
        return None, True


@action
def send_again(request: HttpRequest, scope: Scope, notice_id: Any) -> HttpResponseBase:
    """Try what was not delivered once more."""
    notices.send_again(scope, notice_id)
    return respond(request, "mlops:notices.index", toast="It is sent again.", restart=index)
