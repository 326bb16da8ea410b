"""Addresses of the JSON APIs; whatever else lies under their prefixes is a 404 in the envelope."""

from django.urls import re_path

from mlops.api import api
from mlops.api.errors import not_found

operations, *_names = api.urls
urlpatterns = [
    # Not the root that django-ninja adds for its documentation, which is off.
    *(pattern for pattern in operations if pattern.name != "api-root"),
    re_path(r"^v2(?:/.*)?\Z", not_found, name="api.not_found"),
    re_path(r"^runs(?:/.*)?\Z", not_found, name="api.not_found_in_run"),
]
