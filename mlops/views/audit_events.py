"""The audit trail of a workspace with its export, and the history of one object on a page of its own."""

from __future__ import annotations

import json

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope
from launchpad.exports import csv_file
from launchpad.http import administrator, manager, render
from mlops.domain import history
from mlops.views.audit_list import AuditList


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Who changed what, newest first."""
    listing = AuditList(scope, request.GET)
    return render(request, "mlops/audit_events/index.html", {"listing": listing}, fragments=("audit-table",))


@administrator()
def export(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The same as a file, as filtered."""
    listing = AuditList(scope, request.GET)
    columns = {
        "at": lambda one: one.at,
        "actor": lambda one: one.actor,
        "verb": lambda one: one.verb,
        "resource_group": listing.name,
        "object_type": lambda one: one.object_type,
        "object_id": lambda one: one.object_id,
        "object_name": lambda one: one.object_name,
        "detail": lambda one: json.dumps(one.detail, ensure_ascii=False),
        "request_id": lambda one: one.request_id,
    }
    return csv_file(request, f"{scope.workspace.pk}-audit-trail", columns, listing.events)


@manager
def show(request: HttpRequest, scope: Scope, kind: str, key: str) -> HttpResponseBase:
    """Who changed one object, for everyone who may view it."""
    found, events = history.of(scope, kind, key)
    context = {"subject": found, "kind": kind, "events": events}
    return render(request, "mlops/audit_events/history.html", context, fragments=("history",))
