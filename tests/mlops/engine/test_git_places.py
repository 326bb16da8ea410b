"""Addresses, revisions and folders: what is kept, and what is refused before git hears of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.engine import git_places


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://host.example/team/templates.git", "https://host.example/team/templates.git"),
        (" https://host.example:8443/team/templates/ ", "https://host.example:8443/team/templates"),
        ("ssh://git@host.example/team/templates.git", "ssh://git@host.example/team/templates.git"),
        ("ssh://host.example:2222/srv/x", "ssh://host.example:2222/srv/x"),
        ("git@host.example:team/templates.git", "git@host.example:team/templates.git"),
        ("http://127.0.0.1:8000/x.git", "http://127.0.0.1:8000/x.git"),
        ("http://localhost/x.git", "http://localhost/x.git"),
        ("http://[::1]:8000/x.git", "http://[::1]:8000/x.git"),
    ],
)
def test_good_addresses_are_kept(given_url, kept):
    assert git_places.check_url(given_url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-x",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "git://host.example/x",
        "ftp://host.example/x",
        "file:///srv/x",
        "/srv/x",
        "../x",
        "x",
        "http://host.example/x.git",
        "http://10.0.0.1/x.git",
        "https://user@host.example/x.git",
        "https://user:word@host.example/x.git",
        "ssh://git:word@host.example/x",
        "ssh://-oProxyCommand=touch@host/x",
        "ssh://-oProxyCommand=touch/x",
        "-oProxyCommand=touch:x",
        "git@-oProxyCommand=touch:x",
        "https://host.example",
        "https://host.example/",
        "https:///x.git",
        "https://host.example:99999/x.git",
        "https://host.example:port/x.git",
        "https://[::1/x.git",
        "https://host.example/x.git?token=word",
        "https://host.example/x.git#there",
        "https://host.example/x y.git",
        "https://host.example/x\n.git",
        "https://host.example/x\0.git",
        "https://host.example/x%00.git",
        "https://höst.example/x.git",
        "https://host.example/\udcff.git",
        "https://host.example/" + "x" * 1024,
    ],
)
def test_hostile_addresses_are_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        git_places.check_url(url)
    assert "word" not in str(caught.value).replace("password", "")


def test_http_and_files_need_leave():
    assert git_places.check_url("http://host.example/x", allow_http=True)
    assert git_places.check_url("file:///srv/x.git", allow_file=True) == "file:///srv/x.git"
    for url in ("file://host/srv/x", "file://srv", "file://"):
        with pytest.raises(ValueError, match=r"Give|give"):
            git_places.check_url(url, allow_file=True)


@pytest.mark.parametrize(
    "revision", ["HEAD", "main", "feature/a-b_c.d", "v1.0.0", "a1b2c3d", "refs/tags/v1", "größe", "a@b"]
)
def test_good_revisions_are_kept(revision):
    assert git_places.check_revision(f" {revision} ") == revision


@pytest.mark.parametrize(
    "revision",
    [
        "",
        " ",
        "-x",
        "--upload-pack=touch",
        "--output=/tmp/x",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "a@{1}",
        "@",
        "/a",
        "a/",
        "a//b",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a\nb",
        "a\0b",
        "a\x7fb",
        "\udcff",
        "a" * 257,
    ],
)
def test_hostile_revisions_are_refused(revision):
    with pytest.raises(ValueError, match="Give a branch"):
        git_places.check_revision(revision)


@pytest.mark.parametrize(
    ("given_path", "kept"),
    [("", ""), (".", ""), ("./", ""), ("a", "a"), ("./a//b/./c/", "a/b/c"), ("-x", "-x"), ("ü b", "ü b")],
)
def test_good_paths_are_kept(given_path, kept):
    assert git_places.check_path(given_path) == kept


@pytest.mark.parametrize(
    "path", ["/a", "/", "..", "a/../b", "a/..", "a\0b", "a\nb", "a\\b", "\udcff", "x/" * 513]
)
def test_hostile_paths_are_refused(path):
    with pytest.raises(ValueError, match="path"):
        git_places.check_path(path)


@given(st.text(max_size=60))
def test_whatever_passes_is_no_option_and_has_no_control_character(text):
    for check in (git_places.check_url, git_places.check_revision):
        try:
            kept = check(text)
        except ValueError:
            continue
        assert not kept.startswith("-")
        assert kept.isprintable()
        assert check(kept) == kept


def test_what_an_address_says():
    assert git_places.scheme("git@host:x") == git_places.scheme("ssh://host/x") == "ssh"
    assert git_places.scheme("https://host/x") == "https"
    assert git_places.user("git@host:x") == git_places.user("ssh://git@host/x") == "git"
    assert git_places.user("ssh://host/x") == ""
    assert [git_places.is_commit(text) for text in ("abcd", "ABCD" * 10, "abc", "main", "a" * 41)] == [
        True,
        True,
        False,
        False,
        False,
    ]
