"""Tables in text: values as they stand, types as they look, and limits."""

import pytest

from mlops.formats import tables


def test_separated_values_with_types():
    text = 'a,b,c,d\n1,x,true,\n2.5,"y, z",false,\n'
    found = tables.separated(text, delimiter=",", limit=1)
    assert found.columns == (("a", "number"), ("b", "text"), ("c", "boolean"), ("d", "empty"))
    assert (found.rows, found.column_count, found.is_cut) == ((("1", "x", "true", ""),), 4, True)


def test_json_lines_have_the_keys_of_all_rows_as_columns():
    found = tables.json_lines('{"a": 1, "b": null}\n\n{"a": 2, "c": {"d": [1]}}\n', limit=5)
    assert found.columns == (("a", "integer"), ("b", "empty"), ("c", "text"))
    assert found.rows == (("1", "", ""), ("2", "", '{"d": [1]}'))


@pytest.mark.parametrize("text", ["[1]\n", "{", '{"a": 1} x', "1\n", "[" * 100_000])
def test_other_lines_are_no_table(text):
    with pytest.raises(ValueError, match=r"."):
        tables.json_lines(text, limit=5)


def test_columns_and_cells_are_cut():
    wide = ",".join(["x" * 500] * 300)
    found = tables.separated(f"{wide}\n{wide}\n", delimiter=",", limit=5)
    assert (len(found.columns), len(found.rows[0]), found.column_count) == (100, 100, 300)
    assert len(found.rows[0][0]) == len(found.columns[0].name) == 200


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", ""], "integer"),
        (["1", "2e5"], "number"),
        (["nan", "1"], "number"),
        (["1_000"], "text"),
        (["²"], "text"),
        (["1", "true"], "text"),
        ([], "empty"),
    ],
)
def test_types_as_they_look(values, kind):
    assert tables.value_type(values) == kind


def test_rows_are_counted_as_records():
    assert tables.row_count('a\n"x\ny"\nz\n', delimiter=",") == 2
    assert tables.row_count('{"a": 1}\n\n{"a": 2}\n', delimiter="") == 2
    assert tables.row_count("", delimiter=",") == 0
