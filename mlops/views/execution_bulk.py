"""Several executions at once: what would happen, then what did."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.http import editor, render, respond, tell
from launchpad.places import place_url
from mlops.domain import execution_bulk


@dataclass(frozen=True)
class Verb:
    """How one of them is told of. asks: the heading; loses: what it means; button: does it; done: its end."""

    key: str
    asks: str
    loses: str
    button: str
    safe: str
    done: str
    is_red: bool = False


INDEX = "mlops:executions.index"
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


@editor
def bulk(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Up to 100 executions: how many qualify and why others do not, then, confirmed, what became of each.

    What was archived or restored can be taken back. ids: the keys as one text, as short as a toast needs it.
    """
    if request.method != "POST":
        # Taking back what stood on the page of outcomes leads here.
        return respond(request, INDEX)
    key, keys = (
        request.POST.get("verb", ""),
        request.POST.getlist("id") or request.POST.get("ids", "").split(),
    )
    if key == COMPARE:
        query = urlencode([("id", one) for one in keys])
        return respond(request, f"{place_url(scope, 'mlops:compare.executions')}?{query}")
    if key not in VERBS:
        raise Invalid("Select executions in the list, then choose what to do with them.")
    verb = VERBS[key]
    if "confirmed" in request.POST:
        outcomes = execution_bulk.apply(scope, key, keys)
        done = [one for one, why in outcomes if not why]
        failed = len(outcomes) - len(done)
        if done and key in INVERSES:
            toast = f"{verb.done} {len(done)} execution{'' if len(done) == 1 else 's'}."
            values = (("verb", INVERSES[key]), ("confirmed", "1"), ("ids", " ".join(done)))
            undo = ("mlops:executions.bulk", {}, values)
            if not failed:
                return respond(request, INDEX, toast=toast, undo=undo)
            tell(request, toast, undo)
        context = {"verb": verb, "outcomes": outcomes, "done": len(done), "failed": failed}
        return render(request, "mlops/executions/bulk_done.html", context)
    chosen = execution_bulk.review(scope, key, keys)
    able = [one for one in chosen if not one.why_not]
    context = {"verb": verb, "able": able, "others": [one for one in chosen if one.why_not]}
    return render(request, "mlops/executions/bulk.html", context | {"count": len(chosen)})
