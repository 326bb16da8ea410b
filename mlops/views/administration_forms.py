"""Forms of administration; what is secret is taken and never shown again, not even after a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime


class Hidden(forms.PasswordInput):
    """A password field that is never filled in, and that no browser offers to remember."""

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        super().__init__({"class": "input mono", "autocomplete": "new-password", **(attrs or {})})


class HiddenText(forms.Textarea):
    """Several lines that are taken and never shown again."""

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        plain = {"class": "input mono", "rows": "4", "autocomplete": "off", "spellcheck": "false"}
        super().__init__({**plain, **(attrs or {})})

    def format_value(self, value: Any) -> str:
        """Nothing, whatever was typed."""
        return ""


def line(*, limit: int, mono: bool = False, **attrs: str) -> forms.TextInput:
    """One line of text."""
    looks = "input mono" if mono else "input"
    plain = {"class": looks, "maxlength": str(limit), "autocomplete": "off", "spellcheck": "false"}
    return forms.TextInput({**plain, **attrs})


def _select() -> forms.Select:
    return forms.Select({"class": "input"})


class Seen(forms.Form):
    """What a form of something existing carries: when that was modified. cleaned: a moment or None."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self) -> datetime | None:
        """The moment; an unreadable one is of nothing that exists."""
        text = self.cleaned_data["seen"]
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if text and (found is None or found.tzinfo is None):
            raise forms.ValidationError("This form is out of date. Open it again.")
        return found


class CredentialsForm(forms.Form):
    """Who we are at a repository."""

    username = forms.CharField(
        required=False,
        label="User name",
        help_text="Leave both empty for a repository that asks for none",
        widget=line(limit=256),
    )
    password = forms.CharField(
        required=False,
        strip=False,
        label="Password, access token or private key",
        help_text="For an ssh address the private key in PEM. It is kept sealed and never shown again",
        widget=HiddenText({"rows": "3"}),
    )

    def clean_password(self) -> str:
        """Line ends as a key file has them; a single line without one."""
        value = str(self.cleaned_data["password"]).replace("\r\n", "\n")
        return value if "\n" in value.strip() else value.strip("\n")


class ReplacedCredentialsForm(Seen, CredentialsForm):
    """Other credentials for a repository. seen: since when it had those of before."""

    field_order = ("seen", "username", "password")


class RepositoryForm(CredentialsForm):
    """A new repository."""

    field_order = ("url", "name", "username", "password")
    url = forms.CharField(
        label="Address",
        help_text="Such as https://git.example/team/templates.git or git@git.example:team/templates.git",
        error_messages={"required": "Give the address of the repository."},
        widget=line(limit=1024, mono=True),
    )
    name = forms.CharField(
        required=False,
        help_text="Lower-case letters, digits and hyphens; by default made from the address",
        widget=line(limit=51),
    )


class ApplicationForm(forms.Form):
    """A folder of a repository at a revision. seen: what the form showed, so that a change is noticed."""

    repository = forms.ChoiceField(
        error_messages={"required": "Choose a repository.", "invalid_choice": "Choose one of the list."},
        widget=_select(),
    )
    revision = forms.CharField(
        initial="HEAD",
        help_text="A branch, a tag, a commit, or HEAD for the newest of the main branch",
        error_messages={"required": "Give a revision, such as HEAD."},
        widget=line(limit=256, mono=True),
    )
    path = forms.CharField(
        initial=".",
        label="Folder",
        help_text="From the top of the repository; a single dot means all of it",
        error_messages={"required": "Give a folder, a single dot for all of the repository."},
        widget=line(limit=1024, mono=True),
    )

    def __init__(self, *args: Any, repositories: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in repositories]
        self.fields["repository"].choices = names if len(names) == 1 else [("", "Choose one"), *names]


class NewApplicationForm(ApplicationForm):
    """A new application, which may be given a name."""

    name = forms.CharField(
        required=False,
        help_text="3 to 54 lower-case letters, digits and hyphens; by default made from the repository's",
        widget=line(limit=54),
    )


class ChangedApplicationForm(ApplicationForm):
    """Another place for an application."""

    seen = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
