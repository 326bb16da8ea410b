"""Turns raw bytes of a command's output into lines of plain text."""

import codecs
import re
from collections.abc import Iterator

LINE_CHARACTERS = 16 * 1024
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class LineSplitter:
    """One stream's bytes in, its lines out; bytes that are not UTF-8 and control characters become U+FFFD.

    Colours are removed. A carriage return overwrites what stands before it, as on a terminal, so that of a
    progress bar only the newest state remains. Lines over 16,384 characters are split.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._broken_off = False

    @property
    def partial(self) -> bool:
        """Whether text waits for the end of its line."""
        return bool(self._rest)

    def feed(self, data: bytes, *, final: bool = False) -> list[str]:
        """Take the next bytes; return the lines that are complete now."""
        *ended, rest = (self._rest + self._decoder.decode(data, final)).split("\n")
        lines: list[str] = []
        for line in ended:
            if line or not self._broken_off:
                lines += _pieces(line)
            self._broken_off = False
        if len(rest) > LINE_CHARACTERS:
            rest = _newest(rest, keep_return=True)
            while len(rest) > LINE_CHARACTERS:
                lines.append(_clean(rest[:LINE_CHARACTERS]))
                rest = rest[LINE_CHARACTERS:]
        self._rest = rest
        return lines + self.flush() if final else lines

    def flush(self) -> list[str]:
        """Give out what waits for its end; a line end that follows does not count as an empty line."""
        rest, self._rest = self._rest, ""
        if not rest:
            return []
        self._broken_off = True
        # Of "50%\r" the return may be the first half of a line end; either way the state shown is "50%".
        return [] if not rest.strip("\r") else list(_pieces(rest))


def _newest(line: str, *, keep_return: bool = False) -> str:
    shown = line.rstrip("\r")
    tail = "\r" if keep_return and len(shown) < len(line) else ""
    return shown.rpartition("\r")[2] + tail


def _pieces(line: str) -> Iterator[str]:
    text = _newest(line)
    if len(text) <= LINE_CHARACTERS:
        yield _clean(text)
        return
    for start in range(0, len(text), LINE_CHARACTERS):
        yield _clean(text[start : start + LINE_CHARACTERS])


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    return _CONTROL.sub("\ufffd", _ESCAPES.sub("", text))
