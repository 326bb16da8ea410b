"""The least that Django and its API library need for an answer from the database, as the floor under ours.

One operation without sign-in, rights or middleware: an execution's row by its key, with one query.
"""

from __future__ import annotations

import os
from typing import Any

import dj_database_url
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="nothing is signed here",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=60)},
    USE_TZ=True,
)
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI  # noqa: E402

api = NinjaAPI(docs_url=None, openapi_url=None)
COLUMNS = ("id", "status", "created_at", "modified_at")


@api.get("/executions/{execution_id}")
def get(request: HttpRequest, execution_id: str) -> dict[str, Any]:
    """A few columns of one row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, status, created_at, modified_at FROM mlops_execution WHERE id = %s", [execution_id]
        )
        return dict(zip(COLUMNS, cursor.fetchone(), strict=True))


urlpatterns = [path("", api.urls)]
application = WSGIMiddleware(get_wsgi_application(), workers=16)
