"""Several deployments at once: what would happen, then what did."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import editor
from mlops.domain.deployment_bulk import BULK
from mlops.views.bulk import Sheet, Verb

VERBS = {
    verb.key: verb
    for verb in (
        Verb(
            "stop",
            "Stop these deployments?",
            "Their servers end within seconds and their addresses answer 404 until they are started again. "
            "Logs, history and revisions are kept.",
            "Stop",
            "Keep serving",
            "Stopped",
            True,
        ),
        Verb(
            "delete",
            "Delete these deployments?",
            "Their addresses are gone for good, and their logs, history, traffic and kept predictions are "
            "removed. Configurations and models stay.",
            "Delete",
            "Keep deployments",
            "Deleted",
            True,
        ),
    )
}
SHEET = Sheet(BULK, "Deployments", VERBS)


@editor
def bulk(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Up to 100 deployments: how many qualify and why others do not, then, confirmed, what became of each."""
    return SHEET.answer(request, scope)
