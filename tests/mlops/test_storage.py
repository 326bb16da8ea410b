"""Addresses are checked, bytes stream, writes appear whole or not at all, links never lead out."""

import hashlib
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from launchpad.errors import Conflict, Invalid
from mlops import storage
from mlops.storage import Location, Store
from mlops.storage.local import LocalFolder
from mlops.storage.s3 import S3Bucket, S3Place

NAMES = [
    "plain",
    "a b.txt",
    "größe/日本.csv",
    "x#y",
    "part#",
    "q?z",
    "p%20q",
    "100%",
    "a/b#2/c",
    "<b>&'\"",
    "~",
]
BAD_PATHS = [
    "../x",
    "a/../b",
    "a/./b",
    "a//b",
    "/a",
    "a/",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7f",
    "\udcff",
    "x#1",
    "c:",
]


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path: Path) -> Store:
    """A store of each kind; what Store promises holds for all."""
    if request.param == "folder":
        return request.getfixturevalue("folder_store")
    server = request.getfixturevalue("s3")
    place = S3Place(server.endpoint, "eu-central-1", server.bucket(), "pre/fix", True, "key id", "key")
    return Store(S3Bucket(place), "default")


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return Store(LocalFolder(tmp_path / "store"), "default")


def content(store: Store, path: str) -> bytes:
    return b"".join(store.open(path))


def test_an_address_is_taken_literally():
    assert storage.parse_url("ai://default/a%20b/c?d#e") == Location("default", "a%20b/c?d#e")
    assert storage.url(Location("default", "a%20b/c?d#e")) == "ai://default/a%20b/c?d#e"


@pytest.mark.parametrize("path", BAD_PATHS)
def test_an_address_that_could_lead_astray_is_refused_with_a_sentence(path, store):
    with pytest.raises(Invalid) as refused:
        storage.parse_url(f"ai://default/{path}")
    assert refused.value.message.endswith(".")
    assert refused.value.message.isprintable()
    with pytest.raises(Invalid):
        store.write(path, [b"x"])


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("s3://bucket/data", "ai://"),
        ("", "ai://"),
        ("AI://default/data", "ai://"),
        ("ai://default", "no file or folder"),
        ("ai://default/", "no file or folder"),
        ("ai://Def ault/data", "store's name"),
        ("ai:///data", "store's name"),
        ("ai://default/" + "x" * 1012, "1024"),
        ("ai://default/" + "ü" * 128, "255 bytes"),
        ("ai://default/.incoming/x", "unfinished"),
    ],
)
def test_another_kind_of_address_is_refused_and_the_reason_named(address, word):
    with pytest.raises(Invalid, match=word):
        storage.parse_url(address)


def test_the_longest_address_is_accepted():
    address = "ai://default/" + "/".join(["x" * 250] * 4)
    address += "/" + "y" * (1024 - len(address) - 1)
    assert storage.url(storage.parse_url(address)) == address


@pytest.mark.parametrize("name", NAMES)
def test_names_with_odd_letters_are_written_listed_and_read(name, store):
    store.write(f"folder/{name}", [b"he", b"llo"])
    assert [file.path for file in store.files("folder")] == [name]
    assert content(store, f"folder/{name}") == b"hello"


def test_a_file_is_inspected(store):
    written = store.write("data.csv", [b"a,b\n", b"1,2\n"])
    assert store.inspect("data.csv") == written
    assert written.digest == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (written.size_bytes, written.file_count, written.is_folder) == (8, 1, False)
    assert [file.path for file in store.files("data.csv")] == ["data.csv"]


def test_a_folder_is_inspected_by_its_sorted_listing(store):
    store.write("data/b", [b"2"])
    store.write("data/a/c", [b"1"])
    store.write("data-2", [b"not in the folder"])
    found = store.inspect("data")
    listing = b"".join(
        name + b"\0" + hashlib.sha256(body).hexdigest().encode() + b"\n"
        for name, body in ((b"a/c", b"1"), (b"b", b"2"))
    )
    assert found.digest == hashlib.sha256(listing).hexdigest()
    assert (found.size_bytes, found.file_count, found.is_folder) == (2, 2, True)
    assert store.size("data") == (2, 2)


