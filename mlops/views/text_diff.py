"""Two texts side by side: their lines in pairs, what is equal folded away, in bounded time and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 3
LINE_LIMIT = 500
# Beyond so many lines that differ they are set beside each other as they come: finding what became of
# each takes time that grows with the square of their number.
MATCHED_LIMIT = 800
ROWS_LIMIT = 2000


@dataclass(frozen=True)
class Row:
    """A pair of lines, numbered from 1; None where one side has none. folded: equal lines left out."""

    kind: str
    left: int | None = None
    left_text: str = ""
    right: int | None = None
    right_text: str = ""
    folded: int = 0


@dataclass(frozen=True)
class Diff:
    """Rows of kind `same`, `changed`, `added`, `removed` or `fold`. is_cut: more differ than are shown."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    is_cut: bool

    @property
    def is_same(self) -> bool:
        """Whether the texts are equal."""
        return not (self.added or self.removed)


def diff(left: str, right: str) -> Diff:
    """Compare two texts line by line. added, removed: numbers of lines only one of them has."""
    ours, theirs = left.splitlines(), right.splitlines()
    rows: list[Row] = []
    added = removed = 0
    for kind, i, j, k, m in _blocks(ours, theirs):
        if kind == "equal":
            rows += _equal(ours, i, j, k, is_first=i == 0 and k == 0, is_last=j == len(ours))
            continue
        removed += j - i
        added += m - k
        rows += _differing(ours, theirs, (i, j, k, m))
    return Diff(tuple(rows[:ROWS_LIMIT]), added, removed, len(rows) > ROWS_LIMIT)


def _blocks(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Blocks as of SequenceMatcher: what both begin and end with is not searched."""
    shorter = min(len(ours), len(theirs))
    head = next((at for at in range(shorter) if ours[at] != theirs[at]), shorter)
    tail = next((at for at in range(shorter - head) if ours[-1 - at] != theirs[-1 - at]), shorter - head)
    a, b = len(ours) - tail, len(theirs) - tail
    if head:
        yield "equal", 0, head, 0, head
    if max(a, b) - head > MATCHED_LIMIT:
        yield "replace", head, a, head, b
    elif a > head or b > head:
        matcher = SequenceMatcher(None, ours[head:a], theirs[head:b])
        for kind, i, j, k, m in matcher.get_opcodes():
            yield kind, i + head, j + head, k + head, m + head
    if tail:
        yield "equal", a, len(ours), b, len(theirs)


def _equal(ours: Sequence[str], i: int, j: int, k: int, *, is_first: bool, is_last: bool) -> Iterator[Row]:
    """Equal lines: those near a difference, and how many lie between."""
    before, after = 0 if is_first else CONTEXT, 0 if is_last else CONTEXT
    for at in range(i, j):
        if at - i < before or j - at <= after or j - i <= before + after + 1:
            yield Row("same", at + 1, _cut(ours[at]), at - i + k + 1, _cut(ours[at]))
        elif at - i == before:
            yield Row("fold", folded=j - i - before - after)


def _differing(ours: Sequence[str], theirs: Sequence[str], block: tuple[int, int, int, int]) -> Iterator[Row]:
    i, j, k, m = block
    for at in range(max(j - i, m - k)):
        left, right = i + at, k + at
        if left >= j:
            yield Row("added", right=right + 1, right_text=_cut(theirs[right]))
        elif right >= m:
            yield Row("removed", left=left + 1, left_text=_cut(ours[left]))
        else:
            yield Row("changed", left + 1, _cut(ours[left]), right + 1, _cut(theirs[right]))


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LIMIT else f"{line[:LINE_LIMIT]}…"
