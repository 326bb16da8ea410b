"""The log of a deployment: what is new of it, where a search goes on, and all of it as a file."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from launchpad.access import Scope
from launchpad.http import respond, viewer
from launchpad.places import place_url
from launchpad.streams import HEADERS, streamed
from mlops.domain import deployment_watching, deployments, logs, watching
from mlops.domain.log_position import Position
from mlops.live.executions import EVENTS, TEXT, attachment, download_log, log_part, snapshot
from mlops.views.log_panel import OF_DEPLOYMENT, LogHit


@viewer
def stream(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponse:
    """What is new since the place given, as server-sent events; the browser asks again every two seconds."""
    deployment = deployments.get(scope, deployment_id)
    place = Position.parse(request.headers.get("Last-Event-ID") or request.GET.get("after", ""))
    state = deployment_watching.state(scope, deployment)
    body = snapshot(watching.follow(scope, deployment, place), place, state)
    return HttpResponse(body, headers={**HEADERS, **EVENTS})


@streamed(download_log)
@viewer
def log_text(request: HttpRequest, scope: Scope, deployment_id: str) -> StreamingHttpResponse:
    """The log as a text file, or a part of it: `part` in the address, a revision or one of its servers."""
    deployment = deployments.get(scope, deployment_id)
    part = log_part(request.GET.get("part", ""))
    body = logs.text(scope, deployment, **part) if request.method == "GET" else ()
    return StreamingHttpResponse(body, headers={**HEADERS, **TEXT, **attachment(deployment, part)})


@viewer
def seek(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Lead to the next, previous or first line of the log that fits the filters, with what is around it."""
    hit = LogHit(scope, deployments.get(scope, deployment_id), request.GET, words=OF_DEPLOYMENT)
    page = place_url(scope, "mlops:deployments.detail", deployment_id)
    return respond(request, f"{page}{hit.address}", toast=hit.notice)
