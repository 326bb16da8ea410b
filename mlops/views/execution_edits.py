"""What editors say of an execution, and taking it out of the list and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.errors import Conflict
from launchpad.forms import accepted
from launchpad.http import action, editor, render, respond
from mlops.domain import execution_notes, executions
from mlops.views.executions import LIST_FRAGMENTS, index


class SaidForm(forms.Form):
    """Name, notes and labels of an execution. version: what they were when the form was shown."""

    name = forms.CharField(
        required=False,
        help_text="Stands in lists in place of the ID; up to 256 characters",
        widget=forms.TextInput({"class": "input", "maxlength": "256", "autocomplete": "off"}),
    )
    notes = forms.CharField(
        required=False,
        help_text="What others should know of it; up to 5,000 characters, shown as written",
        widget=forms.Textarea({"class": "input", "rows": "6", "maxlength": "5000"}),
    )
    labels = forms.CharField(
        required=False,
        help_text="One on each line as key=value, such as team=vision; up to 20",
        widget=forms.Textarea({"class": "input mono", "rows": "4", "spellcheck": "false"}),
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_labels(self) -> list[tuple[str, str]]:
        """The labels as pairs."""
        lines = [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]
        wrong = next((line for line in lines if "=" not in line), None)
        if wrong is not None:
            raise forms.ValidationError(f"Write each label as key=value. “{wrong[:80]}” has no =.")
        pairs = [line.partition("=") for line in lines]
        return [(key.strip(), value.strip()) for key, _, value in pairs]

    def show(self, version: str) -> None:
        """Let the next try be one that knows of `version`."""
        self.data = self.data.copy()
        self.data["version"] = version


def _written(said: execution_notes.Said) -> dict[str, str]:
    labels = "\n".join(f"{label['key']}={label['value']}" for label in said.labels)
    return {"name": said.name, "notes": said.notes, "labels": labels, "version": said.version}


def _saved(form: SaidForm, save: Callable[..., Any]) -> tuple[Any, int]:
    """What was saved, or None and the status that tells why not; the form keeps what was typed."""
    try:
        return accepted(form, save), 422
    except Conflict as error:
        form.add_error(None, error.message)
        return None, 409


@editor
def edit(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Name, notes and labels of an execution; who comes second is shown what the first one wrote."""
    execution = executions.get(scope, execution_id)
    form, status = SaidForm(initial=_written(execution_notes.of(execution))), 200
    if request.method == "POST":
        before = _written(execution_notes.of(execution))
        form = SaidForm(request.POST)
        saved, status = _saved(form, partial(executions.edit, scope, execution_id))
        if saved is not None:
            to = {"execution_id": execution_id, "toast": f"Saved what is said of {execution_id[:8]}."}
            said = {**before, "version": execution_notes.of(saved).version}
            undo = ("mlops:executions.edit", {"execution_id": execution_id}, tuple(said.items()))
            return respond(request, "mlops:executions.detail", **to, undo=undo)
    now = execution_notes.of(executions.get(scope, execution_id))
    if status == 409:
        form.show(now.version)
    context = {"execution": execution, "form": form, "now": now if status == 409 else None}
    return render(request, "mlops/executions/edit.html", context, status=status)


@action
def archive(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Take an ended execution out of the list."""
    executions.archive(scope, execution_id)
    return _moved(request, execution_id, f"Execution {execution_id[:8]} is archived.", "restore")


@action
def restore(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponseBase:
    """Put an archived execution back into the list."""
    executions.restore(scope, execution_id)
    return _moved(request, execution_id, f"Execution {execution_id[:8]} is back in the list.", "archive")


def _moved(request: HttpRequest, execution_id: str, toast: str, inverse: str) -> HttpResponseBase:
    undo = (f"mlops:executions.{inverse}", {"execution_id": execution_id})
    if request.htmx.target in LIST_FRAGMENTS:
        return respond(request, "mlops:executions.index", toast=toast, undo=undo, restart=index)
    return respond(request, "mlops:executions.detail", execution_id=execution_id, toast=toast, undo=undo)
