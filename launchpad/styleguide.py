"""The style guide: every component on one page, for those who build pages."""

import re
from types import SimpleNamespace

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from launchpad.http import render, staff

STATUSES = ("UNKNOWN", "PENDING", "RUNNING", "COMPLETED", "STOPPING", "STOPPED", "DEAD", "DELETING")
API = {
    "group": "tutorial",
    "keys_url": "?",
    "remark": "A remark says where the API does not do quite what the page does.",
    "curl_token": 'TOKEN=$(curl -u "$AICORE_CLIENT_ID:$AICORE_CLIENT_SECRET" …)',
    "python_session": "import requests\n\napi = requests.Session()",
    "calls": [{"title": "Get this example", "curl": "curl 'https://…'", "python": 'api.get("https://…")'}],
}
DISCUSSION = {"open_flags": 1, "limit": 5000, "add_url": "?", "flag_url": "?", "entries": ()}
FOUND = [
    {"title": "Models", "hits": [{"icon": "model", "title": "text-model", "meta": "version 7", "url": "?"}]}
]
PREFLIGHT = {
    "title": "1 check fails",
    "is_bad": True,
    "findings": [
        {"what": "Object store", "state": "ok", "says": "The object store default answers."},
        {"what": "Free slot", "state": "warn", "says": "No worker is running.", "advice": "It waits."},
        {"what": "Input petals", "state": "bad", "says": "Its files are gone.", "advice": "Put them back."},
    ],
}
LINEAGE = {"is_alone": True, "drawing": {"width": 20, "height": 20, "paths": (), "nodes": ()}}
VIEWS = {
    "noun": "executions",
    "here": "",
    "create_url": "?",
    "manage_url": "?",
    "has_saved": True,
    "all": [
        {"label": "All", "query": "?", "is_current": True, "count": 128},
        {"label": "Dead this week", "query": "?", "is_current": False, "count": None, "is_shared": True},
    ],
}
CHANGE = {
    "source": "PENDING",
    "target": "RUNNING",
    "attempt": 1,
    "actor": "launchpad",
    "reason": "A worker took it.",
    "evidence": {"host": "worker-1"},
}
EDITOR = {"noun": "execution", "title": "Started by", "kind": "by", "values": {"by": "@me"}, "cancel": "?"}
CHOICE = {"configurations": (), "q": "", "address": "?", "selected": None}
VIEWING = {"name": "viewer", "workspace": "local", "resource_group": "tutorial"}
_INPUT = {"class": "input"}


class Example(forms.Form):
    """One field that is right and one that is not."""

    name = forms.CharField(help_text="Up to 256 characters", widget=forms.TextInput(_INPUT))
    epochs = forms.IntegerField(max_value=1000, required=False, widget=forms.NumberInput(_INPUT))


@staff
def show(request: HttpRequest) -> HttpResponse:
    """Every component in its states."""
    sprite = (settings.BASE_DIR / "static" / "img" / "icons.svg").read_text()
    context = {
        "statuses": STATUSES,
        "icons": re.findall(r'id="i-([\w-]+)"', sprite),
        "rows": [("Workspace", "local"), ("Release note", None)],
        "now": timezone.now(),
        "api": API,
        "sorted_by": ("?", "ascending"),
        "columns": [("size", "Size", True), ("created", "Created", False)],
        "matrix": SimpleNamespace(labels=("rose", "lily"), counts=((8, 1), (0, 9))),
        "discussion": DISCUSSION,
        "undo": {"url": "?", "values": []},
        "found": FOUND,
        "preflight": PREFLIGHT,
        "editor": EDITOR,
        "choice": CHOICE,
        "lineage": LINEAGE,
        "tabs": VIEWS,
        "changes": [CHANGE | {"at": timezone.now()}],
        "viewing": {**VIEWING, "ends_at": timezone.now()},
        "form": Example({"name": "first-run", "epochs": 5000}),
    }
    return render(request, "styleguide.html", context)
