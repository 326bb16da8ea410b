"""Artifacts: the lists of datasets, models, result sets and others, the page of one, and how one comes in."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, QueryDict

from launchpad.access import Scope
from launchpad.forms import accepted
from launchpad.http import editor, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import artifacts, catalog
from mlops.forms import ArtifactForm
from mlops.views import api_calls
from mlops.views.artifact_list import ArtifactList
from mlops.views.artifact_page import ArtifactPage
from mlops.views.nouns import BY_KIND, NOUNS, Noun

LIST_FRAGMENTS = ("artifact-list", "artifact-table")


@viewer
def index(request: HttpRequest, scope: Scope, noun: str) -> HttpResponseBase:
    """Versions of one kind, newest first, those of one name together."""
    listing = ArtifactList(scope, NOUNS[noun], request.GET)
    context = {"listing": listing, "noun": listing.noun}
    return render(request, "mlops/artifacts/index.html", context, fragments=LIST_FRAGMENTS)


@viewer
def detail(request: HttpRequest, scope: Scope, noun: str, artifact_id: Any) -> HttpResponseBase:
    """One version; under another noun than its own it leads to its own page."""
    page = ArtifactPage(scope, artifact_id, request.GET)
    if page.noun.plural != noun:
        return respond(request, page.noun.detail, page.artifact.pk)
    context = {"page": page, "artifact": page.artifact, "noun": page.noun}
    return render(request, "mlops/artifacts/detail.html", context, fragments=("artifact-preview",))


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
    addresses = artifacts.addresses(scope)
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
    return {"way": ArtifactForm.ADDRESS, **{key: query.get(key, "") for key in ("name", "scenario", "url")}}


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

    def act(*, way: str, url: str, files: list[Any], **values: str) -> Any:
        if way == ArtifactForm.ADDRESS:
            return artifacts.register(scope, kind=noun.kind, url=url, **values)
        chunks = [(file.name, file.chunks()) for file in files]
        return artifacts.upload(scope, kind=noun.kind, files=chunks, **values)

    return act


def _back(scope: Scope, query: QueryDict) -> str:
    """The configuration's draft that one came from, if any; no other address is followed."""
    wanted = query.get("next", "")
    return wanted if wanted.startswith(place_url(scope, "mlops:configurations.create") + "?") else ""


def _onwards(scope: Scope, query: QueryDict, made: Any) -> str:
    """Where to go with a new artifact: back to the draft that wanted it, else to its page."""
    back = _back(scope, query)
    return f"{back}&registered={made.pk}" if back else place_url(scope, BY_KIND[made.kind].detail, made.pk)
