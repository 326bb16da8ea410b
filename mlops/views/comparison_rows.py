"""The rows of a comparison: metrics with the best marked, then what was put in and where it ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from launchpad.templatetags.launchpad import duration, size
from mlops.domain import comparisons
from mlops.domain.comparisons import Subject
from mlops.views.figures import KINDS, delta, metric

LONG = 120


@dataclass(frozen=True)
class Cell:
    """What one subject has. css: "best", "changed" or "". delta: how far from the baseline, "" for untold.

    value: the number that the text rounds, in seconds or bytes where it has a unit; None for other texts.
    """

    text: str
    css: str = ""
    delta: str = ""
    url: str = ""
    value: float | None = None

    @property
    def exact(self) -> str | float:
        """What stands in a file."""
        return self.text if self.value is None else self.value


@dataclass(frozen=True)
class Row:
    """One thing compared. differs: whether any two have it otherwise. lower: whether less is better.

    lower None: neither is. is_metric: its direction can be changed.
    """

    name: str
    cells: tuple[Cell, ...]
    differs: bool
    lower: bool | None = None
    is_metric: bool = False


@dataclass(frozen=True)
class Block:
    """Rows under a heading, as far as they are shown. hidden: alike ones; left_out: too many for a page."""

    key: str
    title: str
    rows: tuple[Row, ...]
    hidden: int = 0
    left_out: int = 0


class Directions:
    """Which metrics are better when lower: by their names, or as the reader says."""

    def __init__(self, lower: Iterable[str], higher: Iterable[str]) -> None:
        self._lower, self._higher = set(lower), set(higher)

    def is_lower_better(self, name: str) -> bool:
        """Whether less of it is better."""
        if name in self._lower:
            return True
        return name not in self._higher and comparisons.is_lower_better(name)


def metric_rows(subjects: Sequence[Subject], directions: Directions) -> list[Row]:
    """Every metric any of them reported, by name, then duration and size."""
    titles = sorted({title for one in subjects for title in one.series})
    rows = []
    for title in titles:
        found = [one.series.get(title) for one in subjects]
        values = [series.last if series else None for series in found]
        texts = []
        for one, series in zip(subjects, found, strict=True):
            if series is None:
                texts.append("–")
            elif series.last is None:
                texts.append(", ".join(KINDS[kind] for kind in one.broken.get(title, ())) or "–")
            else:
                more = f" ({series.nan_count:,} not finite)" if series.nan_count else ""
                texts.append(metric(series.last) + more)
        rows.append(_ranked(title, texts, values, directions.is_lower_better(title), is_metric=True))
    seconds = [one.duration.total_seconds() if one.duration else None for one in subjects]
    told = [str(duration(value)) if value is not None else "–" for value in seconds]
    rows.append(_ranked("Duration", told, seconds, lower=True, show=_seconds_apart))
    bytes_ = [one.size_bytes for one in subjects]
    told = [str(size(value)) if value is not None else "–" for value in bytes_]
    rows.append(_ranked("Size of outputs", told, bytes_, lower=None, show=_bytes_apart))
    return rows


def _ranked(
    name: str,
    texts: Sequence[str],
    values: Sequence[float | None],
    lower: bool | None,
    *,
    show: Callable[[float, float], str] = delta,
    is_metric: bool = False,
) -> Row:
    known = [value for value in values if value is not None]
    best = None
    if lower is not None and len(known) > 1 and min(known) != max(known):
        best = min(known) if lower else max(known)
    base = values[0]
    cells = [
        Cell(
            text,
            "best" if best is not None and value == best else "",
            show(value, base) if at and value is not None and base is not None else "",
            value=value,
        )
        for at, (text, value) in enumerate(zip(texts, values, strict=True))
    ]
    return Row(name, tuple(cells), len(set(texts)) > 1, lower, is_metric)


def _seconds_apart(value: float, base: float) -> str:
    apart = value - base
    return "same" if not apart else f"{'+' if apart > 0 else '−'}{duration(abs(apart))}"


def _bytes_apart(value: float, base: float) -> str:
    apart = int(value - base)
    return "same" if not apart else f"{'+' if apart > 0 else '−'}{size(abs(apart))}"


def setting_rows(subjects: Sequence[Subject]) -> list[Row]:
    """Executable, inputs and parameters."""
    names = {name: None for one in subjects for name in one.inputs}
    keys = {key: None for one in subjects for key in one.parameters}
    runs = [one.execution for one in subjects]
    return [
        _plain("Configuration", [run.configuration.name if run else "" for run in runs]),
        _plain(
            "Executable",
            [
                f"{run.executable_version.executable.slug} {run.executable_version.label}" if run else ""
                for run in runs
            ],
        ),
        _plain("Commit", [run.executable_version.commit[:12] if run else "" for run in runs]),
        *(
            _plain(name, [str(one.inputs[name]) if name in one.inputs else "" for one in subjects])
            for name in names
        ),
        *(_plain(key, [one.parameters.get(key, "") for one in subjects]) for key in keys),
    ]


def environment_rows(subjects: Sequence[Subject]) -> list[Row]:
    """How it ended, where and by whom it ran, the tags it set, and the packages that are not the same."""
    runs = [one.execution for one in subjects]
    tags = sorted({name for one in subjects for name in one.tags})
    return [
        _plain("Status", [run.status.capitalize() if run else "" for run in runs]),
        _plain("Attempts", [str(run.attempt) if run else "" for run in runs]),
        _plain("Host", [run.worker.host if run and run.worker else "" for run in runs]),
        _plain("Started by", [run.created_by.username if run and run.created_by else "" for run in runs]),
        *(_plain(name, [one.tags.get(name, "") for one in subjects]) for name in tags),
        *_package_rows(subjects),
    ]


def _package_rows(subjects: Sequence[Subject]) -> list[Row]:
    """Packages that two recorded environments have otherwise; those that all have alike are hundreds."""
    known = [one.packages for one in subjects if one.packages]
    names = sorted({name for own in known for name in own}, key=str.casefold)
    return [
        _plain(name, [one.packages.get(name, "") for one in subjects])
        for name in names
        if len({own.get(name, "") for own in known}) > 1
    ]


def model_rows(subjects: Sequence[Subject]) -> list[Row]:
    """What the models themselves are."""
    found = [one.model for one in subjects]
    return [
        _plain("Files", [f"{one.file_count:,}" if one else "" for one in found]),
        _plain("Signature", [one.signature if one else "" for one in found]),
        _plain("Digest", [one.digest[:12] if one else "" for one in found]),
        _plain("Made by", [one.execution_id or "" if one else "" for one in found]),
    ]


def _plain(name: str, values: Sequence[str]) -> Row:
    cells = tuple(
        Cell(
            "–" if value == "" else value if len(value) <= LONG else f"{value[:LONG]}…",
            "changed" if value != values[0] else "",
        )
        for value in values
    )
    return Row(name, cells, len(set(values)) > 1)


def block(key: str, title: str, rows: Sequence[Row], *, only: bool, limit: int) -> Block:
    """The rows to show of those there are. only: those that differ; limit: how many at most."""
    wanted = [row for row in rows if row.differs] if only else list(rows)
    return Block(key, title, tuple(wanted[:limit]), len(rows) - len(wanted), max(0, len(wanted) - limit))


def verdict(subjects: Sequence[Subject], rows: Sequence[Row]) -> tuple[str, str]:
    """Who is ahead, "" for nobody, and how the sentence that begins with that name goes on.

    Ahead is who has the best value of most metrics that differ; at what cost in time and size against the
    baseline is told too.
    """
    contested = [row for row in rows if row.is_metric and any(cell.css == "best" for cell in row.cells)]
    if not contested:
        has_any = any(row.is_metric for row in rows)
        return "", "No metric tells them apart." if has_any else "None of them reported a metric."
    wins = [sum(row.cells[at].css == "best" for row in contested) for at in range(len(subjects))]
    most = max(wins)
    leaders = [at for at, count in enumerate(wins) if count == most]
    measures = f"{most} of {len(contested)} metric{'s' if len(contested) > 1 else ''}"
    if len(leaders) > 1:
        names = " and ".join(subjects[at].title for at in leaders[:2])
        more = f" and {len(leaders) - 2} more" if len(leaders) > 2 else ""
        return "", f"{names}{more} are each best on {measures}."
    at = leaders[0]
    if at == 0:
        return subjects[0].title, f", the baseline, is ahead on {measures}."
    return subjects[at].title, f" is ahead on {measures}.{_cost(subjects[at], subjects[0])}"


def _cost(leader: Subject, base: Subject) -> str:
    parts = []
    if leader.duration and base.duration and leader.duration != base.duration:
        apart = (leader.duration - base.duration).total_seconds()
        parts.append(f"takes {duration(abs(apart))} {'longer' if apart > 0 else 'less'}")
    if leader.size_bytes is not None and base.size_bytes is not None:
        apart = leader.size_bytes - base.size_bytes
        if apart:
            parts.append(f"leaves {size(abs(int(apart)))} {'more' if apart > 0 else 'less'}")
    return f" It {' and '.join(parts)} than the baseline." if parts else ""
