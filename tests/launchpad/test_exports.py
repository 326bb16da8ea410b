"""Lists as CSV: whatever stands in a cell comes back as it was, and runs nowhere."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as some

from launchpad import exports


def exported(rows, **columns):
    columns = columns or {"cell": lambda row: row}
    response = exports.csv_file(RequestFactory().get("/"), "things", columns, rows)
    text = b"".join(response).decode()
    response.close()
    return response, list(csv.reader(io.StringIO(text, newline="")))


def test_a_file_has_a_name_headings_and_a_line_a_row():
    columns = {"name": lambda row: row[0], "made": lambda row: row[1]}
    at = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    response, lines = exported([("one", at), ("two", None)], **columns)
    assert response["Content-Disposition"] == 'attachment; filename="things.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert lines == [["name", "made"], ["one", "2026-03-01T10:30:00.000Z"], ["two", ""]]


@given(some.lists(some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_any_text_stays_one_cell_that_no_spreadsheet_runs(texts):
    _, lines = exported(texts)
    cells = [line[0] if line else "" for line in lines[1:]]
    assert len(cells) == len(texts)
    for cell, text in zip(cells, texts, strict=True):
        assert cell in (text, f"'{text}")
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1.5, "-1.5"), (True, "true"), (0, "0"), (None, ""), (datetime.min.replace(tzinfo=UTC), None)],
)
def test_numbers_stay_numbers(value, shown):
    _, lines = exported([value])
    assert lines[1] == [shown] if shown is not None else lines[1][0].startswith("0001-01-01")


def test_a_list_that_is_too_long_says_so(monkeypatch):
    monkeypatch.setattr(exports, "ROWS", 2)
    _, lines = exported(["a", "b", "c"])
    assert lines[1:] == [["a"], ["b"], ["The first 2 rows; set filters for others."]]
    _, lines = exported(["a", "b"])
    assert lines[1:] == [["a"], ["b"]]
