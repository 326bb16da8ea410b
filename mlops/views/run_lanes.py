"""The timeline of runs: bars on lanes, one lane or some for each executable, drawn by the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlops.lifecycle import FINAL

HOURS = 24
TICKS = 7
LANES_SHOWN = 12
RUNS_SHOWN = 100
# Runs of one executable that overlap lie below each other, those beyond on the last of these.
_ROWS = 4
_NARROWEST = 0.4


@dataclass(frozen=True)
class Bar:
    """One run. x, width: percent of the lane; end: where a mark behind it stands."""

    run: Any
    x: str
    width: str
    end: str


@dataclass(frozen=True)
class Lane:
    """One line of the timeline. label: the executable, "" where the one above goes on."""

    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """The last HOURS hours. runs: those drawn, newest first; hidden: executables left out; ticks: moments."""

    lanes: tuple[Lane, ...]
    runs: tuple[Any, ...]
    hidden: int
    ticks: tuple[datetime, ...]
    grid: tuple[str, ...]


def timeline(runs: Sequence[Any], now: datetime) -> Timeline:
    """Draw the newest RUNS_SHOWN of the runs that were under way in the last hours, newest first."""
    begin = now - timedelta(hours=HOURS)
    shown = [run for run in runs if run.created_at >= begin or run.completed_at is None][:RUNS_SHOWN]
    by_label: dict[str, list[Any]] = {}
    for run in shown:
        by_label.setdefault(run.slug, []).append(run)
    labels = list(by_label)[:LANES_SHOWN]
    lanes = [lane for label in labels for lane in _lanes(label, by_label[label], begin, now)]
    steps = [step / (TICKS - 1) for step in range(TICKS)]
    return Timeline(
        tuple(lanes),
        tuple(run for run in shown if run.slug in labels),
        len(by_label) - len(labels),
        tuple(begin + timedelta(hours=HOURS) * step for step in steps),
        tuple(f"{100 * step:.2f}%" for step in steps),
    )


def _lanes(label: str, runs: Sequence[Any], begin: datetime, now: datetime) -> list[Lane]:
    rows: list[list[Bar]] = []
    ends: list[float] = []
    for run in reversed(runs):
        left, right = _span(run, begin, now)
        at = next((row for row, end in enumerate(ends) if end <= left), None)
        if at is None and len(rows) < _ROWS:
            rows.append([])
            ends.append(0)
            at = len(rows) - 1
        elif at is None:
            at = len(rows) - 1
        rows[at].append(Bar(run, f"{left:.2f}%", f"{right - left:.2f}%", f"{right + 0.4:.2f}%"))
        ends[at] = max(ends[at], right)
    return [Lane("" if number else label, tuple(bars)) for number, bars in enumerate(rows)]


def _span(run: Any, begin: datetime, now: datetime) -> tuple[float, float]:
    """Where a run begins and ends, in percent; one that is under way ends now."""
    start = run.started_at or run.created_at
    end = run.completed_at if run.status in FINAL and run.completed_at else now
    whole = timedelta(hours=HOURS)
    left = min(max((start - begin) / whole * 100, 0), 100 - _NARROWEST)
    return left, min(max((end - begin) / whole * 100, left + _NARROWEST), 100)
