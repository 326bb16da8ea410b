"""Boards: charts of some executions or models under a name, one's own or shared in the group."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import comparisons
from mlops.domain.limits import Check, storable
from mlops.models import Board

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KINDS = ("curves", "bars", "scatter", "heatmap", "parallel")
SMOOTHING = (0.0, 0.5, 0.8, 0.95)
CHARTS_LIMIT = 20
DIRECTIONS = ("lower", "higher")
DIRECTIONS_LIMIT = 200
BOARDS_LIMIT = 200
_SUBJECT_LIMIT = 300


@dataclass(frozen=True)
class Chart:
    """What a chart shows. kind: one of KINDS.

    metric: title of a series, "" for the first one; against: of a scatter, `parameter:<name>` or
    `metric:<title>`; x: "step" or "time"; smooth: one of SMOOTHING; scale: "linear" or "log".
    """

    kind: str = "curves"
    metric: str = ""
    against: str = ""
    x: str = "step"
    smooth: float = 0.0
    scale: str = "linear"

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Chart:
        """A chart from what an address or a row says; what is not allowed becomes what is usual."""
        kind, x, scale = (str(told.get(key, "")) for key in ("kind", "x", "scale"))
        return cls(
            kind=kind if kind in KINDS else "curves",
            metric=_short(told.get("metric", "")),
            against=_short(told.get("against", "")),
            x="time" if x == "time" else "step",
            smooth=_smoothing(told.get("smooth", 0)),
            scale="log" if scale == "log" else "linear",
        )


def _short(value: object) -> str:
    text = str(value)
    return text[:_SUBJECT_LIMIT] if storable(text) else ""


def _smoothing(value: Any) -> float:
    try:
        wanted = float(value)
    except (TypeError, ValueError):
        return 0.0
    return wanted if math.isfinite(wanted) and wanted in SMOOTHING else 0.0


def search(scope: Scope) -> QuerySet[Board]:
    """Boards that the holder may see: those shared in the group and one's own, newest first."""
    return scope.of(Board).filter(_visible(scope)).select_related("author").order_by("-created_at", "-id")


def get(scope: Scope, board_id: str | uuid.UUID) -> Board:
    """One board; raises NotFound, also for somebody else's that is not shared."""
    board: Board = scope.one(search(scope), pk=board_id)
    return board


def may_change(scope: Scope, board: Board) -> bool:
    """Whether the holder may change it: anyone their own, editors those that are shared."""
    if board.is_shared:
        return scope.may_change
    return scope.user is not None and board.author_id == scope.user.pk


@command(right=Right.PARTICIPATE)
def create(
    scope: Scope,
    *,
    kind: str,
    name: str,
    items: Sequence[str],
    charts: Sequence[Chart] = (),
    directions: Mapping[str, str] | None = None,
) -> Board:
    """Keep a board of one's own. items: keys of 2 to 50 executions or models of this group.

    directions: metric to "lower" or "higher", where which is better is not what its name says; 200 are kept.
    Raises Forbidden, Invalid; Conflict beyond 200 boards of one's own.
    """
    author = _author(scope)
    check = Check()
    kept = check.name(name)
    if kind not in Board.Kind.values:
        check.refuse("kind", f"A board is of: {', '.join(Board.Kind.values)}.")
    found = _items(scope, kind, items)
    if len(found) < 2:
        check.refuse("items", "A board compares at least two of them; choose some that exist.")
    check.done()
    if scope.of(Board).filter(author=author).count() >= BOARDS_LIMIT:
        raise Conflict(f"You have {BOARDS_LIMIT} boards in this resource group. Delete one first.")
    return scope.of(Board).create(
        resource_group=scope.group,
        kind=kind,
        name=kept,
        items=found,
        charts=[asdict(one) for one in charts[:CHARTS_LIMIT]] or [asdict(Chart())],
        directions=_directions(directions or {}),
        author=author,
    )


