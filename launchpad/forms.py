"""What every form shares: the domain's refusals beside the fields they concern."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms

from launchpad.errors import Invalid

Made = TypeVar("Made")


def attempt(act: Callable[[], Made]) -> tuple[Made | None, dict[str, str]]:
    """What the domain answers, or None and its refusals by field; "" holds what concerns no single field."""
    try:
        return act(), {}
    except Invalid as error:
        return None, error.fields or {"": error.message}


def accepted(form: forms.Form, act: Callable[..., Made]) -> Made | None:
    """What `act` makes of a valid form's values; None when form or domain refuse, said beside the fields."""
    if not form.is_valid():
        return None
    made, refusals = attempt(lambda: act(**form.cleaned_data))
    for field, sentence in refusals.items():
        form.add_error(field if field in form.fields else None, sentence)
    return made
