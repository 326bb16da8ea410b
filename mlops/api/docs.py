"""The documentation of the API: its OpenAPI document, and the page that shows it and tries calls out."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from launchpad.http import member, public, render
from mlops.api import api, openapi
from mlops.api.errors import enveloped


@enveloped
@public("describes the API and holds no data")
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document; its first server is the address it was asked at."""
    return HttpResponse(openapi.text(api, _servers(request)), content_type="application/json")


@member
def show(request: HttpRequest) -> HttpResponse:
    """The documentation page, which is Swagger UI as django-ninja ships it, in our own frame."""
    context = {
        "swagger": {
            "url": reverse("api.document"),
            "layout": "BaseLayout",
            "deepLinking": True,
            "docExpansion": "list",
            "defaultModelsExpandDepth": -1,
            "displayRequestDuration": True,
            "filter": True,
            # Its colours are for a dark ground only.
            "syntaxHighlight": {"activated": False},
            # Credentials are gone with the page.
            "persistAuthorization": False,
            "validatorUrl": None,
        }
    }
    return render(request, "mlops/api/docs.html", context)


def _servers(request: HttpRequest) -> tuple[str, ...]:
    """PUBLIC_URL, after the address that the request came to where that has another name.

    The page may call no other origin than its own. A proxy may hide how clients reach the public name, so
    for that one PUBLIC_URL is believed.
    """
    if request.get_host() == urlsplit(settings.PUBLIC_URL).netloc:
        return (settings.PUBLIC_URL,)
    return (f"{request.scheme}://{request.get_host()}", settings.PUBLIC_URL)
