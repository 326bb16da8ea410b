"""The style guide: every component on one page, for those who build pages."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from launchpad.http import render, staff

STATUSES = ("UNKNOWN", "PENDING", "RUNNING", "COMPLETED", "STOPPING", "STOPPED", "DEAD", "DELETING")
ICONS = tuple(
    (
        "logo menu search down right updown arrow-down arrow-right plus x check copy more stop again trash "
        "download filter columns compare flag warn info lock key bell clock pencil send plug workspaces "
        "overview scenario configuration execution deployment schedule dataset model result artifact "
        "functions genai admin"
    ).split()  # noqa: SIM905 - a list of forty names in quotes is no easier to read
)
_INPUT = {"class": "input"}


class Example(forms.Form):
    """One field that is right and one that is not."""

    name = forms.CharField(help_text="Up to 256 characters", widget=forms.TextInput(_INPUT))
    epochs = forms.IntegerField(max_value=1000, required=False, widget=forms.NumberInput(_INPUT))


@staff
def show(request: HttpRequest) -> HttpResponse:
    """Every component in its states."""
    context = {
        "statuses": STATUSES,
        "icons": ICONS,
        "rows": [("Workspace", "local"), ("Release note", None)],
        "now": timezone.now(),
        "form": Example({"name": "first-run", "epochs": 5000}),
    }
    return render(request, "styleguide.html", context)
