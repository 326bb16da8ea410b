"""Zip files of others: plain files come out, nothing else does, and no bomb goes off."""

import io
import stat
import zipfile

import pytest

from mlops.formats import zips
from tests.mlops.formats.files import zipped


def unpacked(body, **limits):
    found = zips.entries(io.BytesIO(body), **({"files_limit": 10, "bytes_limit": 10_000_000} | limits))
    return {path: b"".join(chunks) for path, chunks in found}


def test_files_come_out_in_order_without_folders_and_litter():
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.mkdir("empty")
        archive.writestr("b/x.txt", b"one")
        archive.writestr("__MACOSX/b/._x.txt", b"litter")
        archive.writestr("a.bin", bytes(3_000_000))
    found = unpacked(body.getvalue())
    assert list(found) == ["b/x.txt", "a.bin"]
    assert found["b/x.txt"] == b"one" and len(found["a.bin"]) == 3_000_000


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_links_and_devices_are_refused():
    for mode in (stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr(entry("evil", mode), "/etc/passwd")
        with pytest.raises(zips.Refused, match="a link or a device"):
            unpacked(body.getvalue())


def test_too_many_files_and_too_many_bytes_are_refused_before_any_is_read():
    with pytest.raises(zips.Refused, match="11 files; at most 10"):
        unpacked(zipped({f"f{number}": b"x" for number in range(11)}))
    with pytest.raises(zips.Refused, match="more than 1 MiB"):
        unpacked(zipped({"bomb": bytes(5_000_000)}), bytes_limit=1024**2)


def test_a_size_that_is_a_lie_does_not_help():
    body = bytearray(zipped({"bomb": bytes(5_000_000)}))
    # The uncompressed size, in the entry and in the list at the end.
    for at in (body.find(b"PK\x03\x04") + 22, body.find(b"PK\x01\x02") + 24):
        body[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(zips.Refused, match="broken"):
        unpacked(bytes(body))


@pytest.mark.parametrize("flag", [1])
def test_encrypted_ones_are_refused(flag):
    body = bytearray(zipped({"a": b"x"}))
    for at in (body.find(b"PK\x03\x04") + 6, body.find(b"PK\x01\x02") + 8):
        body[at] |= flag
    with pytest.raises(zips.Refused, match="encrypted"):
        unpacked(bytes(body))


def test_broken_ones_are_refused():
    whole = zipped({"a": b"text " * 1000})
    damaged = bytearray(whole)
    damaged[40:50] = b"\xff" * 10
    for body in (b"", b"no zip", whole[:-30], bytes(damaged)):
        with pytest.raises(zips.Refused):
            unpacked(body)


def test_an_endless_list_is_not_read(monkeypatch):
    monkeypatch.setattr(zips, "_LIST_BYTES", 70_000)
    body = zipped({f"{number:0200d}": b"" for number in range(400)})
    with pytest.raises(zips.Refused, match="no zip file, or a broken one"):
        unpacked(body, files_limit=1000)
