"""Boards of charts: the list, one of them, and what people do with theirs."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, participant, render, respond, viewer
from mlops.domain import boards
from mlops.views.board_page import BoardList, BoardPage, rearranged

INDEX, DETAIL = "mlops:boards.index", "mlops:boards.detail"


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """One's own boards and those shared in the group, newest first."""
    listing = BoardList(scope, request.GET)
    context = {"listing": listing}
    return render(request, "mlops/boards/index.html", context, fragments=("board-table",))


@viewer
def detail(request: HttpRequest, scope: Scope, board_id: Any) -> HttpResponseBase:
    """One board with its charts."""
    page = BoardPage(scope, board_id, request.GET)
    request.content_security = page.content_security
    return render(request, "mlops/boards/detail.html", {"page": page})


@participant
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Keep what is compared, with the chart shown, under a name."""
    if "name" not in request.POST:
        return respond(request, INDEX)
    made = boards.create(
        scope,
        kind=request.POST.get("of", ""),
        name=request.POST["name"],
        items=request.POST.getlist("id"),
        charts=[_chart(request)],
        directions=_directions(request),
    )
    return respond(request, DETAIL, board_id=made.pk, toast=f"Board {made.name} was saved.")


@participant
def rename(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Give a board another name."""
    if not (board := request.POST.get("board", "")):
        return respond(request, INDEX)
    made = boards.rename(scope, board, name=request.POST.get("name", ""), version=_version(request))
    return respond(request, DETAIL, board_id=made.pk, toast=f"The board is called {made.name} now.")


@participant
def arrange(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Add, change, move or remove one chart."""
    board, _, shown = request.POST.get("board", "").partition(" ")
    if not board:
        return respond(request, INDEX)
    charts = boards.charts(boards.get(scope, board))
    wanted = rearranged(charts, request.POST.get("action", ""), _told(request))
    made = boards.arrange(
        scope, board, charts=wanted, version=_version(request, shown), directions=_directions(request)
    )
    return respond(request, DETAIL, board_id=made.pk, toast="The board was changed.")


@action
def share(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Let everyone in the group see a board, or take one's own back."""
    if not (board := request.POST.get("board", "")):
        return respond(request, INDEX)
    shared = request.POST.get("shared") == "1"
    made = boards.share(scope, board, version=_version(request), shared=shared)
    said = "Everyone in the resource group sees it now." if shared else "Only you see it now."
    return respond(request, DETAIL, board_id=made.pk, toast=said)


@participant
def delete(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Forget a board; what it compares stays."""
    if not (board := request.POST.get("board", "")):
        return respond(request, INDEX)
    gone = boards.delete(scope, board, version=_version(request))
    return respond(request, INDEX, toast=f"Board {gone.name} was deleted.")


def _version(request: HttpRequest, shown: str = "") -> int:
    """The version that the form was made from; 0, which no board has, for none."""
    text = shown or request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _told(request: HttpRequest) -> dict[str, str]:
    return {key: str(value) for key, value in request.POST.items()}


def _directions(request: HttpRequest) -> dict[str, str]:
    return {name: way for way in reversed(boards.DIRECTIONS) for name in request.POST.getlist(way)}


def _chart(request: HttpRequest) -> boards.Chart:
    return boards.Chart.read(_told(request))
