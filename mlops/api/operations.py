"""Operations of the AI API: a place, a right and a name each; whatever goes wrong leaves in the envelope."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router
from ninja.constants import NOT_SET
from ninja.decorators import decorate_view
from ninja.security import HttpBearer

from launchpad.access import Right, Scope, open_scope
from launchpad.accounts import bearers, rates
from launchpad.errors import Invalid
from launchpad.http import endpoint
from mlops.api import answers as shapes
from mlops.api.errors import Refusal, limited
from mlops.api.queries import Parameters

View = Callable[..., Any]


class Count:
    """Stands among the answers of an operation that tells a bare number as text."""


GROUP_HEADER = "AI-Resource-Group"


class Call(HttpRequest):
    """A request after authentication. auth: the scope of the operation's place, with its right."""

    auth: Scope


class Place(HttpBearer):
    """Opens the scope an operation works in with the client's bearer token.

    needs_group: the header AI-Resource-Group names the resource group. default: the group taken without it;
    "" refuses a request that names none. Other workspaces and groups answer as if they did not exist.
    """

    def __init__(self, right: Right, *, needs_group: bool, default: str = "") -> None:
        super().__init__()
        self.right = right
        self.needs_group = needs_group
        self.default = default

    @property
    def documented(self) -> list[dict[str, Any]]:
        """The header that names the resource group, as OpenAPI tells it."""
        if not self.needs_group:
            return []
        return [
            {
                "name": GROUP_HEADER,
                "in": "header",
                "required": not self.default,
                "description": "The resource group."
                + (f" Without it: {self.default}." if self.default else ""),
                "schema": {"type": "string"},
            }
        ]

    def authenticate(self, request: HttpRequest, token: str) -> Scope | None:
        """The scope; None for a token that is none of ours. Raises Invalid, NotFound, Forbidden."""
        client = bearers.client(token)
        if client is None:
            return None
        rates.take(client.key)
        return open_scope(client.account, client.workspace, self.group(request), self.right)

    def group(self, request: HttpRequest) -> str | None:
        """The resource group that the request works in, None for the whole workspace. Raises Invalid."""
        if not self.needs_group:
            return None
        group = request.headers.get(GROUP_HEADER, "").strip() or self.default
        if not group:
            raise Invalid(f"Name the resource group in the header {GROUP_HEADER}.")
        return group


def in_group(right: Right, *, default: str = "") -> Place:
    """In the resource group that the header AI-Resource-Group names."""
    return Place(right, needs_group=True, default=default)


def in_workspace(right: Right) -> Place:
    """In the whole workspace of the client's key; CHANGE is for keys of administrators."""
    return Place(right, needs_group=False)


class Operations:
    """The operations of one noun. tag: the heading they stand under in the documentation.

    prefix: what stands before their paths.
    """

    def __init__(self, tag: str, *, prefix: str = "/v2") -> None:
        self.router = Router(tags=[tag])
        self.prefix = prefix

    def __call__(
        self,
        method: str,
        path: str,
        place: Place,
        *,
        name: str,
        response: Any = NOT_SET,
        answers: Mapping[int, Any] | None = None,
        query: Parameters | None = None,
        quick: bool = False,
        guard: View = limited,
        **more: Any,
    ) -> Callable[[View], View]:
        """Mount a function `(request, …)` at the prefix + path. name: its URL name, `<noun>.<verb>`.

        answers: what is answered, by status code, the successful one first. It stands in the documentation
        and is not checked at run time, which `response` is; the function returns JSON types, or a response
        as it leaves. query: the query parameters that the function reads. quick: it reads single rows by
        their keys, which needs no limit of time. guard: refuses bodies unread.
        """

        told = more.pop("openapi_extra", {})
        more_parameters = told.get("parameters", ())
        told["parameters"] = [*place.documented, *more_parameters, *(query.documented if query else ())]
        if answers and answers.get(200) is Count:
            told["responses"] = {200: {"content": {"text/plain": {"schema": {"type": "integer"}}}}}

        def mount(view: View) -> View:
            shown = view if answers is None else _rendered(view, answers)
            stamped = endpoint(place.right)(_brief(shown) if method == "GET" and not quick else shown)
            return self.router.api_operation(
                [method],
                f"{self.prefix}{path}",
                auth=place,
                response=response if answers is None else _documented(answers),
                url_name=name,
                operation_id=name,
                by_alias=True,
                exclude_none=True,
                openapi_extra=told,
                **more,
            )(decorate_view(guard)(stamped))

        return mount


def _brief(view: View) -> View:
    """The reading view; PostgreSQL ends its queries after API_QUERY_SECONDS, so that no thread is held."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if connection.vendor != "postgresql":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {int(settings.API_QUERY_SECONDS * 1000)}")
            return view(request, *args, **kwargs)

    return wrapper


def _rendered(view: View, answers: Mapping[int, Any]) -> View:
    """The view with what it returns as the JSON of the successful answer."""
    status = next(iter(answers))

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        result = view(request, *args, **kwargs)
        return result if isinstance(result, HttpResponseBase) else shapes.rendered(result, status)

    # The parameters' types are names of the view's own module.
    wrapper.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
    return wrapper


def _documented(answers: Mapping[int, Any]) -> dict[int, Any]:
    """The answers along with the refusals that every operation has."""
    found = {code: None if kind is Count else kind for code, kind in answers.items()}
    return {**found, **{code: Refusal for code in (400, 401, 403, 404) if code not in answers}}
