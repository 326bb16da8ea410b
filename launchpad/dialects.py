"""Errors in the form that the clients of each JSON API read, whatever part of Launchpad refuses them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.http import HttpRequest, JsonResponse

from launchpad.access import request_id

TOKEN = "/oauth/token"
_APIS = re.compile(r"/(v2|runs|api/v1|oauth)(/|\Z)")
# Clients of metrics and datasets read a list of details, all others an object.
_LISTING = re.compile(r"/(v2/lm/(metrics|dataset)|runs|api/v1)(/|\Z)")
_TARGET_LIMIT = 1024
_WORDS = {401: "invalid_client", 429: "slow_down", 500: "server_error"}


def speaks(request: HttpRequest) -> bool:
    """Whether the request is one to an API, whose clients read no pages."""
    return _APIS.match(request.path_info) is not None


def answer(
    request: HttpRequest, status: int, message: str, details: Mapping[str, str] | None = None
) -> JsonResponse:
    """An error: in the envelope of the AI API, at the token endpoint as RFC 6749 (5.2) has it.

    details: what is wrong, a sentence each by the name of the field or parameter.
    """
    if request.path_info == TOKEN:
        return token_refusal(status, _WORDS.get(status, "invalid_request"), message)
    error = told(request, status, message)
    reasons: object = dict(details or {})
    if _LISTING.match(request.path_info):
        reasons = [{"code": error["code"], "message": one} for one in (details or {"": message}).values()]
    response = JsonResponse({"error": {**error, "details": reasons}}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def told(request: HttpRequest, status: int, message: str) -> dict[str, str]:
    """An error of the AI API without its details."""
    return {
        "code": f"01010{status}",
        "message": message,
        "requestId": request_id.get(),
        "target": _target(request),
    }


def _target(request: HttpRequest) -> str:
    """The address that was called; of a run's own, which holds its token, the pattern alone."""
    if request.path.startswith("/runs"):
        return f"/{request.resolver_match.route}" if request.resolver_match else "/runs"
    return request.path[:_TARGET_LIMIT]


def token_refusal(status: int, error: str, description: str) -> JsonResponse:
    """An error of the token endpoint. error: one of the words of RFC 6749."""
    response = JsonResponse({"error": error, "error_description": description}, status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Launchpad"'
    return response
