"""When a schedule is due and what it does about trouble, as forms ask for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from launchpad import zones
from launchpad.forms import attempt
from mlops.domain import schedules, timings
from mlops.domain.policies import Policies
from mlops.domain.timings import Run, Shift, Timing
from mlops.views import schedule_words
from mlops.views.schedule_preview import Upcoming, told
from mlops.views.schedule_words import CATCH_UPS, DAYS, EVERY, MONTH_DAYS, OVERLAPS, UNITS

ONCE, RECURRING = "once", "recurring"
EMPTY = {
    **{"rule": RECURRING, "cron": "", "zone": "", "once_at": "", "start": "", "end": ""},
    **{"every": "day", "at": "06:00", "weekday": "MON", "day": "1"},
    **{"overlap": "skip", "catch_up": "last", "catch_up_limit": "10"},
    **{"retries": "0", "retry_pause": "5", "retry_unit": "m"},
    **{"time_limit": "", "limit_unit": "h", "pause_after": ""},
}
MOMENTS = ("once_at", "start", "end")
_LONGEST = 300
_NUMBER = re.compile(r"[0-9]{1,6}\Z", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?\Z", re.ASCII)


class ScheduleForm:
    """What was typed, read as far as it can be.

    given: text under the names of EMPTY; what is missing has its default. kept: what a schedule has under the
    same fields as `of` writes them; what was not touched keeps its moment to the second. errors: a sentence
    by field, of reading and later of the domain.
    """

    def __init__(
        self, given: Mapping[str, Any], kept: tuple[Mapping[str, str], Timing] | None = None
    ) -> None:
        self.values = {name: str(given.get(name, value))[:_LONGEST].strip() for name, value in EMPTY.items()}
        self.values["zone"] = self.values["zone"] or timezone.get_current_timezone_name()
        self.errors: dict[str, str] = {}
        self._typed: dict[str, Run] = {}
        self.is_once = self.values["rule"] == ONCE
        self.timing = self._timing()
        self.policies = self._policies()
        if kept is not None:
            self._keep(*kept)

    def _timing(self) -> Timing:
        zone = self.values["zone"]
        # What cannot be read in the zone that was meant is read in UTC; the domain refuses the zone.
        clock = _clock(zone)
        if self.is_once:
            at = self._moment("once_at", clock)
            if at is None:
                self.errors.setdefault("once_at", "Choose a date and a time.")
            return Timing(once_at=at, zone=zone)
        start, end = self._moment("start", clock), self._moment("end", clock)
        return Timing(self.values["cron"], None, zone, start, end)

    def _moment(self, field: str, clock: ZoneInfo) -> datetime | None:
        if not self.values[field]:
            return None
        try:
            wall = datetime.fromisoformat(self.values[field])
            if wall.tzinfo is None:
                self._typed[field] = timings.read(wall, clock)
                return self._typed[field].at
        except (ValueError, OverflowError):
            pass
        self.errors[field] = "Write a date and a time without a zone, such as 2027-01-31 06:00."
        return None

    def _policies(self) -> Policies:
        values = self.values
        return Policies(
            overlap=values["overlap"],
            catch_up=values["catch_up"],
            catch_up_limit=self._number("catch_up_limit", 10) or 0,
            retries=self._number("retries", 0) or 0,
            retry_pause=self._span("retry_pause", "retry_unit") or timedelta(),
            time_limit=self._span("time_limit", "limit_unit"),
            pause_after=self._number("pause_after", None),
        )

    def _number(self, field: str, default: int | None) -> int | None:
        text = self.values[field]
        if text and not _NUMBER.match(text):
            self.errors[field] = "Write a whole number, or leave it empty."
            return default
        return int(text) if text else default

    def _span(self, field: str, unit: str) -> timedelta | None:
        if self.values[unit] not in _SECONDS:
            self.values[unit] = "m"
        number = self._number(field, None)
        return None if number is None else timedelta(seconds=number * _SECONDS[self.values[unit]])

    def _keep(self, shown: Mapping[str, str], timing: Timing) -> None:
        """What a form cannot show, such as the second of two equal times, stays while it is not changed."""
        if self.values["zone"] == timing.zone and self.values["rule"] == shown["rule"]:
            same = [name for name in MOMENTS if self.values[name] == shown[name]]
            self.timing = replace(self.timing, **{name: getattr(timing, name) for name in same})

    def refuse(self, errors: Mapping[str, str]) -> None:
        """Note what the domain refuses; what could not be read stays."""
        # A single run without its moment looks to the domain like an expression without its fields.
        told_of = {name: said for name, said in errors.items() if not (self.is_once and name == "cron")}
        self.errors = told_of | self.errors

    @property
    def readings(self) -> dict[str, str]:
        """By field, what a time that does not exist or comes twice is read as."""
        return {field: reading(run) for field, run in self._typed.items() if run.shift}

    @cached_property
    def upcoming(self) -> Upcoming | None:
        """What is due next; None and a sentence in errors when that cannot be told."""
        if not self.is_once and not self.values["cron"]:
            return None
        asked, refused = attempt(lambda: schedules.verify_timing(self.timing))
        self.refuse(refused)
        is_told = asked is not None and not self.errors.keys() & {"cron", "zone", *MOMENTS}
        return Upcoming(asked, timezone.now()) if asked is not None and is_told else None

    @property
    def timing_error(self) -> str:
        """The first sentence about when it is due, "" for none."""
        return next((self.errors[name] for name in ("zone", "cron", *MOMENTS) if name in self.errors), "")

    def fill(self) -> None:
        """Write the five fields that the choice above them means; notes what is wrong at `at`."""
        found = _TIME.match(self.values["at"])
        if not found:
            self.errors["at"] = "Write a time, such as 06:30."
            return
        hour, minute = int(found[1]), int(found[2])
        self.values["cron"] = {
            "hour": f"{minute} * * * *",
            "weekdays": f"{minute} {hour} * * MON-FRI",
            "week": f"{minute} {hour} * * {self.values['weekday']}",
            "month": f"{minute} {hour} {self.values['day']} * *",
        }.get(self.values["every"], f"{minute} {hour} * * *")
        self.timing = replace(self.timing, cron=self.values["cron"])

    @property
    def zones(self) -> list[str]:
        """All time zones by name."""
        return sorted(zones.names())

    @property
    def policy_words(self) -> list[str]:
        """What it does about trouble, a sentence each."""
        return schedule_words.policies(self.policies)

    def choices(self, field: str) -> list[tuple[str, str, str, bool]]:
        """What can be chosen: value, name, sentence, whether it is."""
        told_of = {"overlap": OVERLAPS, "catch_up": CATCH_UPS}[field]
        return [(value, *words, value == self.values[field]) for value, words in told_of.items()]

    @property
    def overlaps(self) -> list[tuple[str, str, str, bool]]:
        """What may become of a due time while a run of before is not over."""
        return self.choices("overlap")

    @property
    def catch_ups(self) -> list[tuple[str, str, str, bool]]:
        """What may become of due times that were missed."""
        return self.choices("catch_up")

    def _options(self, field: str, told_of: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        return [(value, words, value == self.values[field]) for value, words in told_of.items()]

    @property
    def options(self) -> dict[str, list[tuple[str, str, bool]]]:
        """For each list to choose from: value, words, whether it is chosen."""
        return {
            "every": self._options("every", EVERY),
            "weekday": self._options("weekday", DAYS),
            "day": self._options("day", MONTH_DAYS),
            "retry_unit": self._options("retry_unit", UNITS),
            "limit_unit": self._options("limit_unit", UNITS),
        }


def reading(run: Run) -> str:
    """What a time that a person typed is read as."""
    typed = f"{run.wall.day} {run.wall:%b %Y, %H:%M}"
    if run.shift == Shift.JUMPED:
        return f"{typed} does not exist: the clock jumps forward. It is read as {told(run.local)}."
    return f"{typed} comes twice: the clock is put back. The first time is meant, {told(run.local)}."


def of(timing: Timing, policy: Policies) -> dict[str, str]:
    """The form's fields filled with what a schedule has."""
    clock = _clock(timing.zone)
    values = EMPTY | {
        "rule": ONCE if timing.once_at else RECURRING,
        "cron": timing.cron,
        "zone": timing.zone,
        "overlap": policy.overlap,
        "catch_up": policy.catch_up,
        "catch_up_limit": str(policy.catch_up_limit),
        "retries": str(policy.retries),
        "pause_after": "" if policy.pause_after is None else str(policy.pause_after),
    }
    for field in MOMENTS:
        if (moment := getattr(timing, field)) is not None:
            values[field] = moment.astimezone(clock).replace(tzinfo=None, microsecond=0).isoformat()
    for field, unit in (("retry_pause", "retry_unit"), ("time_limit", "limit_unit")):
        if (span := getattr(policy, field)) is not None:
            values[field], values[unit] = _number_and_unit(int(span.total_seconds()))
    return values


def _clock(zone: str) -> ZoneInfo:
    return ZoneInfo(zone if zone in zones.names() else "UTC")


def _number_and_unit(seconds: int) -> tuple[str, str]:
    unit = next(unit for unit in ("h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return str(seconds // _SECONDS[unit]), unit if seconds else "m"
