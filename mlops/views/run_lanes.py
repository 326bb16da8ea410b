"""The timeline: bars of runs and marks of what is due, on lanes for each executable, drawn by the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlops.lifecycle import FINAL

HOURS, HOURS_AHEAD = 24, 6
# One every six hours, the last but one is now.
TICKS = 6
LANES_SHOWN = 12
RUNS_SHOWN = 100
DUE_LISTED = 50
# Runs of one executable that overlap lie below each other, those beyond on the last of these.
_ROWS = 4
_NARROWEST = 0.4
_WHOLE = timedelta(hours=HOURS + HOURS_AHEAD)
# Where the future begins, in percent.
_NOW = 100 * HOURS / (HOURS + HOURS_AHEAD)


@dataclass(frozen=True)
class Bar:
    """One run. x, width: percent of the lane; end: where a mark behind it stands."""

    run: Any
    x: str
    width: str
    end: str


@dataclass(frozen=True)
class Mark:
    """A due time of a schedule. x: percent of the lane; rest: how far further ones go on, "" for none."""

    schedule: Any
    at: datetime
    x: str
    rest: str = ""


@dataclass(frozen=True)
class Lane:
    """One line of the timeline. label: the executable, "" where the one above goes on."""

    label: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The last HOURS hours and the next HOURS_AHEAD.

    runs: those drawn, newest first; due: the DUE_LISTED next marks; hidden: executables left out; ticks:
    moments; now: where the future begins.
    """

    lanes: tuple[Lane, ...]
    runs: tuple[Any, ...]
    due: tuple[Mark, ...]
    hidden: int
    ticks: tuple[datetime, ...]
    grid: tuple[str, ...]
    now: str = f"{_NOW:.2f}%"


def timeline(runs: Sequence[Any], now: datetime, upcoming: Sequence[Any] = ()) -> Timeline:
    """Draw the newest RUNS_SHOWN of the runs that were under way in the last hours, newest first.

    upcoming: schedules with the slug of their executable, times that are due, and whether it goes_on.
    """
    begin = now - timedelta(hours=HOURS)
    shown = [run for run in runs if run.created_at >= begin or run.completed_at is None][:RUNS_SHOWN]
    by_label: dict[str, list[Any]] = {}
    for run in shown:
        by_label.setdefault(run.slug, []).append(run)
    due: dict[str, list[Mark]] = {}
    for one in upcoming:
        due.setdefault(one.slug, []).extend(_marks(one, begin))
    every = list(dict.fromkeys([*by_label, *due]))
    labels = every[:LANES_SHOWN]
    lanes = [
        lane
        for label in labels
        for lane in _lanes(label, by_label.get(label, []), begin, now, tuple(due.get(label, ())))
    ]
    steps = [step / (TICKS - 1) for step in range(TICKS)]
    return Timeline(
        tuple(lanes),
        tuple(run for run in shown if run.slug in labels),
        tuple(sorted((mark for label in labels for mark in due.get(label, ())), key=lambda mark: mark.at))[
            :DUE_LISTED
        ],
        len(every) - len(labels),
        tuple(begin + _WHOLE * step for step in steps),
        tuple(f"{100 * step:.2f}%" for step in steps),
    )


def _marks(schedule: Any, begin: datetime) -> list[Mark]:
    places = [(at - begin) / _WHOLE * 100 for at in schedule.times]
    last = len(places) - 1 if schedule.goes_on else None
    return [
        Mark(schedule, at, f"{x:.2f}%", f"{100 - x:.2f}%" if number == last else "")
        for number, (at, x) in enumerate(zip(schedule.times, places, strict=True))
    ]


def _lanes(
    label: str, runs: Sequence[Any], begin: datetime, now: datetime, marks: tuple[Mark, ...]
) -> list[Lane]:
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
    return [
        Lane("" if number else label, tuple(bars), () if number else marks)
        for number, bars in enumerate(rows or [[]])
    ]


def _span(run: Any, begin: datetime, now: datetime) -> tuple[float, float]:
    """Where a run begins and ends, in percent; one that is under way ends now."""
    start = run.started_at or run.created_at
    end = run.completed_at if run.status in FINAL and run.completed_at else now
    left = min(max((start - begin) / _WHOLE * 100, 0), _NOW - _NARROWEST)
    return left, min(max((end - begin) / _WHOLE * 100, left + _NARROWEST), _NOW)
