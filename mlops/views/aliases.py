"""Aliases of artifacts: moved to a version, or taken away from it."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import Undo, action, respond
from launchpad.places import place_url
from mlops.domain import aliases
from mlops.views.nouns import BY_KIND


@action
def move(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Let an alias point to this version from now on."""
    alias, why = (request.POST.get(name, "").strip() for name in ("alias", "why"))
    held = aliases.move(scope, artifact_id, alias=alias, why=why, seen=_seen(request, alias))
    toast = f"{held.alias} points to version {held.artifact.version}."
    undo = _back(aliases.before(scope, held), held.artifact, held.alias)
    return respond(request, _versions(scope, held.artifact), toast=toast, undo=undo)


@action
def remove(request: HttpRequest, scope: Scope, artifact_id: Any) -> HttpResponseBase:
    """Take an alias away from this version."""
    alias, why = (request.POST.get(name, "").strip() for name in ("alias", "why"))
    artifact = aliases.remove(scope, artifact_id, alias=alias, why=why)
    undo = _back(artifact, None, alias)
    toast = f"{alias} points to no version any more."
    return respond(request, _versions(scope, artifact), toast=toast, undo=undo)


def _back(before: Any, now: Any, alias: str) -> Undo:
    """What takes a move back: to the version before, or away where there was none."""
    said = (("alias", alias), ("why", "Undone"))
    if before is None:
        return ("mlops:aliases.remove", {"artifact_id": now.pk}, said)
    seen = ("seen", f"{alias}={now.version if now else 0}")
    return ("mlops:aliases.move", {"artifact_id": before.pk}, (*said, seen))


def _seen(request: HttpRequest, alias: str) -> int | None:
    """The version that the page showed for an alias, 0 for none; None from a page that showed none at all."""
    if "seen" not in request.POST:
        return None
    shown = dict(text.rpartition("=")[::2] for text in request.POST.getlist("seen"))
    version = shown.get(alias, "0")
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0


def _versions(scope: Scope, artifact: Any) -> str:
    return place_url(scope, BY_KIND[artifact.kind].detail, artifact.pk) + "?tab=versions"
