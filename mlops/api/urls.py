"""Addresses of the JSON APIs."""

from django.urls import include, path

from mlops.api import api
from mlops.api.errors import enveloped

operations = [
    path(str(pattern.pattern), enveloped(pattern.callback), name=pattern.name)
    for pattern in api.urls[0]
    # Not the root that django-ninja adds for its documentation, which is off.
    if pattern.name != "api-root"
]
urlpatterns = [path("", include((operations, "api")))]
