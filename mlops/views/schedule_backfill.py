"""What the page shows that has due times of the past run: the range, then what would run, then its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from launchpad.access import Scope
from launchpad.forms import attempt
from mlops.domain import backfills, schedule_purge, schedules, timings
from mlops.lifecycle import Outcome
from mlops.views import schedule_facts

WHICH = (
    ("missing", "Those that never ran"),
    ("failed", "Those that never ran or failed"),
    ("all", "All of them, also those that completed"),
)
SHOW, START = "show", "start"
USUAL = timedelta(days=7)
YEARS = range(1971, 2900)
_LONGEST_NUMBER = 4


@dataclass(frozen=True)
class Found:
    """A due time that would run. known: what the ledger says of it so far, in words."""

    fire_at: datetime
    known: str
    execution: str


class BackfillPage:
    """The form of one schedule and what it answers. Raises NotFound.

    posted: what was sent, None at first; its `action` is SHOW or START. made: the backfill, once it is
    started. errors: by field.
    """

    def __init__(self, scope: Scope, schedule_id: UUID, posted: QueryDict | None) -> None:
        self._scope = scope
        self._posted = posted
        self.schedule = schedules.get(scope, schedule_id)
        self.errors: dict[str, str] = {}
        self.plan: Any = None
        self.made: Any = None
        if posted is not None:
            self._read()
            if not self.errors:
                self._answer()

    def _read(self) -> None:
        self._begin, self._end = self._moment("begin"), self._moment("end")
        text = self.at_once.strip()
        is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
        self._at_once = int(text) if is_number else 0
        if not 1 <= self._at_once <= backfills.AT_ONCE_LIMIT:
            self.errors["at_once"] = f"Choose a number from 1 to {backfills.AT_ONCE_LIMIT}."

    def _moment(self, field: str) -> datetime:
        """The moment that a field tells by the schedule's clock; an error, and now, for what is none."""
        try:
            wall = datetime.fromisoformat(self._typed(field)).replace(tzinfo=None)
        except ValueError:
            wall = None
        if wall is None or wall.year not in YEARS:
            self.errors[field] = "Give a day and a time, such as 2026-06-17 02:00."
            return timezone.now()
        return timings.instant(wall, self.zone)

    def _answer(self) -> None:
        asked: dict[str, Any] = {
            "begin": self._begin,
            "end": self._end,
            "which": self.which,
            "newest_first": self.is_newest_first,
        }
        self.plan, self.errors = attempt(lambda: backfills.plan(self._scope, self.schedule, **asked))
        if self.plan is None or self._typed("action") != START:
            return
        if self._posted is None or self._posted.get("seen", "") != self.seen:
            self.errors[""] = "This is another range than the one shown. Look at what would run now."
        elif not self.plan.runs:
            self.errors["which"] = "The range has no such due times; nothing would run."
        elif self.going_on is None:
            self.made, self.errors = attempt(
                lambda: backfills.create(self._scope, self.schedule.pk, at_once=self._at_once, **asked)
            )

    def _typed(self, field: str, otherwise: str = "") -> str:
        return otherwise if self._posted is None else self._posted.get(field, "").strip()[:40]

    @property
    def is_refused(self) -> bool:
        """Whether what was sent could not be carried out."""
        wants_start = self._posted is not None and self._typed("action") == START
        return bool(self.errors) or (wants_start and self.made is None)

    @property
    def error(self) -> str:
        """What is wrong with no single field; "" for nothing."""
        return self.errors.get("", "")

    @property
    def seen(self) -> str:
        """Tells which due times a plan is of, so that nothing else is started than what was shown."""
        return " ".join((self.begin, self.end, self.which, "newest" if self.is_newest_first else "oldest"))

    @property
    def zone(self) -> ZoneInfo:
        """The clock that the range is told by."""
        return schedule_facts.zone(self.schedule)

    @property
    def begin(self) -> str:
        """The beginning of the range as a field shows it."""
        return self._typed("begin", self._told(timezone.now() - USUAL))

    @property
    def end(self) -> str:
        """The end of the range as a field shows it."""
        return self._typed("end", self._told(timezone.now()))

    def _told(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%dT%H:%M}"

    @property
    def which(self) -> str:
        """Which due times of the range are meant, as it was chosen."""
        return self._typed("which", WHICH[0][0])

    @property
    def which_choices(self) -> list[tuple[str, str, bool]]:
        """Value, words, and whether it is chosen."""
        return [(value, words, value == self.which) for value, words in WHICH]

    @property
    def is_newest_first(self) -> bool:
        """Whether the newest due time runs first."""
        return self._typed("order") == "newest"

    @property
    def at_once(self) -> str:
        """How many at a time, as it was typed."""
        return self._typed("at_once", "1")

    @property
    def most_at_once(self) -> int:
        """How many at a time there may be."""
        return backfills.AT_ONCE_LIMIT

    @cached_property
    def going_on(self) -> Any:
        """The backfill that has to end first; None for none."""
        return backfills.every(self._scope, self.schedule).filter(ended_at=None).first()

    @property
    def found(self) -> list[Found]:
        """What would run, in its order."""
        return [
            Found(one.fire_at, _known(one), (one.tick and one.tick.execution_id) or "")
            for one in self.plan.runs
        ]


def _known(one: Any) -> str:
    if one.tick is None:
        is_old = one.fire_at < schedule_purge.kept_from(timezone.now())
        return "Older than the ledger; it may have run" if is_old else "Nobody looked at it"
    word = schedule_facts.OUTCOMES[Outcome(one.tick.outcome)]
    if not one.has_run:
        return f"{word}: {one.tick.reason}" if one.tick.reason else word
    result = "stopped at its time limit" if one.tick.timed_out else one.tick.result.lower()
    return f"{word}, {result}" if result else f"{word}, its execution was deleted"
