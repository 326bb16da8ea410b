"""What every request passes through: an id, a content policy, the sign-in and one place for errors."""

import logging
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from launchpad import access, dialects, pages, viewing, zones
from launchpad.errors import Forbidden, LaunchpadError
from launchpad.http import policies, shown_path

logger = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponseBase]

_SANE_ID = re.compile(r"[A-Za-z0-9-]{8,32}")
CONTENT_POLICY = {
    "default-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "form-action": ("'self'",),
    "frame-ancestors": ("'none'",),
}


class RequestId:
    """Names each request: the sane X-Request-ID that came with it, or a new one of 16 hex digits."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Make the id known to audit events, logs and error pages, and send it back."""
        given = request.headers.get("X-Request-ID", "")
        name = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        token = access.request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            access.request_id.reset(token)
        response["X-Request-ID"] = name
        return response


class ContentSecurity:
    """Allows a page what comes from this site and nothing else.

    A view may widen it for its own page: `request.content_security = {"script-src": ("'unsafe-eval'",)}`.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the headers that a view has not set by itself."""
        response = self.get_response(request)
        policy = dict(CONTENT_POLICY)
        for directive, sources in getattr(request, "content_security", {}).items():
            policy[directive] = (*policy.get(directive, CONTENT_POLICY["default-src"]), *sources)
        text = "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in policy.items())
        response.headers.setdefault("Content-Security-Policy", text)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"
        )
        return response


class ReaderZone:
    """Shows times in the zone of the reader's browser, which script keeps in a cookie; UTC without one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Make the zone current while the request is rendered; its thread serves others next."""
        name = request.COOKIES.get("zone", "")
        if name not in zones.names():
            return self.get_response(request)
        with timezone.override(name):
            return self.get_response(request)


class Sessions(SessionMiddleware):
    """Takes a session's cookie for none when no database could hold its text."""

    def process_request(self, request: HttpRequest) -> None:
        """Open the session; it is read when first asked for."""
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class SignInRequired(LoginRequiredMiddleware):
    """Asks anyone unknown to sign in, unless the view's policy is public or it has bearer authentication."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """None lets the request pass."""
        if not request.user.is_authenticated and all(
            policy is not None and policy.kind in ("public", "endpoint")
            for _methods, policy in policies(view_func)
        ):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseBase:
        """A redirect for pages, a client redirect for htmx (never a swapped sign-in page), 401 for JSON."""
        if request.htmx:
            shown = shown_path(request) or "/"
            return HttpResponseClientRedirect(f"{reverse('accounts.sign_in')}?{urlencode({'next': shown})}")
        if pages.wants_json(request):
            body = {
                "error": {
                    "code": "Unauthorized",
                    "message": "Sign in first.",
                    "requestId": access.request_id.get(),
                }
            }
            return JsonResponse(body, status=401)
        return super().handle_no_permission(request, view_func)


class ViewAs:
    """Lets who views as somebody else see that group and nothing else, and change nothing anywhere."""

    SAFE = ("GET", "HEAD", "OPTIONS")
    # What one may do meanwhile: end it, leave, and change the looks, which a cookie keeps.
    ALLOWED = ("view_as.end", "accounts.sign_out", "accounts.theme", "accounts.shortcuts")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; what is refused is refused before its view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponse | None:
        """None lets the request pass."""
        # A session is worth nothing to an API.
        if dialects.speaks(request) or not viewing.left(request):
            return None
        name, now = request.resolver_match.view_name, viewing.of(request)
        if name == "accounts.sign_out":
            viewing.end(request, "signed out")
        if name in self.ALLOWED:
            return None
        if now is None:
            viewing.end(request, "its time was over")
            return self._over(request)
        if request.method not in self.SAFE:
            return pages.refusal(request, Forbidden(access.READ_ONLY.format(now.name)))
        if now.shows(view_kwargs.get("workspace"), view_kwargs.get("resource_group")):
            return None
        return pages.answer(request, 409, now.elsewhere, title=f"You are viewing as {now.name}")

    def _over(self, request: HttpRequest) -> HttpResponse | None:
        """A button pressed on a page that was shown as somebody else does nothing; the page is shown anew."""
        if request.htmx:
            return HttpResponseClientRefresh()
        return None if request.method in self.SAFE else pages.refusal(request, Forbidden(viewing.OVER))


class Errors:
    """Turns what the domain refuses into a page, a toast or JSON; nothing else builds an error response."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; errors arrive at process_exception."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer to a LaunchpadError; anything else is logged with the request id and stays a 500."""
        if isinstance(error, LaunchpadError):
            return pages.refusal(request, error)
        # Django logs the traceback; this line ties it to the id that the person sees.
        logger.error("Request %s: %s %s: %r", access.request_id.get(), request.method, request.path, error)
        return None
