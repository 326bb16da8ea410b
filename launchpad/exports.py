"""Lists as files to take away: CSV of what a page lists, filters and order as shown."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.spools import spooled

ROWS = 100_000
_READ_ROWS = 2_000
# A spreadsheet takes a cell that begins so for a formula; a name that somebody chose must not run there.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_file(
    request: HttpRequest, name: str, columns: Mapping[str, Callable[[Any], object]], rows: Iterable[Any]
) -> HttpResponseBase:
    """The rows as a download named `<name>.csv`: a line of headings, then a line a row, ROWS at most.

    columns: heading → what stands there of a row. rows: a QuerySet is read in pieces, never as a whole, the
    related rows it prefetches too. None is an empty cell; times are UTC in ISO 8601; numbers a full stop.
    A text that a spreadsheet would take for a formula begins with an apostrophe. A list that is longer ends
    with a line that says so. Encoded in UTF-8, as RFC 4180 has it.
    """
    found = rows.iterator(chunk_size=_READ_ROWS) if isinstance(rows, QuerySet) else iter(rows)
    response = spooled(request, _lines(columns, found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _lines(columns: Mapping[str, Callable[[Any], object]], rows: Iterator[Any]) -> Iterator[str]:
    yield _line(columns)
    for row in itertools.islice(rows, ROWS):
        yield _line(_cell(read(row)) for read in columns.values())
    if next(rows, None) is not None:
        yield _line([f"The first {ROWS:,} rows; set filters for others."])


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
