"""The form of a use case: goal, owner and a row for each business indicator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

from launchpad.errors import Conflict
from launchpad.forms import accepted
from mlops.domain.use_cases import INDICATORS_LIMIT, LINE_LIMIT

SPARE_ROWS = 3


class UseCaseForm(forms.Form):
    """What a scenario is for. number: that of the use case when the form was shown.

    rows: how many indicators it shows besides some empty ones; fields `indicator_<row>` and `target_<row>`.
    """

    goal = forms.CharField(
        required=False,
        help_text="What becomes better and for whom, in words that need no data scientist",
        widget=forms.Textarea({"class": "input", "rows": "5", "maxlength": "5000"}),
    )
    owner = forms.CharField(
        required=False,
        help_text="Who answers for it in the business",
        widget=forms.TextInput({"class": "input", "maxlength": "256", "autocomplete": "off"}),
    )
    number = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, rows: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rows = range(min(rows + SPARE_ROWS, INDICATORS_LIMIT))
        for row in self._rows:
            for name, label in (("indicator", "Indicator"), ("target", "Target")):
                widget = forms.TextInput({"class": "input", "maxlength": LINE_LIMIT, "autocomplete": "off"})
                words = f"{label} {row + 1}"
                self.fields[f"{name}_{row}"] = forms.CharField(required=False, label=words, widget=widget)

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """The fields of the indicators in pairs: those filled and some empty ones."""
        pairs = [(self[f"indicator_{row}"], self[f"target_{row}"]) for row in self._rows]
        filled = [at for at, pair in enumerate(pairs, start=1) if any(field.value() for field in pair)]
        return pairs[: max(filled, default=0) + SPARE_ROWS]

    def clean(self) -> dict[str, Any]:
        """The values as `use_cases.describe` takes them."""
        given = super().clean() or self.cleaned_data
        indicators = [
            (given.get(f"indicator_{row}", ""), given.get(f"target_{row}", "")) for row in self._rows
        ]
        number = given.get("number")
        return {
            "goal": given.get("goal", ""),
            "owner": given.get("owner", ""),
            "indicators": indicators,
            "number": -1 if number is None else number,
        }

    def show(self, number: int) -> None:
        """Let the next try be one that knows of the use case of this number."""
        self.data = self.data.copy()
        self.data["number"] = str(number)


def written(use_case: Any) -> dict[str, Any]:
    """The form's fields as a use case fills them."""
    known = {"goal": use_case.goal, "owner": use_case.owner, "number": use_case.number}
    for row, one in enumerate(use_case.indicators):
        known |= {f"indicator_{row}": one["name"], f"target_{row}": one["target"]}
    return known


def saved(form: UseCaseForm, save: Callable[..., Any]) -> tuple[Any, int]:
    """What was saved, or None and the status that tells why not; the form keeps what was typed."""
    try:
        return accepted(form, save), 422
    except Conflict as error:
        form.add_error(None, error.message)
        return None, 409
