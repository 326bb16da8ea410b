"""Parquet files: columns, rows and their number, read by ranges in a process that may break."""

import pytest

from mlops.formats import parquet
from tests.mlops.formats import files


def test_columns_types_rows_and_how_many(tmp_path):
    found = parquet.read(files.Bytes(files.parquet(tmp_path, 120)), limit=2)
    assert found.columns == (("number", "Int64"), ("text", "Utf8"))
    assert found.rows == (("0", "text <0>"), ("1", "text <1>"))
    assert (found.row_count, found.column_count) == (120, 2)


def test_without_rows_and_of_an_empty_table(tmp_path):
    assert parquet.read(files.Bytes(files.parquet(tmp_path, 5)), limit=0).row_count == 5
    found = parquet.read(files.Bytes(files.parquet(tmp_path, 0)), limit=3)
    assert (found.rows, found.row_count, found.column_count) == ((), 0, 2)


def test_a_large_file_is_read_in_part(tmp_path):
    source = files.Bytes(files.parquet(tmp_path, 1_500_000))
    assert parquet.read(source, limit=50).rows[49] == ("49", "text <49>")
    assert source.asked < source.size / 2


def test_what_is_broken_is_refused_in_words(tmp_path):
    whole = files.parquet(tmp_path, 50)
    cut = whole[:-9]
    middle = bytearray(whole)
    middle[4:400] = bytes(396)
    footer = bytearray(whole)
    footer[-60:-12] = b"\xff" * 48
    for body in (b"", b"PAR1", b"no table at all, but text", cut, bytes(middle), bytes(footer)):
        with pytest.raises(ValueError, match="cannot be read as Parquet"):
            parquet.read(files.Bytes(body), limit=50)


def test_one_that_asks_for_too_much_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BYTES_LIMIT", 1_000)
    with pytest.raises(ValueError, match="too large to look at"):
        parquet.read(files.Bytes(files.parquet(tmp_path, 5_000)), limit=50)
