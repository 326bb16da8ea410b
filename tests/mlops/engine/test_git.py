"""Git: real servers, every kind of revision, and everything that may go wrong or be meant badly."""

import os
import threading
from pathlib import Path

import psutil
import pytest

from mlops.engine import git
from mlops.engine.git import GitFailed, Limits, Remote, Stopped
from tests.git_server import PASSWORD, USERNAME, GitServer, Project, SshServer
from tests.git_server import git as run_git
from tests.waiting import until

LIMITS = Limits(seconds=30, size_bytes=64 * 1024 * 1024)


@pytest.fixture
def project(tmp_path) -> Project:
    """A repository with one commit."""
    made = Project(tmp_path / "served")
    made.push({"train/train.yaml": "kind: one\n", "other/notes.txt": "beside\n"})
    return made


@pytest.fixture
def server(project):
    """It, served with a password."""
    serving = GitServer(project.bare.parent)
    yield serving
    serving.close()


@pytest.fixture
def remote(server, project) -> Remote:
    """Its address with the right credentials."""
    return Remote(server.url(project), USERNAME, PASSWORD)


@pytest.fixture
def cache(tmp_path) -> Path:
    """Where this host keeps it."""
    return tmp_path / "cache" / "repository"


def files(folder: Path) -> dict[str, str]:
    """Everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def take(remote, revision="main", path="", *, known="", cache, limits=LIMITS, stopped=lambda: False):
    """The commit and what its folder holds, None for a folder that is not wanted again."""
    with git.checkout(remote, revision, path, known=known, cache=cache, limits=limits, stopped=stopped) as (
        commit,
        folder,
    ):
        return commit, folder if folder is None else files(folder)


def refused(remote, revision="main", path="", **more) -> GitFailed:
    """Why it cannot be taken."""
    with pytest.raises(GitFailed) as caught:
        take(remote, revision, path, **more)
    assert PASSWORD not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("revision", ["main", "HEAD", "refs/heads/main", "v1", "full", "short"])
def test_every_kind_of_revision_is_found(revision, remote, project, cache):
    released = project.push({"train/train.yaml": "kind: two\n"}, tag="v1")
    wanted = {"full": released, "short": released[:7]}.get(revision, revision)
    if revision in ("v1", "full", "short"):
        project.push({"train/train.yaml": "kind: three\n"})
        expected = (released, {"train.yaml": "kind: two\n"})
    else:
        expected = (released, {"train.yaml": "kind: two\n"})
    assert take(remote, wanted, "train", cache=cache) == expected
    assert take(remote, wanted, "train", known=released, cache=cache) == (released, None)


def test_a_push_moves_a_branch(remote, project, cache):
    first, _ = take(remote, cache=cache)
    second = project.push({"train/more.py": "print()\n"})
    assert first != second
    assert take(remote, "main", "train", known=first, cache=cache) == (
        second,
        {"train.yaml": "kind: one\n", "more.py": "print()\n"},
    )


def test_what_lies_on_the_disk_is_not_fetched_again(remote, server, cache):
    take(remote, cache=cache)
    server.requests.clear()
    take(remote, cache=cache)
    assert all("upload-pack" not in path or path.endswith("/info/refs") for path, _ in server.requests[:1])
    assert len([path for path, _ in server.requests if path.endswith("/info/refs")]) == 1


def test_a_branch_that_was_forced_back_is_followed(remote, project, cache):
    first = project.push({"a.txt": "first"})
    project.push({"a.txt": "second"})
    take(remote, cache=cache)
    run_git("reset", "--hard", "--quiet", first, at=project.work)
    third = project.push({"a.txt": "third"})
    commit, found = take(remote, cache=cache)
    assert (commit, found["a.txt"]) == (third, "third")


def test_the_tip_alone_is_fetched(remote, project, cache):
    for number in range(5):
        project.push({"a.txt": str(number)})
    take(remote, cache=cache)
    assert run_git("rev-list", "--all", "--count", at=cache / "tips.git") == "1"


def test_a_commit_that_no_branch_holds_any_more_is_refused_or_taken_but_never_another(remote, project, cache):
    gone = project.push({"a.txt": "gone"})
    run_git("reset", "--hard", "--quiet", "HEAD~1", at=project.work)
    project.push({"a.txt": "stays"})
    run_git("reflog", "expire", "--expire=now", "--all", at=project.bare)
    run_git("gc", "--quiet", "--prune=now", at=project.bare)
    error = refused(remote, gone, cache=cache)
    assert error.reached
    assert gone in error.message


@pytest.mark.parametrize("revision", ["nowhere", "v9", "abcd", "f" * 40])
def test_an_unknown_revision_is_named(revision, remote, cache):
    error = refused(remote, revision, cache=cache)
    assert (error.reached, revision in error.message) == (True, True)


def test_an_empty_repository_says_so(server, tmp_path, cache):
    empty = Project(server.home, "empty")
    error = refused(Remote(server.url(empty), USERNAME, PASSWORD), "HEAD", cache=cache)
    assert "empty" in error.message


def test_a_missing_folder_and_a_file_are_named(remote, cache):
    assert "no folder nowhere" in refused(remote, path="nowhere", cache=cache).message
    error = refused(remote, path="train/train.yaml", cache=cache)
    assert error.message.startswith("train/train.yaml is not a folder")
    assert error.reached


@pytest.mark.parametrize(("username", "password"), [(USERNAME, "wrong"), ("", ""), ("eve", PASSWORD)])
def test_wrong_credentials_are_called_that(username, password, server, project, cache):
    remote = Remote(server.url(project), username, password)
    error = refused(remote, cache=cache)
    assert "refused the user name and password" in error.message
    assert not error.reached
    with pytest.raises(GitFailed, match="refused the user name"):
        git.probe(remote, cache=cache, limits=LIMITS, stopped=lambda: False)


def test_no_credentials_are_needed_where_none_are_asked(project, cache):
    serving = GitServer(project.bare.parent, public=True)
    try:
        take(Remote(serving.url(project)), cache=cache)
        assert not any(given for _, given in serving.requests)
    finally:
        serving.close()


def test_no_server_no_repository_and_no_git_are_told_apart(server, cache, tmp_path):
    assert (
        "no repository at this address"
        in refused(Remote(server.url("nothing.git"), USERNAME, PASSWORD), cache=cache).message
    )
    gone = GitServer(tmp_path)
    gone.close()
    assert "cannot be reached" in refused(Remote(gone.url("x.git")), cache=cache).message
    assert "name is not known" in refused(Remote("https://nowhere.invalid/x.git"), cache=cache).message


def test_credentials_follow_no_redirect(remote, server, project, cache):
    other = GitServer(project.bare.parent, public=True)
    try:
        server.redirect_to = f"http://127.0.0.1:{other.port}"
        assert "sends elsewhere" in refused(remote, cache=cache).message
        assert other.requests == []
    finally:
        other.close()


def test_a_server_that_hangs_is_left_at_the_deadline_with_nothing_left_behind(remote, server, cache):
    server.hang = True
    error = refused(remote, cache=cache, limits=Limits(0.6, LIMITS.size_bytes))
    assert "did not answer within 0.6 s" in error.message
    until(lambda: not [one for one in psutil.Process().children(recursive=True) if "git" in one.name()])
    assert not list(cache.glob(".git-*"))


def test_a_worker_that_ends_waits_for_no_server(remote, server, cache):
    server.hang = True
    ending = threading.Event()
    ended: list[BaseException] = []

    def work() -> None:
        try:
            take(remote, cache=cache, stopped=ending.is_set)
        except Stopped as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: server.requests)
    ending.set()
    thread.join(120)
    assert len(ended) == 1


def _arguments_and_environments(ended: threading.Event, seen: set[str]) -> None:
    """Every argument of a child process of ours, as long as it runs."""
    while not ended.is_set():
        for child in psutil.Process().children(recursive=True):
            try:
                seen.update(child.cmdline())
            except psutil.Error:
                continue


def test_the_password_stands_in_no_argument_and_no_file(remote, cache):
    ended, seen = threading.Event(), set()
    watcher = threading.Thread(target=_arguments_and_environments, args=(ended, seen))
    watcher.start()
    for _ in range(3):
        take(remote, cache=cache)
    ended.set()
    watcher.join()
    assert any("ls-remote" in word for word in seen)
    secrets = (PASSWORD, "Authorization", "QUJD")
    assert not [word for word in seen for secret in secrets if secret in word]
    written = [path for path in cache.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in repr(remote)


def test_the_servers_own_settings_do_not_reach_git(remote, cache, tmp_path, monkeypatch):
    hostile = tmp_path / "gitconfig"
    marker = tmp_path / "ran"
    hostile.write_text(
        f'[core]\n\tsshCommand = touch {marker}\n[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://\n'
    )
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(hostile))
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    take(remote, cache=cache)
    assert not marker.exists()
    assert not (tmp_path / "trace").exists()


def test_hooks_filters_and_attributes_of_the_repository_run_nothing(remote, project, cache, tmp_path):
    marker = tmp_path / "ran"
    project.push(
        {
            ".gitattributes": "*.txt filter=evil ident export-subst\nhidden.txt export-ignore\n",
            ".gitconfig": f'[filter "evil"]\n\tsmudge = touch {marker}\n',
            "a.txt": "$Id$ $Format:%H$\n",
            "hidden.txt": "shown all the same",
            "big.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        }
    )
    _, found = take(remote, cache=cache)
    assert found["a.txt"] == "$Id$ $Format:%H$\n"
    assert found["hidden.txt"] == "shown all the same"
    assert found["big.bin"].startswith("version https://git-lfs")
    assert not marker.exists()


def test_submodules_stay_empty_folders(remote, project, server, cache, tmp_path):
    inner = Project(tmp_path / "inner")
    inner.push({"secret.txt": "inner"})
    run_git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(inner.bare),
        "inner",
        at=project.work,
    )
    project.commit()
    _, found = take(remote, cache=cache)
    assert "inner/secret.txt" not in found
    assert ".gitmodules" in found


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_a_link_that_leads_out_is_refused_and_named(target, remote, project, cache):
    (project.work / "leak").symlink_to(target)
    project.commit()
    error = refused(remote, cache=cache)
    assert error.reached
    assert "leak" in error.message
    assert not list(cache.glob(".export-*"))


def test_a_link_inside_stays_one(remote, project, cache):
    (project.work / "same").symlink_to("other/notes.txt")
    project.commit()
    assert take(remote, cache=cache)[1]["same"] == "beside\n"


def test_names_that_lead_out_are_refused(remote, project, cache):
    blob = run_git("hash-object", "-w", "other/notes.txt", at=project.work)
    tree = Path(project.work, "tree")
    tree.write_bytes(b"100644 ../../escaped\0" + bytes.fromhex(blob))
    made = run_git("hash-object", "-t", "tree", "-w", "--literally", str(tree), at=project.work)
    commit = run_git("commit-tree", "-m", "hostile", made, at=project.work)
    run_git("push", "--quiet", "--force", str(project.bare), f"{commit}:refs/heads/main", at=project.work)
    error = refused(remote, cache=cache)
    assert "leads out" in error.message
    assert not (cache.parent / "escaped").exists()


def test_what_is_too_large_is_refused_while_it_comes(remote, project, cache):
    (project.work / "large.bin").write_bytes(os.urandom(3 * 1024 * 1024))
    project.commit()
    error = refused(remote, cache=cache, limits=Limits(30, 1024 * 1024))
    assert "more than 1 MiB" in error.message
    assert sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) < 3 * 1024 * 1024


def test_what_is_large_only_unpacked_is_refused_too(remote, project, cache):
    (project.work / "zeros.bin").write_bytes(bytes(8 * 1024 * 1024))
    project.commit()
    assert "more than 1 MiB" in refused(remote, cache=cache, limits=Limits(30, 1024 * 1024)).message


def test_too_many_files_are_refused(remote, project, cache, monkeypatch):
    monkeypatch.setattr(git, "ENTRY_LIMIT", 10)
    project.push({f"many/{number}": "" for number in range(12)})
    assert "more than 10 files" in refused(remote, cache=cache).message


def test_a_damaged_cache_is_made_anew(remote, project, cache):
    take(remote, cache=cache)
    (cache / "tips.git" / "shallow.lock").write_text("")
    project.push({"a.txt": "more"})
    assert "git failed" in refused(remote, cache=cache).message
    assert "a.txt" in take(remote, cache=cache)[1]


def test_a_cache_of_many_fetches_is_made_anew(remote, project, cache, monkeypatch):
    monkeypatch.setattr(git, "_PACK_LIMIT", 2)
    for number in range(5):
        project.push({"a.txt": str(number)})
        assert take(remote, cache=cache)[1]["a.txt"] == str(number)
    assert len(list((cache / "tips.git").glob("objects/pack/*.pack"))) <= 3


def test_several_at_once_share_a_cache(remote, project, cache):
    found: list[tuple[str, str]] = []

    def work(revision: str, path: str) -> None:
        found.append((path, str(take(remote, revision, path, cache=cache)[1])))

    wanted = [("main", "train"), ("HEAD", "other"), (project.push({"a": ""})[:8], "train")]
    threads = [threading.Thread(target=work, args=one) for one in wanted * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(path for path, _ in found) == ["other"] * 2 + ["train"] * 4
    assert {text for path, text in found if path == "other"} == {"{'notes.txt': 'beside\\n'}"}


def test_file_addresses_work_where_they_are_let_through(project, cache):
    assert "train/train.yaml" in take(Remote(f"file://{project.bare}"), cache=cache)[1]


def test_other_transports_are_refused_by_git_itself(cache, tmp_path):
    marker = tmp_path / "ran"
    refused(Remote(f"ext::sh -c touch% {marker}"), cache=cache)
    assert not marker.exists()


@pytest.fixture
def ssh(tmp_path):
    """A real sshd that lets one key in."""
    serving = SshServer(tmp_path / "sshd")
    yield serving
    serving.close()


def test_ssh_takes_a_private_key_as_the_password(ssh, project, cache):
    remote = Remote(ssh.url(project), "git", ssh.key.replace("\n", "\r\n"))
    assert "train/train.yaml" in take(remote, cache=cache)[1]
    assert (cache / "known_hosts").read_text().startswith("[127.0.0.1]")
    nameless = Remote(ssh.url(project).replace(f"{ssh.user}@", ""), ssh.user, ssh.key)
    assert take(nameless, "HEAD", cache=cache)[0]
    assert not [path for path in cache.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def test_ssh_refuses_another_key_and_a_changed_host(ssh, project, cache, tmp_path):
    stranger = SshServer(tmp_path / "stranger")
    try:
        error = refused(Remote(ssh.url(project), "git", stranger.key), cache=cache)
        assert "private key" in error.message
        assert "private key" in refused(Remote(ssh.url(project), "git", "no key"), cache=cache).message
    finally:
        stranger.close()
    ssh.change_host_key()
    assert "another host key" in refused(Remote(ssh.url(project), "git", ssh.key), cache=cache).message


def test_time_is_kept_by_all_commands_together(remote, cache):
    error = refused(remote, cache=cache, limits=Limits(0.001, LIMITS.size_bytes))
    assert "did not answer within 0.001 s" in error.message
