"""Feedback files are read as they are meant, and bad ones are named with what is wrong."""

import pytest

COLUMNS = ("text", "label")


def test_one_file(load, tmp_path):
    file = tmp_path / "any name.txt"
    file.write_text('id,label,text\n1, good ,"two\nlines, one comma"\n')

    assert load("feedback").read(file, COLUMNS) == [("two\nlines, one comma", "good")]


def test_a_folder_is_its_csv_files_in_name_order(load, tmp_path):
    (tmp_path / "b.csv").write_text("text,label\nsecond,x\n")
    (tmp_path / "a.csv").write_text("text,label\nfirst,y\n")
    (tmp_path / "notes.md").write_text("not data")

    assert load("feedback").read(tmp_path, COLUMNS) == [("first", "y"), ("second", "x")]


def test_byte_order_mark_and_accents(load, tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes("\ufefftext,label\r\ncafé,good\r\n".encode())

    assert load("feedback").read(file, COLUMNS) == [("café", "good")]


def test_the_bundled_files_are_read_whole(load, tree):
    assert len(load("feedback").read(tree / "data", COLUMNS)) == 922
    assert len(load("feedback").read(tree / "batch", ("text",))) == 60


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file is empty"),
        (b"\n\n", "file is empty"),
        (b"text,label\n", "no row below"),
        (b"words,mark\na,b\n", "missing columns: 'text', 'label'; the header has 'words', 'mark'"),
        (b"text\na\n", "missing columns: 'label'"),
        (b"text,label\na,x\n ,x\n", "line 3: column 'text' is empty"),
        (b"text,label\nonly\n", "line 2: column 'label' is empty"),
        (b"text,label\ncaf\xe9,x\n", "not UTF-8 text"),
        (b'text,label\n"a"b,x\n', "not a valid CSV file"),
        (b"text,label\n" + b"a" * 200_000 + b",x\n", "not a valid CSV file"),
    ],
)
def test_bad_content_is_named_with_its_file(load, tmp_path, content, reason):
    feedback = load("feedback")
    file = tmp_path / "bad.csv"
    file.write_bytes(content)

    with pytest.raises(feedback.BadData) as caught:
        feedback.read(tmp_path, COLUMNS)

    assert str(caught.value).startswith(f"{file}: ")
    assert reason in str(caught.value)


def test_nothing_there(load, tmp_path):
    feedback = load("feedback")

    with pytest.raises(feedback.BadData, match=r"gone\.csv: no such file or folder"):
        feedback.read(tmp_path / "gone.csv", COLUMNS)
    with pytest.raises(feedback.BadData, match=r"holds no \*\.csv file"):
        feedback.read(tmp_path, COLUMNS)
