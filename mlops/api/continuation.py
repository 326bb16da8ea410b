"""Lists read page by page: `Prefer: maxpagesize=n`, a Link to the next page, and its continueToken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from launchpad.access import Scope
from launchpad.errors import Invalid, Stale
from mlops.api.answers import listed, rendered
from mlops.api.queries import Parameter

SECONDS = 15 * 60
TOKEN = "continueToken"
PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`maxpagesize=n`: at most so many at once; the header Link then leads to the rest.",
    "schema": {"type": "string"},
}
_SALT = "continue"
_PREFERRED = re.compile(r"(?:^|[,;])\s*maxpagesize\s*=\s*\"?(\d{1,9})\"?\s*(?:[,;]|\Z)", re.IGNORECASE)


def token() -> Parameter:
    """`continueToken`: what the Link of the page before says."""
    schema = {"type": "string"}
    return Parameter(TOKEN, "token", str, schema, f"The next page, within {SECONDS // 60} minutes.", "")


def page(
    request: HttpRequest,
    scope: Scope,
    rows: QuerySet[Any],
    bodies: Callable[[list[Any]], list[dict[str, Any]]],
    asked: dict[str, Any],
) -> HttpResponse:
    """A page of rows that are in the order of `slug`, which is unique among them.

    asked: top, skip, count and token. Raises Invalid for a token that is none of this list, and Stale for one
    that is too old.
    """
    total = rows.count() if asked["count"] else None
    if asked["token"]:
        rows = rows.filter(slug__gt=_after(asked["token"], scope, request))
    size = min(asked["top"], _preferred(request) or asked["top"])
    skip = 0 if asked["token"] else asked["skip"]
    found = list(rows[skip : skip + size + 1])
    answer = rendered(listed(bodies(found[:size]), total))
    if _preferred(request):
        answer["Preference-Applied"] = f"maxpagesize={_preferred(request)}"
    if size and len(found) > size:
        query = request.GET.copy()
        query[TOKEN] = signing.dumps({"of": _of(scope, request), "after": found[size - 1].slug}, salt=_SALT)
        answer["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return answer


def _preferred(request: HttpRequest) -> int:
    """The page size asked for; 0 for none, as a preference that cannot be read is one that was not sent."""
    found = _PREFERRED.search(request.headers.get("Prefer", ""))
    return int(found[1]) if found else 0


def _of(scope: Scope, request: HttpRequest) -> list[Any]:
    """What a token is good for: this list of this workspace, asked for in the same way."""
    query = [[name, values] for name, values in sorted(request.GET.lists()) if name != TOKEN]
    return [scope.workspace.pk, request.path, query]


def _after(text: str, scope: Scope, request: HttpRequest) -> str:
    """The id that the page follows."""
    wrong = "The continueToken is none of this list, or its filters were changed. Begin without one."
    try:
        found = signing.loads(text, salt=_SALT, max_age=SECONDS)
    except signing.SignatureExpired as error:
        raise Stale("The continueToken is too old. Begin without one.") from error
    except (signing.BadSignature, ValueError) as error:
        raise Invalid(wrong) from error
    if found["of"] != _of(scope, request):
        raise Invalid(wrong)
    return found["after"]
