"""Several rows of a list at once: what would happen, then what did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.http import render, respond, tell
from launchpad.places import place_url
from mlops.domain import bulk


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


@dataclass(frozen=True)
class Sheet:
    """Both pages of one list. title: the list's; verbs: by key; inverses: what takes a verb back."""

    bulk: bulk.Bulk
    title: str
    verbs: Mapping[str, Verb]
    inverses: Mapping[str, str] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """The URL name of the list."""
        return f"mlops:{self.bulk.noun}s.index"

    def answer(self, request: HttpRequest, scope: Scope) -> HttpResponseBase:
        """How many qualify and why others do not, then, confirmed, what became of each.

        POST: verb; id: the keys, or ids: as one text, as short as a toast needs it. Raises Invalid.
        """
        if request.method != "POST":
            # Taking back what stood on the page of outcomes leads here.
            return respond(request, self.index)
        key = request.POST.get("verb", "")
        if key not in self.verbs:
            raise Invalid(f"Select {self.bulk.noun}s in the list, then choose what to do with them.")
        if "confirmed" in request.POST:
            return self._do(request, scope, key)
        chosen = self.bulk.review(scope, key, keys(request))
        context = {
            **self._about(scope, key),
            "able": [one for one in chosen if not one.why_not],
            "others": [one for one in chosen if one.why_not],
            "count": len(chosen),
        }
        return render(request, "mlops/bulk/review.html", context)

    def _do(self, request: HttpRequest, scope: Scope, key: str) -> HttpResponseBase:
        outcomes = self.bulk.apply(scope, key, keys(request))
        done = [one for one, why in outcomes if not why]
        failed = len(outcomes) - len(done)
        if done and key in self.inverses:
            toast = f"{self.verbs[key].done} {len(done)} {self.bulk.noun}{'' if len(done) == 1 else 's'}."
            values = (("verb", self.inverses[key]), ("confirmed", "1"), ("ids", " ".join(done)))
            undo = (f"mlops:{self.bulk.noun}s.bulk", {}, values)
            if not failed:
                return respond(request, self.index, toast=toast, undo=undo)
            tell(request, toast, undo)
        context = {**self._about(scope, key), "outcomes": outcomes, "done": len(done), "failed": failed}
        return render(request, "mlops/bulk/done.html", context)

    def _about(self, scope: Scope, key: str) -> dict[str, object]:
        index = place_url(scope, self.index)
        return {"verb": self.verbs[key], "noun": self.bulk.noun, "title": self.title, "index": index}


def keys(request: HttpRequest) -> list[str]:
    """The keys that were chosen."""
    return request.POST.getlist("id") or request.POST.get("ids", "").split()