@command(right=Right.PARTICIPATE)
def rename(scope: Scope, board_id: str, *, name: str, version: int) -> Board:
    """Give it another name. version: the one shown. Raises NotFound, Forbidden, Invalid, Conflict."""
    check = Check()
    kept = check.name(name)
    check.done()
    return _change(scope, board_id, version, name=kept)


@command(right=Right.PARTICIPATE)
def arrange(
    scope: Scope,
    board_id: str,
    *,
    charts: Sequence[Chart],
    version: int,
    directions: Mapping[str, str] | None = None,
) -> Board:
    """Replace its charts: others, fewer, or the same in another order; at most 20.

    version: the one that was shown. directions: as of `create`; metrics not among them keep theirs.
    Raises NotFound, Forbidden, Invalid, Conflict.
    """
    if len(charts) > CHARTS_LIMIT:
        raise Invalid(f"A board holds at most {CHARTS_LIMIT} charts. Remove one first.")
    values: dict[str, Any] = {"charts": [asdict(one) for one in charts]}
    if directions:
        # What is said now comes first: it is the older ones that are too many.
        known = _directions(get(scope, board_id).directions)
        values["directions"] = _directions({**directions, **known, **directions})
    return _change(scope, board_id, version, **values)


@command()
def share(scope: Scope, board_id: str, *, version: int, shared: bool = True) -> Board:
    """Let everyone in the group see it, or only its author again. Editors share; as `rename` otherwise."""
    board = get(scope, board_id)
    if not shared and (scope.user is None or board.author_id != scope.user.pk):
        raise Forbidden("Only its author takes a board back. Copy it, or delete it.")
    return _change(scope, board_id, version, is_shared=shared)


@command(right=Right.PARTICIPATE)
def delete(scope: Scope, board_id: str, *, version: int) -> Board:
    """Forget it; what it compares stays. Raises NotFound, Forbidden, Conflict."""
    board = _changeable(scope, board_id)
    key = board.pk
    if not scope.of(Board).filter(pk=key, version=version).delete()[0]:
        raise Conflict(_TOLD)
    board.pk = key
    return board


def charts(board: Board) -> list[Chart]:
    """Its charts in order."""
    return [Chart.read(one) for one in board.charts]


def directions(board: Board) -> dict[str, str]:
    """Metric to "lower" or "higher", which is better, where somebody said so."""
    return _directions(board.directions)


_TOLD = (
    "Somebody changed this board meanwhile. Nothing of yours was saved; look at it as it is now, then repeat."
)


def _directions(told: Any) -> dict[str, str]:
    """What may be kept of them; a row may say anything."""
    pairs = told.items() if isinstance(told, Mapping) else ()
    found = {
        name: value
        for name, value in pairs
        if value in DIRECTIONS and 0 < len(name) <= _SUBJECT_LIMIT and storable(name)
    }
    return dict(list(found.items())[:DIRECTIONS_LIMIT])


def _visible(scope: Scope) -> Q:
    own = Q(author=scope.user) if scope.user is not None else Q(pk=None)
    return Q(is_shared=True) | own


def _changeable(scope: Scope, board_id: str) -> Board:
    board = get(scope, board_id)
    if not may_change(scope, board):
        scope.require(Right.CHANGE)
        raise NotFound(NOTHING_HERE)
    return board


def _change(scope: Scope, board_id: str, version: int, **values: Any) -> Board:
    board = _changeable(scope, board_id)
    rows = scope.of(Board).filter(pk=board.pk, version=version)
    if not rows.update(version=version + 1, modified_at=timezone.now(), **values):
        raise Conflict(_TOLD)
    board.refresh_from_db()
    return board


def _items(scope: Scope, kind: str, items: Sequence[str]) -> list[str]:
    read = comparisons.models if kind == Board.Kind.MODELS else comparisons.executions
    return [one.key for one in read(scope, items).subjects]


def _author(scope: Scope) -> User:
    if scope.user is None:
        raise Forbidden("Boards belong to people; sign in to keep one.")
    return scope.user
