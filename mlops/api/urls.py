"""Addresses of the JSON APIs."""

from django.urls import include, path

from mlops.api import api, docs
from mlops.api.errors import enveloped

operations = [
    path(str(pattern.pattern), enveloped(pattern.callback), name=pattern.name)
    for pattern in api.urls[0]
    # Not the root that django-ninja adds for its documentation, which is off.
    if pattern.name != "api-root"
]
urlpatterns = [
    path("v2/docs", docs.show, name="api.docs"),
    path("v2/openapi.json", docs.document, name="api.document"),
    path("", include((operations, "api"))),
]
