"""What lasts: live executions and downloads. GETs are sent natively, see `launchpad.streams`."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from launchpad.access import Scope
from launchpad.http import viewer
from launchpad.streams import HEADERS, streamed
from mlops.domain import artifact_files, artifacts, executions, logs, previews, watching
from mlops.domain.log_position import Position
from mlops.live.artifacts import download_file, headers, picture_headers, show_picture
from mlops.live.executions import EVENTS, TEXT, attachment, download_log, log_part, snapshot, stream_execution


@streamed(stream_execution)
@viewer
def stream(request: HttpRequest, scope: Scope, execution_id: str) -> HttpResponse:
    """Without native streams: what is new since the place given; the browser asks again by itself."""
    execution = executions.get(scope, execution_id)
    place = Position.parse(request.headers.get("Last-Event-ID") or request.GET.get("after", ""))
    state = watching.state(scope, execution)
    body = snapshot(watching.follow(scope, execution, place), place, state)
    return HttpResponse(body, headers={**HEADERS, **EVENTS})


@streamed(download_log)
@viewer
def log_text(request: HttpRequest, scope: Scope, execution_id: str) -> StreamingHttpResponse:
    """The log as a text file, or that of one step: `part` in the address, as "<attempt>.<step index>"."""
    execution = executions.get(scope, execution_id)
    part = log_part(request.GET.get("part", ""))
    body = logs.text(scope, execution, **part) if request.method == "GET" else ()
    return StreamingHttpResponse(body, headers={**HEADERS, **TEXT, **attachment(execution, part)})


@streamed(download_file)
@viewer
def download(request: HttpRequest, scope: Scope, artifact_id: str, path: str) -> StreamingHttpResponse:
    """One file of an artifact."""
    content = artifact_files.content(scope, artifacts.get(scope, artifact_id), path=path)
    body = content.chunks if request.method == "GET" else ()
    return StreamingHttpResponse(body, headers={**HEADERS, **headers(path, content)})


@streamed(show_picture)
@viewer
def picture(request: HttpRequest, scope: Scope, artifact_id: str, path: str) -> StreamingHttpResponse:
    """One picture of an artifact, to be shown; nothing else is."""
    kind, content = previews.picture(scope, artifacts.get(scope, artifact_id), path)
    body = content.chunks if request.method == "GET" else ()
    return StreamingHttpResponse(body, headers={**HEADERS, **picture_headers(kind, content)})
