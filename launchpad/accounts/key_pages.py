"""Pages of service keys of a resource group or workspace: the list, a new one shown once, revoking."""

from __future__ import annotations

import base64
import functools
import json
import math
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from launchpad.access import ROLE_NAMES, Role, Scope
from launchpad.accounts import service_keys
from launchpad.accounts.forms import ServiceKeyForm
from launchpad.accounts.service_keys import Issued
from launchpad.forms import accepted
from launchpad.http import editor, render, respond, viewer


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The keys of a resource group, for everyone who may look at it: names and uses, never secrets."""
    return _list(request, scope)


@editor
def administrators(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The keys of a whole workspace, for those who administer it."""
    return _list(request, scope)


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Name a new key; then its secret, this once."""
    sent = request.method == "POST"
    form = ServiceKeyForm(*((request.POST,) if sent else ()), in_group=scope.resource_group is not None)
    if sent and (issued := accepted(form, functools.partial(service_keys.create, scope))):
        response = render(request, "accounts/service_keys/issued.html", _shown(issued))
    else:
        status = 422 if form.errors else 200
        response = render(request, "accounts/service_keys/create.html", {"form": form}, status=status)
    response["Cache-Control"] = "no-store"
    return response


@editor
def revoke(request: HttpRequest, scope: Scope, key_id: Any) -> HttpResponseBase:
    """Ask, then end a key of a resource group."""
    return _revoke(request, scope, key_id)


@editor
def revoke_administrators(request: HttpRequest, scope: Scope, administrators_key_id: Any) -> HttpResponseBase:
    """Ask, then end a key of a whole workspace."""
    return _revoke(request, scope, administrators_key_id)


def _revoke(request: HttpRequest, scope: Scope, key_id: Any) -> HttpResponseBase:
    if request.method != "POST":
        context = {"key": service_keys.get(scope, key_id)}
        return render(request, "accounts/service_keys/revoke.html", context)
    key = service_keys.revoke(scope, key_id)
    seconds = math.ceil(settings.TOKEN_CACHE_SECONDS)
    toast = f"Key {key.name} was revoked. Its tokens are refused within {seconds} s."
    return respond(request, "service_keys.index", toast=toast)


def _list(request: HttpRequest, scope: Scope) -> HttpResponse:
    rows = [(key, ROLE_NAMES[Role(key.role)]) for key in service_keys.search(scope)]
    return render(request, "accounts/service_keys/index.html", {"rows": rows})


def _shown(issued: Issued) -> dict[str, Any]:
    text = json.dumps(issued.document(settings.PUBLIC_URL), indent=2)
    # A link of its own to download from would have to find the secret again somewhere.
    packed = base64.b64encode(text.encode()).decode()
    return {"key": issued.key, "text": text, "download": f"data:application/json;base64,{packed}"}
