"""What the pages of boards show: the list, and one board with its charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops import paging
from mlops.domain import boards, comparisons
from mlops.domain.boards import Chart
from mlops.views.comparison_charts import POINTS, TITLES, Charts, Drawn
from mlops.views.comparison_page import SETTINGS, distinct
from mlops.views.comparison_rows import Directions

FEWEST_POINTS = 800


class BoardList:
    """Boards that the person may see, for one address."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self.page = paging.page(boards.search(scope), query)

    @property
    def rows(self) -> list[tuple[Any, bool]]:
        """Each board with whether the person may change it."""
        return [(one, boards.may_change(self._scope, one)) for one in self.page.rows]


@dataclass(frozen=True)
class Place:
    """One chart on a board. number: from 0, as its buttons name it."""

    number: int
    drawn: Drawn
    is_first: bool
    is_last: bool
    is_edited: bool


class BoardPage:
    """One board. Raises NotFound for one that the person may not see.

    query: `only` is the number of the chart to show alone, `edit` of the one whose settings are open.
    """

    def __init__(self, scope: Scope, board_id: Any, query: QueryDict) -> None:
        self._scope = scope
        self.board = boards.get(scope, board_id)
        self.may_change = boards.may_change(scope, self.board)
        self.may_share = scope.may_change and not self.board.is_shared
        self.may_unshare = (
            self.may_change and self.board.is_shared and self.board.author_id == getattr(scope.user, "pk", 0)
        )
        self.wanted = boards.charts(self.board)
        self.only = _number(query.get("only", ""), len(self.wanted))
        self.edit = _number(query.get("edit", ""), len(self.wanted)) if self.may_change else None
        shown = self.wanted if self.only is None else [self.wanted[self.only]]
        kinds = {one.kind for one in shown}
        self.content_security: Mapping[str, Any] = SETTINGS["parallel" if "parallel" in kinds else "curves"]

    @cached_property
    def comparison(self) -> comparisons.Comparison:
        """What the board compares, as far as it still exists."""
        read = comparisons.models if self.board.kind == "models" else comparisons.executions
        found = read(self._scope, self.board.items)
        distinct(found.subjects)
        return found

    @cached_property
    def charts(self) -> Charts:
        """What draws; with more charts each has fewer points."""
        count = 1 if self.only is not None else max(len(self.wanted), 1)
        points = max(FEWEST_POINTS, POINTS // count)
        directions = Directions(self._names("lower"), self._names("higher"))
        return Charts(self._scope, self.comparison.subjects, directions, points=points)

    def _names(self, way: str) -> list[str]:
        """Metrics that somebody said are better in this direction."""
        return [name for name, told in boards.directions(self.board).items() if told == way]

    @cached_property
    def places(self) -> list[Place]:
        """The charts that are shown, in order."""
        last = len(self.wanted) - 1
        return [
            Place(
                number,
                self.charts.draw(chart, f"board-{number}"),
                number == 0,
                number == last,
                number == self.edit,
            )
            for number, chart in enumerate(self.wanted)
            if self.only is None or number == self.only
        ]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Kinds of charts with their titles."""
        return list(TITLES.items())

    @property
    def compare_query(self) -> str:
        """The part of the address that compares the same things, in the same directions."""
        ways = [(way, name) for name, way in boards.directions(self.board).items()]
        return "?" + urlencode([("id", key) for key in self.board.items] + ways)


def rearranged(charts: list[Chart], action: str, told: Mapping[str, Any]) -> list[Chart]:
    """The charts after one button: `add`, `change:<n>`, `up:<n>`, `down:<n>` or `remove:<n>`.

    told: what a new or changed chart shows. Raises Invalid for another button or a number that is none.
    """
    verb, _, text = action.partition(":")
    found = list(charts)
    if verb == "add":
        return [*found, Chart.read(told)]
    at = _number(text, len(found))
    if at is None or verb not in ("change", "up", "down", "remove"):
        raise Invalid("This board has no such chart. Look at it as it is now, then repeat.")
    chart = found.pop(at)
    if verb != "remove":
        to = {"up": max(at - 1, 0), "down": at + 1}.get(verb, at)
        found.insert(to, Chart.read(told) if verb == "change" else chart)
    return found


def _number(text: str, count: int) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        return None
    return int(text) if int(text) < count else None
