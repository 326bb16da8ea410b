"""The table of a benchmark run, on the terminal and as docs/benchmarks.md."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.rows import Row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
HEADS = ("figure", "measured", "target", "floor", "ratio", "note")
INTRODUCTION = """\
# Benchmarks

`make bench` measures all of this again, in about half an hour; `make bench ARGS="submit lists"` only some,
`make bench ARGS=--write` writes this page. Every figure is measured against real processes on private
servers; PostgreSQL runs with `fsync` off. The floor is what the same work costs without Launchpad, in the
same run; the ratio is measured ÷ floor. None of these is a test: machines differ.
"""


def number(value: float | None, unit: str) -> str:
    """A value with its unit; as many digits as it deserves."""
    if value is None:
        return "–"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def cells(row: Row) -> tuple[str, ...]:
    """The row as texts, in the order of HEADS."""
    sign = "≥" if row.at_least else "≤"
    target = "–" if row.target is None else f"{sign} {number(row.target, row.unit)}"
    if row.target is not None:
        target += ", **missed**" if row.is_missed else ", met"
    measured = number(row.measured, row.unit)
    floor, ratio = number(row.floor, row.unit), number(row.ratio, "×")
    return (row.figure, measured, target, floor, ratio, row.note)


def table(rows: Sequence[Row]) -> str:
    """Aligned columns for a terminal; notes below their line."""
    lines = [HEADS[:-1], *(cells(row)[:-1] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    shown = []
    for line, row in zip(lines, [None, *rows], strict=True):
        texts = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        shown.append("  ".join(texts).rstrip().replace("**", ""))
        if row is not None and row.note:
            shown.append(textwrap.indent(textwrap.fill(row.note, 104), "    "))
    return "\n".join(shown)


def write(
    rows: Sequence[Row], machine: Mapping[str, str], how: Mapping[str, str], unmeasured: Mapping[str, str]
) -> None:
    """Write docs/benchmarks.md. how: what each figure measures; unmeasured: figures that failed, and why."""
    parts = [INTRODUCTION, f"Measured on {datetime.now(UTC).date()}:\n"]
    parts.append("\n".join(f"- {name}: {fact}" for name, fact in machine.items()) + "\n")
    parts.append("\n".join(["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]))
    parts[-1] += "\n" + "\n".join("| " + " | ".join(cells(row)) + " |" for row in rows) + "\n"
    missed = [row.figure for row in rows if row.is_missed]
    parts.append(f"Missed: {'; '.join(missed)}.\n" if missed else "No target was missed.\n")
    parts += [f"Not measured: {name}: {reason}\n" for name, reason in unmeasured.items()]
    parts.append("## How it is measured\n")
    parts += [f"**{name}.** {' '.join(text.split())}\n" for name, text in how.items()]
    wrapped = (textwrap.fill(part, 110) + "\n" if part.startswith("**") else part for part in parts)
    DOCUMENT.write_text("\n".join(wrapped))
