"""Error pages, toasts and JSON: the one place that knows which HTTP status a refusal has."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from launchpad import access, dialects
from launchpad.errors import Conflict, Forbidden, Invalid, LaunchpadError, NotFound, TooMany
from launchpad.resource_groups import effective
from launchpad.shell import Shell

NOT_FOUND = 404
STATUS = {NotFound: NOT_FOUND, Forbidden: 403, Invalid: 422, Conflict: 409, TooMany: 429}
TITLES = {
    400: "That request could not be read",
    403: "You can look but not change",
    404: "Nothing here",
    409: "That cannot be done now",
    422: "Those values cannot be used",
    429: "That was too much at once",
    500: "Launchpad hit an error",
}
UNREADABLE = "The address or the form sent could not be understood. Go back, reload the page and try again."
UNREADABLE_CALL = "The request could not be understood. Compare it with the API reference."
UNKNOWN_ADDRESS = "There is no such address in this API. Compare it with the API reference."
FOREIGN_HOST = "Launchpad is not known by this host name. Use its public address, or add it to ALLOWED_HOSTS."
BROKEN = (
    "Nothing more is known here. Trying again is safe. "
    "If it happens twice, send the reference to an administrator."
)


def wants_json(request: HttpRequest) -> bool:
    """Whether the client prefers JSON to a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def refusal(request: HttpRequest, error: LaunchpadError) -> HttpResponse:
    """The answer to a domain error, in the form the client reads."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return answer(request, status, error.message, fields=error.fields)


def answer(
    request: HttpRequest,
    status: int,
    message: str,
    *,
    title: str = "",
    fields: dict[str, str] | None = None,
) -> HttpResponse:
    """An error as a toast for htmx, as JSON where that is preferred, else as a page; the status is true."""
    if dialects.speaks(request):
        return dialects.answer(request, status, message, fields)
    reference = access.request_id.get()
    title = title or TITLES[status]
    context = {"title": title, "message": message, "reference": reference, "kind": "bad", "status": status}
    context["shell"] = Shell(request)
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(render_to_string("components/toast.html", context), status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "beforeend"
        return response
    if wants_json(request):
        error = {
            "code": HTTPStatus(status).phrase.replace(" ", ""),
            "message": message,
            "requestId": reference,
            "fields": fields or {},
        }
        return JsonResponse({"error": error}, status=status)
    if status == NOT_FOUND:
        context |= _way_in(request)
    template = f"{status}.html" if status in (400, 403, 404) else "error.html"
    return HttpResponse(render_to_string(template, context, request), status=status)


def _way_in(request: HttpRequest) -> dict[str, Any]:
    """For an address in a resource group that was not opened: what one may ask for, and who grants it.

    Told alike whether or not there is such a group.
    """
    match = request.resolver_match
    place = {name: match.kwargs.get(name, "") for name in ("workspace", "resource_group")} if match else {}
    is_open = getattr(request, "scope", None) is not None
    if not all(place.values()) or not place or is_open or not request.user.is_authenticated:
        return {}
    return {"wanted": place, "grantors": effective.superusers()}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    if dialects.speaks(request):
        foreign = isinstance(exception, DisallowedHost)
        return answer(request, 400, FOREIGN_HOST if foreign else UNREADABLE_CALL)
    return answer(request, 400, UNREADABLE)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403: Django's own refusals; ours come through the Errors middleware."""
    return answer(
        request,
        403,
        "This needs a role you do not have. An administrator can grant it.",
        title="This page is not open to you",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: the same page as for what one may not see."""
    unknown = dialects.speaks(request)
    return answer(request, 404, UNKNOWN_ADDRESS if unknown else access.NOTHING_HERE)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a static page that needs neither database nor session, plus the reference."""
    if dialects.speaks(request) or request.headers.get("HX-Request") == "true" or wants_json(request):
        return answer(request, 500, BROKEN)
    return HttpResponse(render_to_string("500.html", {"reference": access.request_id.get()}), status=500)
