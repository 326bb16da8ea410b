"""Forms of object stores, generic secrets, registry secrets and resource groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from mlops.domain import docker_secrets
from mlops.domain.object_stores import CREDENTIALS, Options
from mlops.views.administration_forms import Hidden, HiddenText, Seen, line
from mlops.views.secret_values import read_labels, read_values, registry_document

SHARED, OWN, IN_GROUP = "shared", "workspace", "group:"
_CHECK = {"class": "check"}


class StoreForm(Seen):
    """Where a store is. cleaned_data: `kind`, `options` and `data`, None for credentials that are kept."""

    kind = forms.ChoiceField(
        choices=[("s3", "S3-compatible"), ("local", "A folder of this Launchpad")],
        help_text="A folder needs nothing of what follows",
        widget=forms.Select({"class": "input"}),
    )
    bucket = forms.CharField(required=False, widget=line(limit=255, mono=True))
    endpoint = forms.CharField(
        required=False,
        help_text="Host and port, such as s3.example:9000; empty for Amazon's of the region",
        widget=line(limit=512, mono=True),
    )
    region = forms.CharField(
        required=False, help_text="By default us-east-1", widget=line(limit=64, mono=True)
    )
    path_prefix = forms.CharField(
        required=False,
        label="Path in the bucket",
        help_text="Everything lies below it; empty for the whole bucket",
        widget=line(limit=1024, mono=True),
    )
    use_https = forms.BooleanField(
        required=False, initial=True, label="Use https", widget=forms.CheckboxInput(_CHECK)
    )
    verify_ssl = forms.BooleanField(
        required=False,
        initial=True,
        label="Check the server's certificate",
        widget=forms.CheckboxInput(_CHECK),
    )
    access_key = forms.CharField(required=False, label="Access key ID", widget=line(limit=1024, mono=True))
    secret_key = forms.CharField(
        required=False, label="Secret access key", help_text="Kept sealed, never shown again", widget=Hidden()
    )

    @property
    def keeps(self) -> bool:
        """Whether empty credentials mean those of before."""
        return bool(self.initial.get("seen"))

    def clean(self) -> dict[str, Any]:
        """What the domain takes."""
        sent = super().clean() or {}
        given = (sent.get("access_key", ""), sent.get("secret_key", ""))
        local = sent.get("kind") == "local"
        data: Mapping[str, str] | None = {} if local else dict(zip(CREDENTIALS, given, strict=True))
        if self.keeps and not any(given):
            data = None
        options = Options() if local else Options(**{key: sent.get(key, "") for key in vars(Options())})
        seen = {"seen": sent.get("seen")} if self.keeps else {}
        return {"kind": sent.get("kind", ""), "options": options, "data": data, **seen}


class NewStoreForm(StoreForm):
    """A new store of one of the groups, by fields or by the JSON that clients of the API send."""

    field_order = ("group", "name", "kind")
    group = forms.ChoiceField(
        label="Resource group",
        error_messages={"required": "Choose a resource group.", "invalid_choice": "Choose one of the list."},
        widget=forms.Select({"class": "input"}),
    )
    name = forms.CharField(
        required=False,
        help_text="As in ai://name/…; one named default takes the place of the built-in store",
        widget=line(limit=233, mono=True),
    )
    document = forms.CharField(
        required=False,
        label="Or all of it as JSON",
        help_text="With name, type, bucket, endpoint, region, pathPrefix and data, as the API takes it",
        widget=HiddenText(),
    )

    def __init__(self, *args: Any, groups: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = [(slug, slug) for slug in groups]

    def clean_document(self) -> dict[str, Any]:
        """The JSON object; empty without one. No sentence shows what was typed."""
        text = self.cleaned_data["document"]
        if not text:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("That cannot be read as JSON.") from error
        data = found.get("data", {}) if isinstance(found, dict) else None
        if not isinstance(data, dict) or not all(
            isinstance(value, str)
            for value in [*data.values(), *(v for k, v in found.items() if k != "data")]
        ):
            raise forms.ValidationError("Give a JSON object of texts, with data as an object of texts.")
        return found

    def clean(self) -> dict[str, Any]:
        """What the domain takes, with `name` and `group`."""
        sent = self.cleaned_data
        group, name, document = sent.get("group", ""), sent.get("name", ""), sent.get("document") or {}
        values = super().clean()
        if document:
            name = document.get("name", name)
            values = _read(document)
        if not name and not self.errors:
            self.add_error("name", "Give it a name.")
        return {**values, "name": name, "group": group}


def _read(document: Mapping[str, Any]) -> dict[str, Any]:
    kind = document.get("type", "S3").lower()
    flags = {flag: document.get(flag, "1").lower() in ("1", "true") for flag in ("usehttps", "verifyssl")}
    options = Options(
        document.get("bucket", ""),
        document.get("endpoint", ""),
        document.get("region", ""),
        document.get("pathPrefix", ""),
        flags["usehttps"],
        flags["verifyssl"],
    )
    return {
        "kind": kind,
        "options": Options() if kind == "local" else options,
        "data": document.get("data", {}),
    }


class _Labelled(forms.Form):
    labels = forms.CharField(
        required=False,
        help_text="One key=value a line; a key without a slash is taken below ext.ai.sap.com/",
        widget=forms.Textarea({"class": "input mono", "rows": "3", "spellcheck": "false"}),
    )

    def clean_labels(self) -> list[dict[str, str]]:
        """{key, value} of each."""
        return read_labels(self.cleaned_data["labels"])


class SecretForm(Seen, _Labelled):
    """The values of a secret. cleaned_data: `data`, None for values that are kept, and `labels`."""

    field_order = ("where", "name", "data", "labels")
    data = forms.CharField(
        required=False,
        label="Values",
        help_text='One KEY=value a line, or a JSON object such as {"KEY": "several\\nlines"}',
        widget=HiddenText({"rows": "6"}),
    )

    def clean_data(self) -> dict[str, str] | None:
        """Key to base64; None where nothing was typed and values are there."""
        text = self.cleaned_data["data"]
        return None if not text and self.initial.get("seen") else read_values(text)


class NewSecretForm(SecretForm):
    """A new secret. cleaned_data: also `name` and `where`: shared, workspace or group:<id>."""

    where = forms.ChoiceField(
        label="For",
        error_messages={"required": "Choose whom it is for.", "invalid_choice": "Choose one of the list."},
        widget=forms.Select({"class": "input"}),
    )
    name = forms.CharField(
        help_text="Lower-case letters, digits, dots and hyphens; templates refer to it by this name",
        error_messages={"required": "Give it a name."},
        widget=line(limit=252, mono=True),
    )

    def __init__(self, *args: Any, groups: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["where"].choices = [
            *((f"{IN_GROUP}{slug}", f"Resource group {slug}") for slug in groups),
            (SHARED, "All resource groups of the workspace"),
            (OWN, "The workspace itself, no run reads it"),
        ]


class RegistryForm(Seen):
    """Credentials of a container registry. cleaned_data: `data` as the domain takes it."""

    address = forms.CharField(
        required=False,
        label="Registry",
        help_text="Such as registry.example:5000",
        widget=line(limit=253, mono=True),
    )
    username = forms.CharField(required=False, label="User name", widget=line(limit=256))
    password = forms.CharField(required=False, label="Password or token", strip=False, widget=Hidden())
    document = forms.CharField(
        required=False,
        label="Or a .dockerconfigjson",
        help_text='JSON like {"auths": {"registry.example": {…}}}; instead of the fields above',
        widget=HiddenText(),
    )

    def clean(self) -> dict[str, Any]:
        """What the domain takes."""
        sent = super().clean() or {}
        text = sent.get("document", "")
        if not text:
            try:
                text = registry_document(
                    sent.get("address", ""), sent.get("username", ""), sent.get("password", "")
                )
            except forms.ValidationError as error:
                self.add_error("address", error)
        rest = {key: sent[key] for key in ("name", "seen") if key in sent}
        if not self.initial.get("seen"):
            rest.pop("seen", None)
        return {"data": {docker_secrets.KEY: text}, **rest}


class NewRegistryForm(RegistryForm):
    """A new one with its name."""

    field_order = ("name",)
    name = forms.CharField(
        help_text="2 to 63 lower-case letters, digits, dots, hyphens and single underscores",
        error_messages={"required": "Give it a name."},
        widget=line(limit=63, mono=True),
    )


class GroupForm(_Labelled):
    """Description and labels of a resource group."""

    field_order = ("slug", "description", "labels")
    description = forms.CharField(required=False, widget=line(limit=256))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class NewGroupForm(GroupForm):
    """A new resource group with its id."""

    seen = None
    slug = forms.CharField(
        label="ID",
        help_text="3 to 253 letters, digits, dots and hyphens; it is part of every address and never changes",
        error_messages={"required": "Give it an ID."},
        widget=line(limit=253, mono=True),
    )
