"""The kept predictions of a deployment: the list, the file, and whether any are kept."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponseBase, QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.exports import csv_file
from launchpad.http import action, respond, viewer
from launchpad.places import place_url
from mlops import paging
from mlops.domain import deployments, predictions

COLUMNS = {
    "at": lambda row: row.at,
    "revision": lambda row: row.revision,
    "method": lambda row: row.method,
    "path": lambda row: row.path,
    "status": lambda row: row.status,
    "milliseconds": lambda row: row.milliseconds,
    "caller": lambda row: row.caller,
    "request": lambda row: row.request,
    "response": lambda row: row.response,
    "is_cut": lambda row: row.is_cut,
}
_NEWEST_FIRST = paging.Order(field="at")
_LONGEST_NUMBER = 6


class Predictions:
    """One page of what is kept, newest first. query: the page."""

    def __init__(self, scope: Scope, deployment: Any, query: QueryDict) -> None:
        self._scope = scope
        self._deployment = deployment
        self._query = query

    @cached_property
    def page(self) -> paging.Page:
        """The rows with the addresses of its neighbours; one query."""
        rows = predictions.newest(self._scope, self._deployment)
        return paging.page(rows, self._query, order=_NEWEST_FIRST)

    @property
    def newer(self) -> str:
        """The query of the next newer page, "" at an end."""
        return self._tab(self.page.newer)

    @property
    def older(self) -> str:
        """The query of the next older page, "" at an end."""
        return self._tab(self.page.older)

    def _tab(self, query: str) -> str:
        return f"?tab=predictions&{query.removeprefix('?')}" if query else ""


@viewer
def predictions_file(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """What is kept as CSV, newest first."""
    rows = predictions.newest(scope, deployments.get(scope, deployment_id))
    return csv_file(request, f"{deployment_id}-predictions", COLUMNS, rows)


@action
def keep_predictions(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Switch keeping on or off, and say of how many requests and for how long."""
    kept = deployments.keep_predictions(
        scope,
        deployment_id,
        keeps=request.POST.get("keeps") == "on",
        share=_number(request.POST.get("share", "100"), "share"),
        days=_number(request.POST.get("days", "30"), "days"),
    )
    says = f"{kept.prediction_share}% of the requests are kept for {kept.prediction_days} days."
    toast = says if kept.keeps_predictions else "No requests are kept any more. What is kept stays its time."
    page = place_url(scope, "mlops:deployments.detail", deployment_id)
    return respond(request, f"{page}?tab=predictions", toast=toast)


def _number(text: str, name: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise Invalid("Write whole numbers for share and days.", fields={name: "A whole number."})
    return int(text)
