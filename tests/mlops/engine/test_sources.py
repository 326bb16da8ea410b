"""Source trees are packed the same way every time, and unpacked only where they belong."""

import os
import threading

import pytest

from mlops.engine import sources


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub" / "__pycache__").mkdir(parents=True)
    (tree / ".git").mkdir()
    (tree / ".git" / "config").write_text("x")
    (tree / "train.py").write_text("print('größer')\n")
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o700)
    (tree / "sub" / "__pycache__" / "a.pyc").write_text("x")
    (tree / "sub" / "link").symlink_to("../train.py")
    (tree / "empty").mkdir()
    return tree


def test_the_digest_depends_on_the_content_alone(tree, tmp_path):
    first = sources.pack(tree, tmp_path / "1.tar")
    os.utime(tree / "train.py", (1, 1))
    (tree / "train.py").chmod(0o600)
    assert sources.pack(tree, tmp_path / "2.tar") == first
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    (tree / "train.py").write_text("print()\n")
    assert sources.pack(tree, tmp_path / "3.tar") != first


def test_packed_and_unpacked_it_is_the_same(tree, tmp_path):
    digest = sources.pack(tree, tmp_path / "1.tar")
    place = sources.unpack(tmp_path / "1.tar", digest, tmp_path / "cache")
    found = sorted(path.relative_to(place).as_posix() for path in place.rglob("*"))
    assert found == ["empty", "run.sh", "sub", "sub/link", "train.py"]
    assert (place / "sub" / "link").read_text() == "print('größer')\n"
    assert oct((place / "run.sh").stat().st_mode)[-3:] == "755"
    assert oct(place.stat().st_mode)[-3:] == "755"
    (tmp_path / "1.tar").unlink()
    assert sources.unpack(tmp_path / "1.tar", digest, tmp_path / "cache") == place


def test_many_at_once(tree, tmp_path):
    digest = sources.pack(tree, tmp_path / "1.tar")
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(sources.unpack(tmp_path / "1.tar", digest, tmp_path / "cache"))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == [tmp_path / "cache" / digest] * 8
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [digest]


def test_a_damaged_archive_is_refused(tree, tmp_path):
    digest = sources.pack(tree, tmp_path / "1.tar")
    with (tmp_path / "1.tar").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="damaged"):
        sources.unpack(tmp_path / "1.tar", digest, tmp_path / "cache")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "../sub/../../x", ".."])
def test_links_that_leave_the_tree_are_not_packed(tree, tmp_path, target):
    (tree / "bad").symlink_to(target)
    with pytest.raises(ValueError, match="The link bad leads out"):
        sources.pack(tree, tmp_path / "1.tar")


def test_what_is_no_file_is_not_packed(tree, tmp_path):
    os.mkfifo(tree / "pipe")
    with pytest.raises(ValueError, match="pipe is neither"):
        sources.pack(tree, tmp_path / "1.tar")


def test_a_tree_over_the_limit_is_not_packed(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LIMIT_BYTES", 10)
    with pytest.raises(ValueError, match="larger than"):
        sources.pack(tree, tmp_path / "1.tar")
