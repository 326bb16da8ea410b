"""Artifacts: the lists of datasets, models, result sets and others, the page of one, and how one comes in."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, QueryDict

from launchpad.access import Scope
from launchpad.exports import csv_file
from launchpad.forms import accepted
from launchpad.http import action, editor, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import artifact_files, artifacts, catalog, uploads
from mlops.forms import ArtifactForm, DescriptionForm
from mlops.views import api_calls
from mlops.views.artifact_list import ArtifactList
from mlops.views.artifact_page import FRAGMENTS, ArtifactPage
from mlops.views.difference_page import DifferencePage
from mlops.views.nouns import BY_KIND, NOUNS, Noun

COLUMNS: dict[str, Callable[[Any], object]] = {
    "Name": lambda one: one.name,
    "Version": lambda one: one.version,
    "ID": lambda one: str(one.pk),
    "Description": lambda one: one.description,
    "Release note": lambda one: one.release_note,
    "Scenario": lambda one: one.scenario.slug,
    "Path": lambda one: one.url,
    "Labels": lambda one: "; ".join(f"{label['key']}={label['value']}" for label in one.labels),
    "Files": lambda one: one.file_count,
    "Bytes": lambda one: one.size_bytes,
    "SHA-256": lambda one: one.digest,
    "Execution": lambda one: one.execution_id,
    "Registered by": lambda one: one.created_by and one.created_by.username,
    "Created": lambda one: one.created_at,
    "Changed": lambda one: one.modified_at,
}
LIST_FRAGMENTS = ("artifact-list", "artifact-table")


@viewer
def index(request: HttpRequest, scope: Scope, noun: str) -> HttpResponseBase:
    """Versions of one kind, newest first, those of one name together."""
    listing = ArtifactList(scope, NOUNS[noun], request.GET)
    context = {"listing": listing, "noun": listing.noun}
    return render(request, "mlops/artifacts/index.html", context, fragments=LIST_FRAGMENTS)


@viewer
def export(request: HttpRequest, scope: Scope, noun: str) -> HttpResponseBase:
    """What the list shows as CSV."""
    listing = ArtifactList(scope, NOUNS[noun], request.GET)
    return csv_file(request, f"{scope.resource_group.slug}-{noun}", COLUMNS, listing.found)


@viewer
def detail(request: HttpRequest, scope: Scope, noun: str, artifact_id: Any) -> HttpResponseBase:
    """One version; `tab` chooses what of it is shown. Under another noun it leads to its own page."""
    page = ArtifactPage(scope, artifact_id, request.GET)
    if page.noun.plural != noun:
        return respond(request, page.noun.detail, page.artifact.pk)
    context = {"page": page, "artifact": page.artifact, "noun": page.noun}
    return render(request, page.template, context, fragments=FRAGMENTS)


@viewer
def difference(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """What is different from another version of the same name, by default the one before."""
    page = DifferencePage(scope, artifact_id, request.GET)
    context = {"page": page, "artifact": page.artifact, "noun": page.noun}
    return render(request, "mlops/artifacts/difference.html", context)


@editor
def describe(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Change what is said of an artifact: description, release note and labels."""
    artifact = artifacts.get(scope, artifact_id)
    noun = BY_KIND[artifact.kind]
    form = DescriptionForm(request.POST or None, initial=DescriptionForm.of(artifact))
    if request.method == "POST":
        act = functools.partial(artifacts.describe, scope, artifact_id)
        if now := accepted(form, act):
            undo = ("mlops:artifacts.describe", {"artifact_id": artifact.pk}, _said(artifact, now))
            return respond(
                request, noun.detail, artifact.pk, toast=f"{artifact} says so from now on.", undo=undo
            )
    context = {"form": form, "artifact": artifact, "noun": noun}
    status = 422 if form.errors else 200
    return render(
        request, "mlops/artifacts/describe.html", context, fragments=("artifact-form",), status=status
    )


def _said(before: Any, now: Any) -> tuple[tuple[str, str], ...]:
    """What the form says that makes it say what it said before."""
    labels = [
        pair
        for label in before.labels
        for pair in (("labels_key", label["key"]), ("labels_value", label["value"]))
    ]
    seen = ("seen_at", now.modified_at.isoformat())
    return (("description", before.description), ("release_note", before.release_note), seen, *labels)


@action
def delete(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Put an artifact that nothing uses into the bin; leads to the list of its kind."""
    gone = artifacts.delete(scope, artifact_id)
    toast = f"{BY_KIND[gone.kind].one.capitalize()} {gone} is in the bin."
    undo = ("mlops:artifacts.restore", {"artifact_id": gone.pk})
    return respond(request, BY_KIND[gone.kind].index, toast=toast, undo=undo)


@editor
def register(request: HttpRequest, scope: Scope, noun: str) -> HttpResponseBase:
    """Register what lies in the object store, or upload it, as a new version."""
    sent = request.method == "POST"
    scenarios = list(catalog.scenarios(scope))
    form = ArtifactForm(
        *((request.POST, request.FILES) if sent else ()), scenarios=scenarios, initial=_start(request.GET)
    )
    if sent and (made := accepted(form, _registrar(scope, NOUNS[noun]))):
        word = BY_KIND[made.kind].one.capitalize()
        return respond(request, _onwards(scope, request.GET, made), toast=f"{word} {made} was registered.")
    addresses = artifact_files.addresses(scope)
    context = {
        "api": _api(scope, NOUNS[noun], form, addresses),
        "form": form,
        "noun": NOUNS[noun],
        "scenarios": scenarios,
        "addresses": addresses,
        "back": _back(scope, request.GET) or place_url(scope, NOUNS[noun].index),
    }
    status = 422 if form.errors else 200
    return render(
        request, "mlops/artifacts/register.html", context, fragments=("artifact-form",), status=status
    )


def _start(query: QueryDict) -> dict[str, str]:
    """What a new form says: what the link that led here knew."""
    known = {key: query.get(key, "") for key in ("name", "scenario", "url")}
    return {"way": ArtifactForm.ADDRESS, "unpack": True, **known}


def _api(scope: Scope, noun: Noun, form: ArtifactForm, addresses: list[str]) -> api_calls.ApiUse:
    """The call that registers what the form says, with an example where it says nothing."""
    values = {name: form[name].value() or "" for name in ("name", "scenario", "url", "description")}
    values["scenario"] = values["scenario"] or next(
        (key for key, _ in form["scenario"].field.choices if key), ""
    )
    values["url"] = values["url"] or next(iter(addresses), "")
    return api_calls.new_artifact(scope, kind=noun.kind, **values)


def _registrar(scope: Scope, noun: Noun) -> Callable[..., Any]:
    """Registers or uploads one form's values."""

    def act(*, way: str, url: str, files: list[Any], unpack: bool, **values: Any) -> Any:
        if way == ArtifactForm.ADDRESS:
            return artifacts.register(scope, kind=noun.kind, url=url, **values)
        return uploads.upload(scope, kind=noun.kind, files=files, unpack=unpack, **values)

    return act


def _back(scope: Scope, query: QueryDict) -> str:
    """The configuration's draft that one came from, if any; no other address is followed."""
    wanted = query.get("next", "")
    return wanted if wanted.startswith(place_url(scope, "mlops:configurations.create") + "?") else ""


def _onwards(scope: Scope, query: QueryDict, made: Any) -> str:
    """Where to go with a new artifact: back to the draft that wanted it, else to its page."""
    back = _back(scope, query)
    return f"{back}&registered={made.pk}" if back else place_url(scope, BY_KIND[made.kind].detail, made.pk)
