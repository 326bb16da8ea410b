"""Archives from elsewhere: nothing lands, or points, outside."""

import io
import tarfile

import pytest

from mlops.engine import archives


def _entry(name, kind=tarfile.REGTYPE, link=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        _entry("../x"),
        _entry("/tmp/x"),
        _entry("a/../../x"),
        _entry("link", tarfile.SYMTYPE, "../x"),
        _entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        _entry("link", tarfile.LNKTYPE, "x"),
        _entry("device", tarfile.CHRTYPE),
        _entry("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda entry: f"{entry.name}-{entry.linkname}",
)
def test_archives_that_reach_outside_are_refused(tmp_path, entry):
    archive = tmp_path / "bad.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(entry, io.BytesIO())
    with pytest.raises(ValueError, match=r"leads out|neither a file"):
        archives.extract(archive, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_nothing_is_written_behind_a_link(tmp_path):
    # By names alone `b/..` stays inside; followed through `b` it does not.
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(_entry("b", tarfile.SYMTYPE, "."))
        tar.addfile(_entry("c", tarfile.SYMTYPE, "b/.."))
        tar.addfile(_entry("c/evil"), io.BytesIO())
    with pytest.raises(ValueError, match="behind a link"):
        archives.extract(tmp_path / "bad.tar", tmp_path / "to")
    assert not (tmp_path / "evil").exists()


def test_what_stays_inside_is_unpacked_without_special_rights(tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "tool").write_text("x")
    (folder / "sub" / "tool").chmod(0o4777)
    (folder / "link").symlink_to("sub/tool")
    (folder / "twin").hardlink_to(folder / "sub" / "tool")
    with tarfile.open(tmp_path / "good.tgz", "w:gz") as tar:
        tar.add(folder, arcname=".")
    archives.extract(tmp_path / "good.tgz", tmp_path / "to")
    assert (tmp_path / "to" / "link").read_text() == (tmp_path / "to" / "twin").read_text() == "x"
    assert (tmp_path / "to" / "sub" / "tool").stat().st_mode & 0o7777 == 0o755