def test_what_is_not_there_is_named(store):
    store.write("file", [b"x"])
    assert not store.exists("data")
    assert not store.exists("file/below")
    assert store.size("data") == (0, 0)
    for act in (store.inspect, store.files, store.open, lambda path: store.fetch(path, Path("never"))):
        with pytest.raises(Invalid, match="stored at ai://default/data"):
            act("data")


def test_an_empty_file_is_a_file(store):
    store.write("empty", [])
    assert store.inspect("empty").size_bytes == 0
    assert store.beginning("empty", 10) == b""
    assert content(store, "empty") == b""


def test_nothing_is_written_over(store):
    store.write("data", [b"first"])
    for path in ("data", "data/below"):
        with pytest.raises(Conflict):
            store.write(path, [b"second"])
    store.write("folder/file", [b"first"])
    for overwrite in (False, True):
        with pytest.raises(Conflict, match="folder"):
            store.write("folder", [b"second"], overwrite=overwrite)
    assert content(store, "data") == b"first"
    store.write("data", [b"second"], overwrite=True)
    assert content(store, "data") == b"second"


def test_of_two_writers_at_once_one_wins(folder_store):
    both_started = threading.Barrier(2, timeout=120)
    refused: list[Conflict] = []

    def chunks(text: bytes):
        both_started.wait()
        yield text

    def write(text: bytes) -> None:
        try:
            folder_store.write("data", chunks(text))
        except Conflict as error:
            refused.append(error)

    writers = [threading.Thread(target=write, args=(text,)) for text in (b"one", b"two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(refused) == 1
    assert content(folder_store, "data") in {b"one", b"two"}


def test_a_write_that_breaks_leaves_nothing(folder_store, tmp_path):
    def broken():
        for _ in range(12):
            yield b"x" * 1024 * 1024
        raise FileNotFoundError("the client went away")

    with pytest.raises(FileNotFoundError, match="client"):
        folder_store.write("data/big", broken())
    assert not folder_store.exists("data")
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_two_hundred_megabytes_pass_in_constant_memory(folder_store, tmp_path):
    tracemalloc.start()
    written = folder_store.write("big", (b"x" * 1024 * 1024 for _ in range(200)))
    folder_store.fetch("big", tmp_path / "copy")
    assert folder_store.inspect("big") == written
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written.size_bytes == (tmp_path / "copy").stat().st_size == 200 * 1024 * 1024
    assert peak < 40 * 1024 * 1024


def test_the_beginning_of_a_file(store):
    store.write("text", [b"abcdef"])
    assert store.beginning("text", 3) == b"abc"
    assert store.beginning("text", 100) == b"abcdef"


def test_trees_go_in_and_out(store, tmp_path):
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (model / "a.txt").write_bytes(b"A")
    (model / "sub" / ".incoming").write_bytes(b"B")
    (model / "latest").symlink_to("sub")
    stored = store.upload_tree(model, "run/model")
    assert stored == store.inspect("run/model")
    assert [file.path for file in store.files("run/model")] == ["a.txt", "latest/.incoming", "sub/.incoming"]
    store.fetch("run/model", tmp_path / "whole")
    assert (tmp_path / "whole" / "latest" / ".incoming").read_bytes() == b"B"
    store.fetch("run/model", tmp_path / "part", "sub")
    assert [path.name for path in (tmp_path / "part").iterdir()] == [".incoming"]
    store.fetch("run/model", tmp_path / "single" / "file", "a.txt")
    assert (tmp_path / "single" / "file").read_bytes() == b"A"
    with pytest.raises(Conflict, match="exists already"):
        store.fetch("run/model/a.txt", tmp_path / "single" / "file")
    with pytest.raises(Invalid):
        store.fetch("run/model", tmp_path / "out", "../other")


def test_a_single_file_goes_in(store, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    assert not store.upload_tree(tmp_path / "model.onnx", "run/model").is_folder
    assert content(store, "run/model") == b"onnx"


def test_a_tree_is_not_stored_over_another(store, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_bytes(b"A")
    store.write("run/model/b", [b"B"])
    with pytest.raises(Conflict):
        store.upload_tree(tmp_path / "model", "run/model")
    assert [file.path for file in store.files("run/model")] == ["b"]


def _leaving(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")


def _leaving_folder(folder: Path) -> None:
    (folder / "link").symlink_to("..")


def _broken(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")


def _circle(folder: Path) -> None:
    (folder / "sub" / "link").symlink_to("../sub")


def _bad_name(folder: Path) -> None:
    (folder / "zz\n").write_bytes(b"")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "zz")


@pytest.mark.parametrize("spoil", [_leaving, _leaving_folder, _broken, _circle, _bad_name, _pipe])
def test_a_tree_with_something_unstorable_is_refused_whole(spoil, store, tmp_path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_bytes(b"A")
    spoil(folder)
    with pytest.raises(Invalid):
        store.upload_tree(folder, "run/model")
    assert not store.exists("run")


def test_a_missing_or_empty_output_is_refused(store, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, word in (("missing", "does not exist"), ("empty", "no files")):
        with pytest.raises(Invalid, match=word):
            store.upload_tree(tmp_path / name, "run/model")


def test_links_may_reach_as_far_as_told(store, tmp_path):
    place = tmp_path / "place"
    (place / "model").mkdir(parents=True)
    (place / "model" / "a").write_bytes(b"A")
    (place / "link").symlink_to("model")
    (place / "out").symlink_to("/etc")
    store.upload_tree(place / "link", "run/model", within=place)
    assert content(store, "run/model/a") == b"A"
    with pytest.raises(Invalid, match="leaves the folder"):
        store.upload_tree(place / "out", "run/out", within=place)


def test_half_a_tree_is_removed_again(store, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_bytes(b"A")
    (folder / ("b" * 255)).write_bytes(b"B")
    with pytest.raises(Invalid):
        store.upload_tree(folder, "/".join(["x" * 200] * 4))
    assert not store.exists("x" * 200)


def test_links_in_the_store_that_lead_out_are_as_if_absent(folder_store, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"secret")
    folder_store.write("data/a", [b"A"])
    local = tmp_path / "store" / "data"
    (local / "key").symlink_to(tmp_path / "secret" / "key")
    (local / "all").symlink_to(tmp_path / "secret")
    assert [file.path for file in folder_store.files("data")] == ["a"]
    for path in ("data/key", "data/all", "data/all/key"):
        assert not folder_store.exists(path)
        with pytest.raises(Invalid):
            folder_store.open(path)
    folder_store.fetch("data", tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["a"]


def test_deleting_takes_the_path_and_all_below_and_nothing_beside(store):
    for path in ("data/a", "data/b/c", "data-2", "other"):
        store.write(path, [b"x"])
    store.delete_prefix("data")
    store.delete_prefix("other")
    store.delete_prefix("never/was")
    assert not store.exists("data")
    assert not store.exists("other")
    assert store.exists("data-2")


def test_each_group_has_its_own_store(settings, tmp_path, red, blue):
    settings.LAUNCHPAD_DATA = tmp_path
    storage.open_store(red).write("data", [b"red"])
    storage.open_source_trees(red.workspace).write("tree", [b"tree"])
    assert (tmp_path / "stores" / "north" / "red" / "default" / "data").read_bytes() == b"red"
    assert not storage.open_store(blue).exists("data")
    with pytest.raises(Invalid, match="no object store “other”"):
        storage.open_store(red, "other")


def test_the_stores_are_closed_to_other_users_of_the_host(settings, tmp_path, red):
    settings.LAUNCHPAD_DATA = tmp_path / "data"
    before = os.umask(0o022)
    try:
        storage.open_store(red).write("a", [b"A"])
    finally:
        os.umask(before)
    assert (tmp_path / "data" / "stores").stat().st_mode & 0o007 == 0
