"""Several executions at once: what would happen, then what did."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import editor, respond
from launchpad.places import place_url
from mlops.domain.execution_bulk import BULK
from mlops.views.bulk import Sheet, Verb, keys

# What takes one back that did it.
INVERSES = {"archive": "restore", "restore": "archive"}
# Nothing is changed by it; it only leads there.
COMPARE = "compare"
VERBS = {
    verb.key: verb
    for verb in (
        Verb(
            "stop",
            "Stop these executions?",
            "Their processes get a few seconds to end by themselves, then they are killed. Logs and metrics "
            "up to that point are kept, but no output is registered.",
            "Stop",
            "Keep running",
            "Stopped",
            True,
        ),
        Verb(
            "delete",
            "Delete these executions?",
            "Their logs, metrics and history are removed for good. Artifacts that they made stay, without "
            "the link to them.",
            "Delete",
            "Keep executions",
            "Deleted",
            True,
        ),
        Verb(
            "archive",
            "Archive these executions?",
            "They leave the list. Everything of them is kept, and they can be restored at any time.",
            "Archive",
            "Keep in the list",
            "Archived",
        ),
        Verb(
            "restore",
            "Restore these executions?",
            "They come back into the list.",
            "Restore",
            "Keep archived",
            "Restored",
        ),
    )
}
SHEET = Sheet(BULK, "Executions", VERBS, INVERSES)


@editor
def bulk(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Up to 100 executions: how many qualify and why others do not, then, confirmed, what became of each.

    What was archived or restored can be taken back.
    """
    if request.method == "POST" and request.POST.get("verb") == COMPARE:
        query = urlencode([("id", one) for one in keys(request)])
        return respond(request, f"{place_url(scope, 'mlops:compare.executions')}?{query}")
    return SHEET.answer(request, scope)
