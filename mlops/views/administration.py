"""What the pages of administration share: a form page, the page that asks before something goes, sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from launchpad.errors import Conflict, Invalid, LaunchpadError
from launchpad.http import render

FORM_PAGE = "mlops/administration/form.html"
REMOVE_PAGE = "mlops/administration/remove.html"


@dataclass(frozen=True)
class Place:
    """Where a form or question stands. parents: pairs of label and address, the list first."""

    heading: str
    verb: str
    parents: Sequence[tuple[str, str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Question:
    """What is said before something goes. blocked: why it cannot go now, "" when it can."""

    heading: str
    verb: str
    safe: str
    parents: Sequence[tuple[str, str]]
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, object]] = field(default=())
    blocked: str = ""


def form_page(request: HttpRequest, form: forms.Form, place: Place) -> HttpResponse:
    """The form on a page of its own; 422 when it was refused."""
    context = {
        "form": form,
        "heading": place.heading,
        "verb": place.verb,
        "parents": place.parents,
        "notes": place.notes,
        "back": place.parents[-1][1],
    }
    response = render(request, FORM_PAGE, context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


def question_page(request: HttpRequest, question: Question) -> HttpResponse:
    """Asks before something goes."""
    return render(request, REMOVE_PAGE, {**vars(question), "back": question.parents[-1][1]})


def sent(form: forms.Form, act: Callable[..., Any], **given: Any) -> Any:
    """What `act` makes of a valid form's values; None when form or domain refuse, said beside the fields.

    given: further keyword arguments. Unlike elsewhere a Conflict is said in the form too: what was typed
    is kept.
    """
    if not form.is_valid():
        return None
    try:
        return act(**given, **form.cleaned_data)
    except (Invalid, Conflict) as error:
        _say(form, error)
        return None


def _say(form: forms.Form, error: LaunchpadError) -> None:
    refusals: Mapping[str, str] = error.fields or {"": error.message}
    for name, sentence in refusals.items():
        form.add_error(name if name in form.fields else None, sentence)
