"""The AI API's error envelope, for everything that can go wrong under its addresses."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from launchpad.access import request_id
from launchpad.errors import Conflict, Forbidden, Invalid, LaunchpadError, NotFound, Unknown
from launchpad.http import endpoint
from mlops.domain.metric_limits import TooMuch

logger = logging.getLogger(__name__)

BODY_BYTES = 8 * 1024 * 1024
MEDIA_TYPES = ("application/json", "application/merge-patch+json", "")
# Conflict is 412: the contract offers no 409 on any of its verbs.
STATUS: tuple[tuple[type[LaunchpadError], int], ...] = (
    (TooMuch, 413),
    (NotFound, 404),
    (Unknown, 404),
    (Forbidden, 403),
    (Invalid, 400),
    (Conflict, 412),
)
CODES = {
    400: "01010400",
    401: "01010401",
    403: "01010403",
    404: "01010404",
    405: "01010405",
    412: "01010412",
    413: "01010413",
    415: "01010415",
    500: "01010500",
}
UNKNOWN_ADDRESS = "There is no such address in this API. Compare it with the API reference."


class Detail(Schema):
    """One of the reasons of an error."""

    code: str
    message: str


class AiApiError(Schema):
    """What went wrong and what to do. code: 8 digits."""

    code: str
    message: str
    requestId: str
    target: str
    details: list[Detail]


class Refusal(Schema):
    """The body of every answer that is no success."""

    error: AiApiError


def answer(request: HttpRequest, status: int, message: str, details: Iterable[str] = ()) -> JsonResponse:
    """An error in the envelope. details: a sentence each; the message itself when there is none."""
    code = CODES.get(status, f"01010{status}")
    body = {
        "code": code,
        "message": message,
        "requestId": request_id.get(),
        # A run's own address holds its token, which belongs in no log and no screenshot.
        "target": request.resolver_match.route if request.resolver_match else "",
        "details": [{"code": code, "message": detail} for detail in details or (message,)],
    }
    response = JsonResponse({"error": body}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Make every exception of the API's operations leave in the envelope."""

    def refused(request: HttpRequest, error: LaunchpadError) -> HttpResponse:
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        return answer(request, status, error.message, error.fields.values())

    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(request, 401, "The token is missing or not one of this Launchpad. Send a valid one.")

    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(request, error.status_code, str(error))

    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        found = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors[:20]]
        return answer(request, 400, f"The body is not as expected. {found[0]}.", found)

    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        logger.error("Request %s: %s failed", request_id.get(), request.method, exc_info=error)
        return answer(request, 500, "Launchpad failed to answer; the request id says where to look.")

    api.add_exception_handler(LaunchpadError, refused)
    api.add_exception_handler(AuthenticationError, unknown)
    api.add_exception_handler(HttpError, http)
    api.add_exception_handler(ValidationError, invalid)
    api.add_exception_handler(Exception, broken)


def _place(location: Iterable[Any]) -> str:
    """A place in the body as clients write it: `metrics.0.value`."""
    _source, _parameter, *keys = location
    return ".".join(str(key) for key in keys) or "body"


def limited(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse a body that is too large or of another media type before any of it is read."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        size = request.headers.get("Content-Length", "")
        if size.isdigit() and int(size) > BODY_BYTES:
            return answer(request, 413, "The body may hold at most 8 MB. Send it in parts.")
        if request.content_type not in MEDIA_TYPES:
            return answer(request, 415, f"Send application/json, not {request.content_type}.")
        return view(request, *args, **kwargs)

    return wrapper


def enveloped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of an address, whose answer to a method that it does not offer has the envelope too."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        offered = response["Allow"]
        refusal = answer(request, 405, f"{request.method} is not offered here; {offered} is.")
        refusal["Allow"] = offered
        return refusal

    return wrapper


@endpoint(None, "answers 404")
def not_found(request: HttpRequest, **_path: str) -> HttpResponse:
    """What lies under the API's prefixes and is no operation."""
    return answer(request, 404, UNKNOWN_ADDRESS)


not_found.csrf_exempt = True  # type: ignore[attr-defined]
