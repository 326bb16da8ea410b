"""Files of datasets: raw bytes in and out of the group's object stores."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from launchpad import spools, streams
from launchpad.access import Right
from mlops.api import queries
from mlops.api.answers import created
from mlops.api.documents import DSetFileCreationResponse
from mlops.api.errors import Refusal, answer
from mlops.api.operations import Call, Operations, in_group
from mlops.api.queries import Parameters
from mlops.domain import dataset_files
from mlops.live.artifacts import headers

operation = Operations("Dataset files")
ONE = "/lm/dataset/files/{path:path}"
CHUNK = 1024 * 1024
UPLOAD = Parameters(queries.flag("overwrite", "overwrite", "Take the place of a file that is there."))
BINARY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


def raw(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Take a body of any type, and refuse one that says it is too large before any of it is read."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        size = request.headers.get("Content-Length", "")
        if size.isdecimal() and int(size) > dataset_files.BYTES_LIMIT:
            return answer(request, 413, dataset_files.TOO_LARGE)
        return view(request, *args, **kwargs)

    return wrapper


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK):
        yield chunk


@operation(
    "PUT",
    ONE,
    in_group(Right.CHANGE),
    name="dataset_files.upload",
    answers={201: DSetFileCreationResponse, 409: Refusal, 413: Refusal},
    query=UPLOAD,
    guard=raw,
    openapi_extra={"requestBody": {"required": True, **BINARY}},
)
def upload(request: Call, path: str) -> HttpResponse:
    """Store a file; the body is its bytes."""
    asked = UPLOAD.read(request)
    url = dataset_files.upload(request.auth, path, chunks=_chunks(request), overwrite=asked["overwrite"])
    return created({"message": "File has been stored", "url": url}, f"/lm/dataset/files/{quote(path)}")


@operation(
    "GET",
    ONE,
    in_group(Right.VIEW),
    name="dataset_files.get",
    openapi_extra={"responses": {200: {"description": "OK", **BINARY}}},
)
def get(request: Call, path: str) -> HttpResponseBase:
    """The bytes of a file, as an attachment."""
    content = dataset_files.get(request.auth, path)
    return spools.carried(request, content.chunks, headers={**streams.HEADERS, **headers(path, content)})


@operation("DELETE", ONE, in_group(Right.CHANGE), name="dataset_files.delete", answers={204: None})
def delete(request: Call, path: str) -> HttpResponse:
    """Remove a file that no artifact was registered with."""
    dataset_files.delete(request.auth, path)
    return HttpResponse(status=204)
