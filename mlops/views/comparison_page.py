"""What a comparison shows: its subjects, what differs, and one chart; all of it is in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import boards, comparison_matrices, comparisons
from mlops.domain.comparisons import Subject
from mlops.domain.metrics import Matrix
from mlops.views import comparison_rows
from mlops.views.comparison_charts import TITLES, UNSAFE, Charts, Drawn
from mlops.views.comparison_rows import Block, Directions, Row
from mlops.views.execution_charts import CONTENT_SECURITY

CELLS, FEWEST_ROWS, WIDE = 2_000, 20, 6
SETTINGS = {key: dict(CONTENT_SECURITY) for key in TITLES} | {"parallel": {**CONTENT_SECURITY, **UNSAFE}}


@dataclass(frozen=True)
class Column:
    """A subject as a column. number: its colour; hide, base: addresses without it and with it first."""

    subject: Subject
    number: int
    hide: str
    base: str


class ComparisonPage:
    """A comparison of `executions` or `models` for one address.

    query: `id` is repeated, the first one the baseline (`execution` and `artifact` are read as well, which
    is what lists send); `hide` names those that are left out for now; `all` shows what is alike too; `lower`
    and `higher` are metrics whose direction is not what their names say; the rest is the chart's.
    """

    def __init__(self, scope: Scope, kind: str, query: QueryDict) -> None:
        self._scope = scope
        self.kind = kind
        self._query = query.copy()
        keys = [one for name in ("id", "execution", "artifact") for one in query.getlist(name)]
        for name in ("execution", "artifact", "csrfmiddlewaretoken"):
            self._query.pop(name, None)
        read = comparisons.models if kind == "models" else comparisons.executions
        self.comparison = read(scope, keys)
        self._everything = distinct(self.comparison.subjects)
        self._query.setlist("id", [one.key for one in self._everything])
        hidden = set(query.getlist("hide"))
        self.hidden = [one for one in self._everything if one.key in hidden]
        self.subjects = [one for one in self._everything if one.key not in hidden]
        self.only = not query.get("all")
        self.directions = Directions(query.getlist("lower"), query.getlist("higher"))
        self.chart = boards.Chart.read({**query.dict(), "kind": query.get("chart", "")})
        self.content_security = SETTINGS[self.chart.kind]

    @property
    def noun(self) -> str:
        """What is compared, in the plural."""
        return self.kind

    @property
    def is_enough(self) -> bool:
        """Whether there are at least two to compare."""
        return len(self.subjects) > 1

    @property
    def is_wide(self) -> bool:
        """Whether there are more columns than a page is wide."""
        return len(self.subjects) > WIDE

    def address(self, **changes: str | list[str] | None) -> str:
        """The query of this page with some values changed; None takes one out."""
        changed = self._query.copy()
        for name, value in changes.items():
            if value is None:
                changed.pop(name, None)
            else:
                changed.setlist(name, value if isinstance(value, list) else [value])
        return f"?{changed.urlencode()}"

    @property
    def here(self) -> str:
        """The query of this very page."""
        return self.address()

    @property
    def toggle(self) -> str:
        """The query that shows only differences, or everything when it does."""
        return self.address(all="1" if self.only else None)

    @cached_property
    def columns(self) -> list[Column]:
        """The subjects that are shown."""
        keys, hidden = [one.key for one in self._everything], [one.key for one in self.hidden]
        return [
            Column(
                one,
                at,
                self.address(hide=[*hidden, one.key]),
                self.address(id=[one.key, *(key for key in keys if key != one.key)]),
            )
            for at, one in enumerate(self.subjects, start=1)
        ]

    @property
    def back(self) -> list[tuple[Subject, str]]:
        """Those that are hidden, with the query that shows each again."""
        keys = [one.key for one in self.hidden]
        return [
            (one, self.address(hide=[key for key in keys if key != one.key] or None)) for one in self.hidden
        ]

    @cached_property
    def _metrics(self) -> list[Row]:
        return comparison_rows.metric_rows(self.subjects, self.directions)

    @cached_property
    def verdict(self) -> tuple[str, str]:
        """Who is ahead and how the sentence goes on."""
        return comparison_rows.verdict(self.subjects, self._metrics)

    @cached_property
    def tables(self) -> list[tuple[str, str, list[Row]]]:
        """Key, title and all rows of each part; none where nothing is compared."""
        if not self.subjects:
            return []
        found = [
            ("metrics", "Metrics", self._metrics),
            ("settings", "Parameters and inputs", comparison_rows.setting_rows(self.subjects)),
            ("environment", "Environment", comparison_rows.environment_rows(self.subjects)),
        ]
        if self.kind == "models":
            found.insert(1, ("model", "Models", comparison_rows.model_rows(self.subjects)))
        return found

    @property
    def blocks(self) -> list[Block]:
        """The parts as far as they are shown; with more columns fewer rows."""
        limit = max(FEWEST_ROWS, CELLS // max(len(self.subjects), 1))
        return [
            comparison_rows.block(key, title, rows, only=self.only, limit=limit)
            for key, title, rows in self.tables
        ]

    @cached_property
    def turns(self) -> dict[str, str]:
        """Metric to the query under which the other direction is better."""
        lower, higher = (set(self._query.getlist(name)) for name in ("lower", "higher"))
        found = {}
        for row in self._metrics:
            if row.is_metric:
                name, to = row.name, "higher" if row.lower else "lower"
                sets = {"lower": lower - {name}, "higher": higher - {name}}
                sets[to] = sets[to] | {name}
                found[name] = self.address(**{key: sorted(names) or None for key, names in sets.items()})
        return found

    @property
    def turned(self) -> list[tuple[str, str]]:
        """What a board keeps: "lower" or "higher" with each metric that the reader said it of."""
        known = [row.name for row in self._metrics if row.is_metric]
        told = {way: set(self._query.getlist(way)) for way in boards.DIRECTIONS}
        return [(way, name) for way, names in told.items() for name in known if name in names]

    @cached_property
    def charts(self) -> Charts:
        """What draws."""
        return Charts(self._scope, self.subjects, self.directions)

    @cached_property
    def drawn(self) -> Drawn:
        """The chart that is asked for."""
        return self.charts.draw(self.chart, "compare")

    @cached_property
    def matrices(self) -> comparison_matrices.Matrices:
        """Confusion matrices of the executions shown; one query."""
        keys = [one.key for one in self.subjects] if self.kind == "executions" else []
        return comparison_matrices.read(self._scope, keys)

    @property
    def matrix_blocks(self) -> list[tuple[str, list[tuple[Column, Matrix]]]]:
        """Name to the columns that have a matrix under it."""
        columns = {one.subject.key: one for one in self.columns}
        return [
            (name, [(columns[key], matrix) for key, matrix in of]) for name, of in self.matrices.named.items()
        ]

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        """Kinds of charts: title, query, and whether it is the one shown."""
        return [(title, self.address(chart=kind), kind == self.chart.kind) for kind, title in TITLES.items()]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the chart's form sends along: all but its own fields."""
        own = {"metric", "against", "x", "smooth", "scale"}
        return [(name, value) for name, values in self._query.lists() if name not in own for value in values]

    @property
    def everything_kept(self) -> list[tuple[str, str]]:
        """The whole address as fields of a form that adds to it."""
        return [(name, value) for name, values in self._query.lists() for value in values]

    @property
    def smoothing(self) -> list[tuple[float, str]]:
        """Weights of smoothing with their words."""
        words = ("none", "a little", "much", "very much")
        return list(zip(boards.SMOOTHING, words, strict=True))

    @property
    def against(self) -> list[tuple[str, str]]:
        """What a scatter can be drawn against: value and title."""
        parameters = [(f"parameter:{name}", name) for name in self.charts.parameters]
        return parameters + [(f"metric:{name}", name) for name in self.charts.metrics]

    @cached_property
    def own_boards(self) -> list[Any]:
        """Boards of this kind that the chart can be added to."""
        found = boards.search(self._scope).filter(kind=self.kind)[:100]
        return [one for one in found if boards.may_change(self._scope, one)]

    @property
    def lines(self) -> list[list[str | float]]:
        """Everything as lines of a file: part, name, then what each has, in seconds and bytes."""
        return [["", "ID", *(one.key for one in self.subjects)]] + [
            [title, row.name, *(cell.exact for cell in row.cells)]
            for _, title, rows in self.tables
            for row in rows
            if row.differs or not self.only
        ]

    @property
    def heads(self) -> dict[str, Callable[[list[str | float]], str | float]]:
        """Headings of these lines with how each column is read."""
        names = ["Part", "Name", *(one.title for one in self.subjects)]
        return {name: itemgetter(at) for at, name in enumerate(names)}

    @cached_property
    def recent(self) -> list[Any]:
        """What could be added: the newest that are not compared yet."""
        found = comparisons.recent(self._scope, self.kind)
        shown = {one.key for one in self._everything}
        return [one for one in found if str(one.pk) not in shown]


def distinct(subjects: list[Subject]) -> list[Subject]:
    """The same with titles that tell them apart."""
    titles = [one.title for one in subjects]
    for one in subjects:
        if titles.count(one.title) > 1:
            one.title = f"{one.title} ({one.key[:8]})"
    seen: set[str] = set()
    for one in subjects:
        if one.title in seen:
            one.title = f"{one.title} {one.key}"
        seen.add(one.title)
    return subjects
