"""Git repositories: what a revision stands for, and a folder of it on this host's disk."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from mlops.engine import archives, git_places
from mlops.engine.git_process import Git, GitFailed, Limits, Remote, Stopped

__all__ = ["GitFailed", "Limits", "Remote", "Stopped", "checkout", "probe"]

ENTRY_LIMIT = 50_000
_PACK_LIMIT = 100
_LOCK_POLL_SECONDS = 0.1


def probe(remote: Remote, *, cache: Path, limits: Limits, stopped: Callable[[], bool]) -> None:
    """Whether the repository can be reached with these credentials. Raises GitFailed, Stopped, OSError."""
    cache.mkdir(parents=True, exist_ok=True)
    Git(remote, cache, limits, stopped).run("ls-remote", "--", remote.url, "HEAD", at=cache)


@contextlib.contextmanager
def checkout(
    remote: Remote,
    revision: str,
    path: str,
    *,
    known: str = "",
    cache: Path,
    limits: Limits,
    stopped: Callable[[], bool],
) -> Iterator[tuple[str, Path | None]]:
    """The commit that a revision stands for now, and the folder `path` of it for as long as the block lasts.

    known: a commit whose folder is not wanted again: then None takes the folder's place and nothing is
    fetched. cache: the repository's own folder on this host, safe in any number of processes. Submodules are
    empty folders, files of LFS their pointers; no attribute, filter or hook is heeded. Raises GitFailed,
    Stopped, OSError.
    """
    cache.mkdir(parents=True, exist_ok=True)
    git = Git(remote, cache, limits, stopped)
    ref, commit = _ask(git, revision)
    if known and (commit == known or (not commit and known.startswith(revision.lower()))):
        yield known, None
        return
    with tempfile.TemporaryDirectory(prefix=".export-", dir=cache) as place:
        with _locked(cache / "lock", git):
            try:
                commit, at = _fetch(git, revision, ref, commit)
                _export(git, at, commit, path, Path(place))
            except GitFailed as error:
                if not error.known:
                    # Whatever lies there, the next sync begins anew.
                    _forget(cache)
                raise
        yield commit, Path(place, "tree")


def _ask(git: Git, revision: str) -> tuple[str, str]:
    """The ref and the commit that a revision names at the server; both empty when it can only be a commit."""
    names = {f"refs/heads/{revision}": 1, f"refs/tags/{revision}": 2}
    if revision == "HEAD":
        names = {"HEAD": 0}
    elif revision.startswith("refs/"):
        names = {revision: 0}
    asked = [pattern for name in names for pattern in (name, f"{name}^{{}}")]
    printed = git.run("ls-remote", "--", git.remote.url, *asked, at=git.cache)
    # Patterns match the ends of names too: only the very names count.
    pairs = (line.split("\t", 1) for line in printed.splitlines() if "\t" in line)
    told = {name: commit for commit, name in pairs}
    for name in names:
        if name in told:
            # An annotated tag has an object of its own; what it points to is told beside it.
            return name, told.get(f"{name}^{{}}", told[name])
    if not git_places.is_commit(revision):
        empty = revision == "HEAD" and not told
        raise GitFailed(
            "The repository is empty: it has no HEAD yet. Push a commit first."
            if empty
            else f"The repository has no branch, tag or commit {revision}.",
            reached=True,
        )
    return "", revision.lower() if len(revision) == 40 else ""


def _fetch(git: Git, revision: str, ref: str, commit: str) -> tuple[str, Path]:
    """The commit's full id and the bare repository below the cache that now holds it."""
    tips = _bare(git, "tips.git")
    if commit and _holds(git, tips, commit):
        return commit, tips
    if ref:
        kept = f"refs/launchpad/{hashlib.sha256(ref.encode()).hexdigest()[:16]}"
        _bring(git, tips, "--depth=1", f"+{ref}:{kept}")
        # The branch may have moved on since it was asked for.
        return git.run("rev-parse", "--verify", f"{kept}^{{commit}}", at=tips), tips
    if commit:
        with contextlib.suppress(GitFailed):
            # Many servers give out a commit by its id; from the others all is fetched.
            _bring(git, tips, "--depth=1", commit)
            return commit, tips
    whole = _bare(git, "whole.git")
    if not _holds(git, whole, revision.lower()):
        _bring(git, whole, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    try:
        name = f"{revision.lower()}^{{commit}}"
        return git.run("rev-parse", "--verify", "--quiet", "--end-of-options", name, at=whole), whole
    except GitFailed as error:
        git.check_time()
        raise GitFailed(
            f"The repository has no branch, tag or commit {revision}, or several commits begin like this.",
            reached=True,
        ) from error


def _bring(git: Git, at: Path, *what: str) -> None:
    options = [word for word in what if word.startswith("--")]
    refs = [word for word in what if not word.startswith("--")]
    never = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance"]
    git.run("fetch", "--quiet", *never, *options, "--", git.remote.url, *refs, at=at)


def _bare(git: Git, name: str) -> Path:
    """The bare repository of this name below the cache; one that took too many fetches is made anew."""
    at = git.cache / name
    if len(list(at.glob("objects/pack/*.pack"))) > _PACK_LIMIT:
        shutil.rmtree(at)
    if not (at / "HEAD").exists():
        git.run("init", "--quiet", "--bare", "--template=", "--", str(at), at=at)
    return at


def _holds(git: Git, at: Path, commit: str) -> bool:
    try:
        git.run("cat-file", "-e", f"{commit}^{{commit}}", at=at)
    except GitFailed as error:
        if error.known and not error.reached:
            raise
        return False
    return True


def _export(git: Git, at: Path, commit: str, path: str, place: Path) -> None:
    """Unpack the folder as `tree` below the place."""
    try:
        kind = git.run("cat-file", "-t", f"{commit}:{path}", at=at)
    except GitFailed as error:
        git.check_time()
        raise GitFailed(f"Commit {commit[:7]} has no folder {path}.", reached=True) from error
    if kind != "tree":
        raise GitFailed(f"{path} is not a folder in commit {commit[:7]}.", reached=True)
    packed = place / "tree.tar"
    with packed.open("wb") as file:
        # Attributes of the tree stay unread: they could change what is exported, and reading them loads a
        # tree of any size into memory.
        git.run("archive", "--format=tar", "--worktree-attributes", f"{commit}:{path}", at=at, out=file)
    try:
        _count(packed)
        archives.extract(packed, place / "tree")
    except (ValueError, tarfile.TarError) as error:
        raise GitFailed(f"The folder cannot be taken: {error}", reached=True) from error
    packed.unlink()


def _count(packed: Path) -> None:
    with tarfile.open(packed) as archive:
        for number, _ in enumerate(archive):
            if number >= ENTRY_LIMIT:
                raise ValueError(f"it holds more than {ENTRY_LIMIT:,} files and folders.")


def _forget(cache: Path) -> None:
    for name in ("tips.git", "whole.git"):
        shutil.rmtree(cache / name, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path, git: Git) -> Iterator[None]:
    """Hold a repository's lock on this host; it falls with the process that holds it."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                git.check_time()
            threading.Event().wait(_LOCK_POLL_SECONDS)
        yield
