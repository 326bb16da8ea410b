"""A window on the log of an execution or deployment: its end, a place in it, or what a search finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import log_search, logs
from mlops.domain.log_lines import Level
from mlops.domain.log_position import Place
from mlops.domain.log_search import Found, Wanted
from mlops.lifecycle import FINAL
from mlops.live.executions import log_part

LINES = 500
OLDER = 100
# A count goes on in requests of so many seconds each, so that none holds a thread for long.
SLICE_SECONDS = 1.5
LEVELS: dict[str, tuple[str, frozenset[Level]]] = {
    "ERROR": ("Errors", frozenset({"ERROR"})),
    "WARN": ("Warnings and errors", frozenset({"WARN", "ERROR"})),
    "INFO": ("Without debug lines", frozenset({"INFO", "WARN", "ERROR"})),
}


@dataclass(frozen=True)
class Words:
    """What a log's parts are called, and the noun its addresses begin with.

    several: whether every part says which attempt it is of, even where there is only one.
    """

    noun: str
    attempt: str
    all: str
    step: str
    several: bool = False


OF_EXECUTION = Words("executions", "attempt", "All steps", "step")
OF_DEPLOYMENT = Words("deployments", "revision", "All servers", "server", several=True)
_KEPT = ("part", "find", "level", "since", "until")
_LONGEST_NUMBER = 10
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class LogPanel:
    """What of a log is shown. query, each of it optional and left out when it makes no sense:

    `part` is "<attempt>.<step index>", or "<attempt>" for all of its steps; `find` a text, `level` a key of
    LEVELS, `since` and `until` UTC times to filter by; `at` the line to show the surroundings of;
    `lines_before`, `lines_after` places that a page gave out; `hits_after` the hit behind which to go
    on; `whole` asks for a search of the whole log, and `seen`, `seen_hits`, `seen_lines` say how far a count
    has come.
    """

    def __init__(self, scope: Scope, owner: Any, query: QueryDict, *, words: Words = OF_EXECUTION) -> None:
        self._scope = scope
        self._owner = owner
        self.words = words
        self._query = query
        self._complaints: list[str] = []
        # One line of text: nothing that spans lines can be found.
        first, *_others = [*query.get("find", "").replace("\x00", "").strip().splitlines(), ""]
        self.find = first[: log_search.MAX_QUERY]
        self._place = log_part(query.get("part", ""))
        self.part = query["part"] if self._place else ""
        self.level = query.get("level", "") if query.get("level") in LEVELS else ""
        self.since, self.until = self._time("since"), self._time("until")
        self._before = query.get("lines_before", "")

    def _time(self, name: str) -> datetime | None:
        text = self._query.get(name, "").strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            if not _FIRST_YEAR <= at.year < _LAST_YEAR:
                raise ValueError(text)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self._complaints.append(
                f"“{text[:40]}” is not a time such as 2026-06-18T14:30, so it was left out."
            )
            return None

    @cached_property
    def wanted(self) -> Wanted:
        """What the filters ask for."""
        _word, levels = LEVELS.get(self.level, ("", frozenset()))
        return Wanted(self.find, levels, self.since, self.until, **self._place)

    @cached_property
    def at(self) -> Place | None:
        """The line whose surroundings are shown, if that is what is asked for."""
        text = self._query.get("at", "")
        place = log_search.resolve(self._scope, self._owner, text) if text else None
        if text and place is None:
            self._complaints.append(f"There is no line {text[:40]} in this log; this is its end.")
        return place

    @cached_property
    def at_text(self) -> str:
        """That line as an address names it."""
        return str(self.at) if self.at else ""

    @property
    def notices(self) -> list[str]:
        """What of the address was left out, and why."""
        # Whoever asks where it stands may be told that there is no such line.
        return [*self._complaints] if self.at is None or self._complaints else []

    @property
    def is_filtered(self) -> bool:
        """Whether filters are on."""
        return not self.wanted.is_everything

    @property
    def is_list(self) -> bool:
        """Whether what is shown are hits, one below the other, instead of neighbouring lines."""
        return self.is_filtered and not self.at and not self._window

    @property
    def _window(self) -> str:
        return self._before or self._query.get("lines_after", "")

    @cached_property
    def page(self) -> logs.LogPage:
        """The lines shown, oldest first."""
        scope, owner = self._scope, self._owner
        if self.at:
            return log_search.around(scope, owner, self.at, limit=LINES, older=OLDER, **self._place)
        if later := Place.parse(self._query.get("lines_after", "")):
            following = replace(later, number=later.number + 1)
            return log_search.around(scope, owner, following, limit=LINES, older=0, **self._place)
        if self.is_list:
            return logs.LogPage(self.found.lines, "", more=not self.found.is_whole)
        return logs.lines(scope, owner, before=self._before, limit=LINES, **self._place)

    @cached_property
    def found(self) -> Found:
        """The first hits, and how many there are as far as was looked; at once, or of the whole log."""
        seconds = log_search.WHOLE_SECONDS if self._query.get("whole") else log_search.AT_ONCE_SECONDS
        return log_search.search(
            self._scope,
            self._owner,
            self.wanted,
            after=Place.parse(self._query.get("hits_after", "")),
            limit=LINES,
            seconds=seconds,
            is_count=bool(self._query.get("whole")),
        )

    @cached_property
    def counted(self) -> Found:
        """The hits with their number, as far as it is known; a count that began goes on where it was."""
        seen = Place.parse(self._query.get("seen", ""))
        if seen is None:
            return self.found
        more = log_search.search(
            self._scope,
            self._owner,
            self.wanted,
            after=seen,
            limit=1,
            seconds=SLICE_SECONDS,
            is_count=True,
        )
        hits, lines = (self._number(name) for name in ("seen_hits", "seen_lines"))
        return replace(more, lines=[], count=more.count + hits, read=more.read + lines)

    def _number(self, name: str) -> int:
        text = self._query.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0

    @property
    def reads_on(self) -> tuple[str, str]:
        """Where the rest of a search is asked for and the fragment that it becomes; ("", "") at the end.

        A list with room for more is searched for as a whole; once it is full the hits are only counted.
        """
        if self.counted.is_whole:
            return "", ""
        is_full = len(self.found.lines) >= LINES if not self._query.get("seen") else True
        if not is_full and not self._query.get("whole"):
            return self._address(whole=1, hits_after=self._query.get("hits_after", "")), "log-body"
        seen = self.counted
        address = self._address(seen=seen.rest, seen_hits=seen.count, seen_lines=seen.read)
        return address, "log-found"

    @cached_property
    def more_hits(self) -> str:
        """Where the list of hits goes on, "" when this is its end or not known to be more."""
        lines = self.found.lines
        is_cut = lines and len(lines) >= LINES and (self.found.count > LINES or self.found.rest)
        if is_cut:
            return self._address(hits_after=lines[-1].place)
        return (
            self._address(hits_after=self.found.rest) if self.found.rest and self._query.get("whole") else ""
        )

    def _address(self, **changes: Any) -> str:
        kept = {name: self._query.get(name, "") for name in _KEPT} | changes
        pairs = {name: value for name, value in kept.items() if value not in ("", None)}
        return "?" + urlencode({"tab": "logs"} | pairs)

    @cached_property
    def filters(self) -> str:
        """The filters that are on, as the rest of an address: begins with `&` unless it is empty."""
        return self._address().removeprefix("?tab=logs")

    @property
    def hits(self) -> str:
        """Where all hits are listed."""
        return self._address()

    @property
    def is_following(self) -> bool:
        """Whether new lines belong at the end of what is shown."""
        return self.is_tail and self._owner.status not in FINAL

    @property
    def is_tail(self) -> bool:
        """Whether the end of the log is what is shown."""
        return not (self.is_filtered or self.at or self._window)

    @cached_property
    def later(self) -> str:
        """The place behind which there are newer lines than a window shows, "" when there are none."""
        return self.page.lines[-1].place if self.page.lines and self._has_later else ""

    @property
    def _has_later(self) -> bool:
        return not self.is_list and (self.page.more or bool(self._before))

    @property
    def levels(self) -> list[tuple[str, str, bool]]:
        """Choices of the level: value, label, whether it is chosen."""
        return [(key, label, key == self.level) for key, (label, _levels) in LEVELS.items()]

    @property
    def seek_url(self) -> str:
        """What leads from hit to hit."""
        return place_url(self._scope, f"mlops:{self.words.noun}.seek", self._owner.pk)

    @property
    def download_url(self) -> str:
        """The log, or the part of it that is shown, as a file."""
        url = place_url(self._scope, f"mlops:{self.words.noun}.log", self._owner.pk)
        return f"{url}?part={self.part}" if self.part else url

    @cached_property
    def parts(self) -> list[tuple[str, str, int, bool]]:
        """What wrote, and of servers each revision: value of `part`, label, lines, whether it is shown."""
        counts = logs.counts(self._scope, self._owner)
        word = self.words.attempt
        attempts = dict.fromkeys(one.attempt for one in counts)
        several = len(attempts) > 1 or self.words.several
        found = [
            (
                f"{one.attempt}.{one.step}",
                f"{one.name}, {word} {one.attempt}" if several else one.name,
                one.lines,
                self.part == f"{one.attempt}.{one.step}",
            )
            for one in counts
        ]
        for attempt in attempts if self.words.several else ():
            lines = sum(one.lines for one in counts if one.attempt == attempt)
            found.append((str(attempt), f"{word} {attempt}", lines, self.part == str(attempt)))
        return found

    @property
    def total(self) -> int:
        """Lines of the whole log."""
        return sum(lines for value, _label, lines, _chosen in self.parts if "." in value)


class LogHit:
    """The hit that an address leads to. query: the filters of LogPanel, and

    `go` is "next" (default) or "previous", `from` the line to go on from; without it the first is meant.
    """

    def __init__(self, scope: Scope, owner: Any, query: QueryDict, *, words: Words = OF_EXECUTION) -> None:
        self._log = LogPanel(scope, owner, query, words=words)
        place = Place.parse(query.get("from", ""))
        self._is_back = query.get("go") == "previous" and place is not None
        self._here = place
        sides = {"before": place} if self._is_back else {"after": place}
        self._line = log_search.step_to(scope, owner, self._log.wanted, **sides)

    @property
    def address(self) -> str:
        """The rest of the page's address: filters and the line, or where the search began."""
        if self._line is not None:
            return f"{self._log.hits}&at={self._line.place}#{self._line.key}"
        return f"{self._log.hits}&at={self._here}" if self._here else self._log.hits

    @property
    def notice(self) -> str | None:
        """What to say when there is no such line."""
        if self._line is not None:
            return None
        if self._here is None:
            return "No line of the log fits."
        return f"No hit {'before' if self._is_back else 'behind'} this line."
