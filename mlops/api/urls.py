"""Addresses of the JSON APIs."""

from django.urls import URLPattern, include, path

from mlops.api import api, docs
from mlops.api.errors import enveloped

# Two addresses have the same beginning when they are of the same noun.
_SEGMENTS = 3
nouns: dict[str, list[URLPattern]] = {}
for pattern in api.urls[0]:
    # Not the root that django-ninja adds for its documentation, which is off.
    if pattern.name == "api-root":
        continue
    segments = str(pattern.pattern).split("/")
    noun = "/".join(segments[:_SEGMENTS])
    rest = "".join(f"/{segment}" for segment in segments[_SEGMENTS:])
    nouns.setdefault(noun, []).append(path(rest, enveloped(pattern.callback), name=pattern.name))
# One noun is found among few and its operation among few: each request asks, and all in a row take long.
operations = [path(noun, include(patterns)) for noun, patterns in nouns.items()]
urlpatterns = [
    path("v2/docs", docs.show, name="api.docs"),
    path("v2/openapi.json", docs.document, name="api.document"),
    path("", include((operations, "api"))),
]
