"""Addresses of the JSON APIs; whatever else lies under their prefixes is a 404 in the envelope."""

from django.urls import include, path, re_path

from mlops.api import api
from mlops.api.errors import enveloped, not_found

operations = [
    path(str(pattern.pattern), enveloped(pattern.callback), name=pattern.name)
    for pattern in api.urls[0]
    # Not the root that django-ninja adds for its documentation, which is off.
    if pattern.name != "api-root"
]
urlpatterns = [
    path("", include((operations, "api"))),
    re_path(r"^v2(?:/.*)?\Z", not_found, name="api.not_found"),
    re_path(r"^runs(?:/.*)?\Z", not_found, name="api.not_found_in_run"),
]
