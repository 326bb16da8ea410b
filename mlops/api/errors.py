"""The AI API's error envelope, for everything that can go wrong under its addresses."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from launchpad.access import NOTHING_HERE, request_id
from launchpad.dialects import answer
from launchpad.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LaunchpadError,
    NotFound,
    Stale,
    Taken,
    TooMany,
    Unknown,
)
from launchpad.pages import BROKEN
from mlops.domain.metric_limits import TooMuch
from mlops.domain.run_tokens import Ended

logger = logging.getLogger(__name__)

BODY_BYTES = 8 * 1024 * 1024
# Room for a list of a thousand ids of 64 characters.
QUERY_BYTES = 128 * 1024
HEADER_BYTES = 32 * 1024
_CANCELED = "57014"
MEDIA_TYPES = ("application/json", "application/merge-patch+json", "")
# Conflict is 412: the contract offers 409 for what is there already, and only on one of its verbs.
STATUS: tuple[tuple[type[LaunchpadError], int], ...] = (
    (TooMuch, 413),
    (TooMany, 429),
    (Ended, 410),
    (NotFound, 404),
    (Unknown, 404),
    (Forbidden, 403),
    (Stale, 410),
    (Invalid, 400),
    (Taken, 409),
    (Conflict, 412),
)


class Detail(Schema):
    """One of the reasons of an error."""

    code: str
    message: str


class AiApiError(Schema):
    """What went wrong and what to do. code: 8 digits. details: a list for metrics and datasets."""

    code: str
    message: str
    requestId: str
    target: str
    details: list[Detail] | dict[str, str]


class Refusal(Schema):
    """The body of every answer that is no success."""

    error: AiApiError


def status_of(error: LaunchpadError) -> int:
    """The status code that a refusal is answered with."""
    return next(code for kind, code in STATUS if isinstance(error, kind))


def install(api: NinjaAPI) -> None:
    """Make every exception of the API's operations leave in the envelope."""

    def refused(request: HttpRequest, error: LaunchpadError) -> HttpResponse:
        response = answer(request, status_of(error), error.message, error.fields)
        if isinstance(error, TooMany):
            response["Retry-After"] = str(error.seconds)
        return response

    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(request, 401, "The token is missing or not one of this Launchpad. Send a valid one.")

    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(request, error.status_code, _unreadable(error.__cause__) or str(error))

    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        found = {_place(one["loc"]): f"{_place(one['loc'])}: {_words(one)}" for one in error.errors[:20]}
        return answer(request, 400, f"The body is not as expected. {next(iter(found.values()))}.", found)

    def suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
        return answer(request, 400, "The address has too many parameters, or they cannot be read.")

    def out_of_range(request: HttpRequest, error: DataError) -> HttpResponse:
        logger.warning("Request %s holds what the database cannot: %s", request_id.get(), error)
        return answer(request, 400, "A value is too large or of a form that cannot be stored.")

    def too_slow(request: HttpRequest, error: OperationalError) -> HttpResponse:
        if getattr(error.__cause__, "sqlstate", "") != _CANCELED:
            return broken(request, error)
        took = f"Finding this takes longer than {settings.API_QUERY_SECONDS:g} s."
        return answer(request, 400, f"{took} Narrow the filter, or ask for less.")

    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        logger.error("Request %s: %s failed", request_id.get(), request.method, exc_info=error)
        return answer(request, 500, BROKEN)

    api.add_exception_handler(LaunchpadError, refused)
    api.add_exception_handler(AuthenticationError, unknown)
    api.add_exception_handler(HttpError, http)
    api.add_exception_handler(ValidationError, invalid)
    api.add_exception_handler(SuspiciousOperation, suspicious)
    api.add_exception_handler(DataError, out_of_range)
    api.add_exception_handler(OperationalError, too_slow)
    api.add_exception_handler(Exception, broken)


def _place(location: Iterable[Any]) -> str:
    """A place in the body as clients write it: `metrics.0.value`.

    Of bodies that may have several shapes the shape is named too, in parentheses: it is no part of the body.
    """
    _source, _parameter, *keys = location
    return ".".join(str(key) for key in keys if not str(key).startswith("(")) or "body"


def _words(error: dict[str, Any]) -> str:
    """What is wrong, without the library's word for a refusal of ours."""
    return str(error["msg"]).removeprefix("Value error, ")


def _unreadable(cause: BaseException | None) -> str:
    """Why a body cannot be read, in a sentence; "" when it is not known."""
    if isinstance(cause, Invalid):
        return cause.message
    if isinstance(cause, json.JSONDecodeError):
        return f"The body is no JSON: {cause.msg} (line {cause.lineno}, column {cause.colno})."
    if isinstance(cause, UnicodeDecodeError):
        return "The body is not UTF-8."
    return "The body is nested too deeply." if isinstance(cause, RecursionError) else ""


def limited(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse a body that is too large or of another media type before any of it is read."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        size = request.headers.get("Content-Length", "")
        # A body in chunks has its length too by now: the server gathers it.
        if size.isdecimal() and int(size) > BODY_BYTES:
            return answer(request, 413, "The body may hold at most 8 MB. Send it in parts.")
        if request.content_type not in MEDIA_TYPES and size not in ("", "0"):
            return answer(request, 415, f"Send application/json, not {request.content_type}.")
        return view(request, *args, **kwargs)

    return wrapper


def enveloped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of an address behind limits of what is asked; other methods are refused in the envelope."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "\0" in request.path_info:
            return answer(request, 404, NOTHING_HERE)
        if len(request.META.get("QUERY_STRING", "")) > QUERY_BYTES:
            return answer(request, 414, f"The address has more than {QUERY_BYTES // 1024} KiB of parameters.")
        if sum(len(value) for name, value in request.META.items() if name.startswith("HTTP_")) > HEADER_BYTES:
            return answer(request, 431, f"The headers hold more than {HEADER_BYTES // 1024} KiB.")
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        offered = response["Allow"]
        refusal = answer(request, 405, f"{request.method} is not offered here; {offered} is.")
        refusal["Allow"] = offered
        return refusal

    return wrapper
