"""Log lines as readers see them: numbered, timed, with a level guessed from the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mlops.models import LogChunk, ReplicaLogChunk

Level = Literal["DEBUG", "INFO", "WARN", "ERROR"]
_WORD = re.compile(r"\b(DEBUG|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b")
_FAILURE = re.compile(
    r"Traceback \(most recent call last\)|([A-Za-z_][\w.]*)?(Error|Exception)(:|\Z)|"
    r"[\w./:-]+: (fatal )?error: "
)
_PREFIX = re.compile(r"(\[)?(?P<level>DEBUG|INFO|WARN|WARNING|ERROR)(?(1)\])[:\s]\s*(?=\S)")
_WARNING = re.compile(r"([\w./-]+:\d+: )?[A-Za-z_][\w.]*Warning:")
_LEVELS: dict[str, Level] = {
    "DEBUG": "DEBUG",
    "TRACE": "DEBUG",
    "WARN": "WARN",
    "WARNING": "WARN",
    "ERROR": "ERROR",
    "CRITICAL": "ERROR",
    "FATAL": "ERROR",
}
# A line of the level holds one of these; a search passes over whole chunks that hold none.
NEEDLES: dict[Level, tuple[str, ...]] = {
    "DEBUG": ("DEBUG", "TRACE"),
    "INFO": (),
    "WARN": ("WARN", "Warning:"),
    "ERROR": ("ERROR", "CRITICAL", "FATAL", "Traceback", "Error", "Exception", "error: "),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: number counts from 1 within (attempt, step); level is guessed from the text."""

    attempt: int
    step: int
    name: str
    number: int
    at: datetime
    level: Level
    text: str
    stream: str = "stdout"

    @property
    def key(self) -> str:
        """What names the line within the execution, for links and for telling repeats."""
        return f"L{self.attempt}-{self.step}-{self.number}"

    @property
    def place(self) -> str:
        """What names the line in an address, see `log_position.Place`."""
        return f"{self.attempt}.{self.step}.{self.number}"

    @property
    def said(self) -> str:
        """The text without the level that it begins with: a reader sees the level beside it already."""
        prefix = _PREFIX.match(self.text)
        is_told = prefix and _LEVELS.get(prefix["level"], "INFO") == self.level
        return self.text[prefix.end() :] if prefix and is_told else self.text


def level(text: str) -> Level:
    """A guess from the first words: a level's name, or the shape of an exception or a warning."""
    if word := _WORD.search(text, 0, 80):
        return _LEVELS.get(word[1], "INFO")
    if _FAILURE.match(text):
        return "ERROR"
    return "WARN" if _WARNING.match(text) else "INFO"


def unpack(chunk: LogChunk | ReplicaLogChunk, names: dict[int, str]) -> list[Line]:
    """The lines of a chunk. names: step index to name."""
    name = names.get(chunk.step, f"step {chunk.step + 1}")
    errors = frozenset(chunk.stderr)
    return [
        Line(
            chunk.attempt,
            chunk.step,
            name,
            chunk.first_line + index,
            chunk.at + timedelta(milliseconds=offset),
            level(text),
            text,
            "stderr" if index in errors else "stdout",
        )
        for index, (text, offset) in enumerate(zip(chunk.text.split("\n"), chunk.offsets, strict=True))
    ]
