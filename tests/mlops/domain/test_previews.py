"""Previews of real files in a local store and in a bucket: never all of a large file, never a crash."""

import pytest

from launchpad.access import open_scope
from launchpad.errors import NotFound
from mlops import storage
from mlops.domain import artifacts, object_stores, previews
from mlops.domain.object_stores import Options
from tests.mlops import factories
from tests.mlops.formats import files

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture(params=["folder", "bucket"])
def scope(request, editor, red, s3):
    """The editor's, with the default store in a local folder or in a real bucket."""
    found = open_scope(editor, "north", "red")
    if request.param == "bucket":
        options = Options(s3.bucket(), s3.endpoint, use_https=False)
        object_stores.create(
            found,
            name="default",
            kind="s3",
            options=options,
            data={"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
        )
    return found


def test_each_format_is_shown_as_what_it_is(scope, red, tmp_path):
    made = factories.artifact(
        red,
        files={
            "a.jsonl": b'{"a": 1}\n{"a": 2, "b": "<b>"}\n',
            "b.parquet": files.parquet(tmp_path, 70),
            "c.onnx": files.onnx_model(),
            "d.png": PNG,
            "e.webp": b"RIFF\x00\x00\x00\x00WEBP",
            "f.svg": b"<svg onload='alert(1)'/>",
            "g.png": b"<html>",
            "table": files.parquet(tmp_path, 2),
        },
    )
    seen = {path: previews.of(scope, made, path) for path, _, _ in made.facts.files}
    assert seen["a.jsonl"].table.rows == (("1", ""), ("2", "<b>"))
    table = seen["b.parquet"]
    assert (len(table.table.rows), table.table.row_count, table.is_cut) == (50, 70, True)
    assert seen["c.onnx"].model["outputs"] == [{"name": "y0", "type": "float32", "shape": "[batch, ?]"}]
    assert [seen[path].kind for path in ("d.png", "e.webp", "f.svg", "g.png", "table")] == [
        *("image", "image", "text", "text", "table")
    ]


def test_broken_files_say_so(scope, red):
    made = factories.artifact(red, files={"a.parquet": b"PAR1 broken", "b.onnx": b"broken", "c.jsonl": b"{"})
    assert "a.parquet is not shown: it cannot be read as Parquet" in previews.of(scope, made).problem
    broken = previews.of(scope, made, "b.onnx")
    assert broken.kind == "onnx" and "cannot be read as an ONNX model" in broken.problem
    assert previews.of(scope, made, "c.jsonl").text == "{"


def test_only_pictures_are_given_out_to_be_shown(scope, red, monkeypatch):
    made = factories.artifact(red, files={"a.png": PNG, "b.png": b"<svg/>", "c.svg": b"<svg/>"})
    kind, content = previews.picture(scope, made, "a.png")
    assert (kind, b"".join(content)) == ("image/png", PNG)
    for path in ("b.png", "c.svg", "absent.png", "../a.png"):
        with pytest.raises(NotFound):
            previews.picture(scope, made, path)
    monkeypatch.setattr(previews.images, "SIZE_LIMIT", 10)
    with pytest.raises(NotFound):
        previews.picture(scope, made, "a.png")
    assert "Pictures of more than" in previews.of(scope, made, "a.png").problem


def test_a_large_file_is_read_in_pieces(scope, red, tmp_path, monkeypatch):
    made = factories.artifact(
        red, files={"a.onnx": files.onnx_model(weights=500_000), "b.csv": b"x,y\n" + b"1,2\n" * 1_000_000}
    )
    asked = []
    real = storage.Store.read_range

    def counted(store, path, start, length):
        asked.append(length)
        return real(store, path, start, length)

    monkeypatch.setattr(storage.Store, "read_range", counted)
    assert previews.of(scope, made, "a.onnx").model["parameter_count"] == 2_000_000
    assert previews.of(scope, made, "b.csv").is_cut
    assert sum(asked) < 400_000
    assert previews.table(scope, made, "b.csv").row_count == 1_000_000
    assert artifacts.get(scope, made.pk).size_bytes > 11_000_000
