"""The token endpoint of API clients: client credentials in a form body or as HTTP Basic."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse

from launchpad.accounts import bearers, service_keys, throttle
from launchpad.dialects import token_refusal
from launchpad.http import WRITE, public

_BODY_BYTES = 16 * 1024
_FORM = "application/x-www-form-urlencoded"
_TEXT_LIMIT = 512
_UNREADABLE = "The body is not a form. Send grant_type, client_id and client_secret in UTF-8, once each."
_UNKNOWN = "There is no such client id with this secret. Ask for a new service key if it was revoked."


@dataclass(frozen=True)
class _Refusal(Exception):
    """An error of RFC 6749 with its status."""

    status: int
    error: str
    description: str


def _in_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view, whose refusal of other methods is JSON too."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        if isinstance(response, HttpResponseNotAllowed):
            refusal = token_refusal(405, "invalid_request", f"{request.method} is not offered here; POST is.")
            refusal["Allow"] = response["Allow"]
            return refusal
        if request.headers.get("X-Requested-With") == "XMLHttpRequest":
            # A browser would ask its person for a password in a window of its own, and tell the page nothing.
            response.headers.pop("WWW-Authenticate", None)
        return response

    return wrapper


@_in_json
@public("the client's credentials are in the request", methods=WRITE)
def issue(request: HttpRequest) -> HttpResponse:
    """An access token as RFC 6749 (4.4) says, or its error (5.2)."""
    try:
        client_id, secret = _credentials(request)
    except _Refusal as found:
        return token_refusal(found.status, found.error, found.description)
    who = (f"client {client_id}", request.META.get("REMOTE_ADDR", ""))
    if seconds := throttle.wait_seconds(*who):
        response = token_refusal(429, "slow_down", f"Too many wrong secrets. Try again in {seconds} s.")
        response["Retry-After"] = str(seconds)
        return response
    key = service_keys.authenticate(client_id, secret)
    if key is None:
        throttle.failed(*who)
        return token_refusal(401, "invalid_client", _UNKNOWN)
    throttle.succeeded(*who)
    issued = bearers.issue(key)
    answer = {
        "access_token": issued.token,
        "token_type": "bearer",
        "expires_in": issued.seconds,
        "scope": issued.scope,
        "jti": issued.id,
    }
    response = JsonResponse(answer)
    response["Cache-Control"] = "no-store"
    return response


issue.csrf_exempt = True  # type: ignore[attr-defined]


def _credentials(request: HttpRequest) -> tuple[str, str]:
    """Client id and secret. Raises _Refusal for a request that is none for a token."""
    form = _form(request)
    grant = form.get("grant_type", "")
    if not grant:
        raise _Refusal(400, "invalid_request", "grant_type is missing. Send client_credentials.")
    if grant != "client_credentials":
        raise _Refusal(400, "unsupported_grant_type", "Only the grant type client_credentials is offered.")
    in_body = (form.get("client_id", ""), form.get("client_secret", ""))
    in_header = _basic(request.headers.get("Authorization", ""))
    if in_header and in_body[0] not in ("", in_header[0]):
        raise _Refusal(400, "invalid_request", "The header and the body name different clients.")
    client_id, secret = in_header or in_body
    if not client_id or not secret:
        raise _Refusal(401, "invalid_client", "client_id or client_secret is missing.")
    if len(client_id) > _TEXT_LIMIT or len(secret) > _TEXT_LIMIT or "\0" in client_id + secret:
        raise _Refusal(401, "invalid_client", _UNKNOWN)
    return client_id, secret


def _form(request: HttpRequest) -> dict[str, str]:
    """The fields of the body; read here, as Django's own reading may raise or spool what is no form."""
    if request.content_type not in (_FORM, ""):
        raise _Refusal(415, "invalid_request", f"Send the parameters as a form ({_FORM}).")
    size = request.headers.get("Content-Length", "") or "0"
    if not size.isdigit() or int(size) > _BODY_BYTES:
        raise _Refusal(413, "invalid_request", "The body is larger than any request for a token.")
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise _Refusal(400, "invalid_request", _UNREADABLE) from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _Refusal(400, "invalid_request", _UNREADABLE)
    return form


def _basic(header: str) -> tuple[str, str] | None:
    """Client id and secret of an HTTP Basic header, each percent-encoded as RFC 6749 (2.3.1) asks."""
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _Refusal(400, "invalid_request", "The Authorization header is not HTTP Basic.") from error
    if not colon:
        raise _Refusal(400, "invalid_request", "The Authorization header is not HTTP Basic.")
    return unquote_plus(client_id), unquote_plus(secret)
