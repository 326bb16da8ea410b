"""Forms: what people type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from mlops.domain.limits import LABEL_PREFIX as PREFIX


class _Text(forms.TextInput):
    # The browser must not ask for the field of the way that was not chosen.
    def use_required_attribute(self, initial: Any) -> bool:
        return False


class _Files(forms.FileInput):
    allow_multiple_selected = True

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class _FilesField(forms.FileField):
    """Any number of uploaded files, also none and also empty ones; the domain judges them."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """The uploaded files in the order sent."""
        return list(data or [])


class _LabelRows(forms.Widget):
    """Rows of a key and a value each; `labels.html` draws them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        """The rows that say something, keys with the prefix that all labels have."""
        if not hasattr(data, "getlist"):
            return []
        rows = zip(data.getlist(f"{name}_key"), data.getlist(f"{name}_value"), strict=False)
        pairs = [(key.strip(), value.replace("\r\n", "\n")) for key, value in rows]
        return [
            {"key": key if "/" in key or not key else PREFIX + key, "value": value}
            for key, value in pairs
            if key or value.strip()
        ]


class _LabelsField(forms.Field):
    """Labels as {key, value}, unchecked: the domain judges them."""

    widget = _LabelRows

    def clean(self, value: Any) -> list[dict[str, str]]:
        """The rows as they are."""
        return value or []

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the rows are others."""
        return list(initial or []) != list(data or [])


def _description() -> forms.CharField:
    return forms.CharField(
        required=False,
        help_text="What it holds and where it is from; up to 5000 characters",
        widget=forms.Textarea({"class": "input", "rows": "2", "maxlength": "5000"}),
    )


def _release_note() -> forms.CharField:
    return forms.CharField(
        required=False,
        help_text="What is new in this version; up to 5000 characters",
        widget=forms.Textarea({"class": "input", "rows": "2", "maxlength": "5000"}),
    )


class DescriptionForm(forms.Form):
    """What is said of an artifact, with the moment of what the person was shown."""

    description = _description()
    release_note = _release_note()
    labels = _LabelsField(required=False)
    seen_at = forms.DateTimeField(widget=forms.HiddenInput)

    @staticmethod
    def of(artifact: Any) -> dict[str, Any]:
        """What an artifact says now."""
        return {
            "description": artifact.description,
            "release_note": artifact.release_note,
            "labels": artifact.labels,
            "seen_at": artifact.modified_at.isoformat(),
        }


class ArtifactForm(forms.Form):
    """A new version of an artifact: what it is called and where its bytes come from."""

    ADDRESS, UPLOAD = "address", "upload"

    name = forms.CharField(
        help_text="A name used before makes its next version",
        error_messages={"required": "Give it a name."},
        widget=forms.TextInput({"class": "input", "maxlength": "256", "autocomplete": "off"}),
    )
    scenario = forms.ChoiceField(
        help_text="The scenario it is made for",
        error_messages={
            "required": "Choose a scenario.",
            "invalid_choice": "Choose one of the workspace's scenarios.",
        },
        widget=forms.Select({"class": "input"}),
    )
    description = _description()
    release_note = _release_note()
    labels = _LabelsField(required=False)
    way = forms.ChoiceField(
        choices=[(ADDRESS, "In the object store"), (UPLOAD, "Upload files")],
        error_messages={
            "required": "Choose where the files are.",
            "invalid_choice": "Choose where the files are.",
        },
    )
    url = forms.CharField(
        label="Address",
        help_text="A file or a folder in this resource group's object store, such as ai://default/data",
        error_messages={"required": "Give the address of a file or folder, such as ai://default/data."},
        widget=_Text(
            {
                "class": "input mono",
                "maxlength": "1024",
                "list": "addresses",
                "placeholder": "ai://default/…",
                "spellcheck": "false",
                "autocomplete": "off",
            }
        ),
    )
    files = _FilesField(
        help_text="Up to 100 files of any size; they become one folder",
        widget=_Files({"class": "input", "hx-preserve": "true"}),
    )
    unpack = forms.BooleanField(required=False, label="Unpack zip files", initial=True)

    def __init__(self, *args: Any, scenarios: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.slug, one.slug) for one in scenarios]
        if len(choices) != 1:
            choices.insert(0, ("", "Choose a scenario"))
        self.fields["scenario"].choices = choices

    def full_clean(self) -> None:
        """Only the way that was chosen needs its field."""
        other = self.fields["url" if self.is_upload else "files"]
        other.required = False
        super().full_clean()
        other.required = True

    @property
    def is_upload(self) -> bool:
        """Whether the files come with the form."""
        return self["way"].value() == self.UPLOAD
