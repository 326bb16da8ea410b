"""Flags: the list of a group, and what people and editors do with them."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, participant, render, viewer
from mlops import paging
from mlops.domain import comments, flags
from mlops.views.comments import back, said
from mlops.views.discussion import home, title


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Flags of the group, newest first: those that are open, or those that were closed."""
    wanted = request.GET.get("state", "")
    state = wanted if wanted in flags.STATES else flags.STATES[0]
    counts = {one: paging.counts({"all": flags.search(scope, one)})["all"] for one in flags.STATES}
    page = paging.page(flags.search(scope, state), request.GET)
    context = {
        "page": page,
        "rows": [(flag, title(comments.what(flag)), home(scope, comments.what(flag))) for flag in page.rows],
        "tabs": [(one, one.capitalize(), counts[one], one == state) for one in flags.STATES],
        "is_open": state == flags.STATES[0],
        "is_unknown": bool(wanted) and wanted != state,
    }
    return render(request, "mlops/flags/index.html", context, fragments=("flag-table",))


@participant
def create(request: HttpRequest, scope: Scope, kind: str, key: str) -> HttpResponseBase:
    """Flag a thing with a reason."""
    return said(request, scope, kind, key, flags.create, toast="Flag raised. Editors see it on their list.")


@action
def close(request: HttpRequest, scope: Scope, comment_id: Any) -> HttpResponseBase:
    """Answer a flag and close it."""
    flag = flags.close(scope, comment_id, answer=request.POST.get("answer", ""))
    undo = ("mlops:flags.reopen", {"comment_id": flag.pk})
    return back(request, scope, comments.what(flag), toast="Flag closed.", undo=undo)


@action
def reopen(request: HttpRequest, scope: Scope, comment_id: Any) -> HttpResponseBase:
    """Open a closed flag again."""
    flag = flags.reopen(scope, comment_id)
    return back(request, scope, comments.what(flag), toast="Flag is open again.")
