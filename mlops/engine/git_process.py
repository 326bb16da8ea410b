"""Runs the git executable for addresses that come from people: no prompt, hook, filter or foreign setting."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import resource
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mlops.engine import git_places

# Of the server's own environment git sees how to reach the outside, and nothing else.
_PASSED = re.compile(
    r"PATH|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|CURL_CA_BUNDLE|"
    r"(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy"
)
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # One pack a fetch, so that the limit on a file's size is one on what a fetch brings.
    "transfer.unpackLimit": "1",
    # Credentials go to the address that was given and to no other.
    "http.followRedirects": "false",
    "protocol.version": "2",
}
_SSH = (
    "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o GlobalKnownHostsFile=/dev/null "
    "-o UpdateHostKeys=no -o IdentitiesOnly=yes -o IdentityAgent=none -o ForwardAgent=no "
    "-o ClearAllForwardings=yes -o PermitLocalCommand=no -o ConnectTimeout=15 "
    "-o ServerAliveInterval=15 -o ServerAliveCountMax=4"
)
_MEMORY_BYTES = 4 * 1024**3
_SAID_BYTES = 16 * 1024
_POLL_SECONDS = 0.05
# git, and beside it a reader of our pipe: its end means that the worker is gone, and everything ends. A
# parent-death signal would reach git alone and not the helpers that talk to the server.
_GUARDED = 'exec 3<&0; { read _ <&3; kill -KILL 0; } & git "$@" 3<&- </dev/null & wait $!'


class GitFailed(Exception):
    """What was asked of a repository cannot be had; the text says why, for people, and holds no secret.

    reached: whether the repository itself could be reached. known: whether the reason is understood and the
    cache left in order; else it is made anew.
    """

    def __init__(self, message: str, *, reached: bool = False, known: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.reached = reached
        self.known = known


class Stopped(Exception):
    """This process is about to end."""


@dataclass(frozen=True)
class Remote:
    """A repository and who we are there. password: also a token, or for ssh a private key in PEM."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Limits:
    """seconds: for one call of `mlops.engine.git`; size_bytes: of what a fetch brings and of an export."""

    seconds: float
    size_bytes: int


class Git:
    """One piece of work with a repository, all of its commands before one deadline.

    cache: the repository's folder on this host. stopped: asked twenty times a second.
    """

    def __init__(self, remote: Remote, cache: Path, limits: Limits, stopped: Callable[[], bool]) -> None:
        self.remote = remote
        self.cache = cache
        self.limits = limits
        self._stopped = stopped
        self._until = time.monotonic() + limits.seconds

    def check_time(self) -> None:
        """Raise Stopped or, past the deadline, GitFailed."""
        if self._stopped():
            raise Stopped
        if time.monotonic() > self._until:
            raise GitFailed(
                f"The git server did not answer within {self.limits.seconds:g} s. "
                "It is asked again at the next sync."
            )

    def run(self, *arguments: str, at: Path, out: IO[bytes] | None = None) -> str:
        """Run one git command in the bare repository `at`; what it printed, without the last newline.

        out: takes the output instead. Raises GitFailed, with git's own words where nothing better is
        known, and Stopped; the command's whole process group is gone by then.
        """
        self.check_time()
        with (
            tempfile.TemporaryDirectory(prefix=".git-", dir=self.cache) as place,
            tempfile.TemporaryFile(dir=place) as printed,
            tempfile.TemporaryFile(dir=place) as said,
        ):
            process = subprocess.Popen(
                ["/bin/sh", "-c", _GUARDED, "git", f"--git-dir={at}", *arguments],
                cwd=place,
                env=self._environment(Path(place)),
                stdin=subprocess.PIPE,
                stdout=out or printed,
                stderr=said,
                start_new_session=True,
                preexec_fn=self._confine,
            )
            try:
                while process.poll() is None:
                    self.check_time()
                    threading.Event().wait(_POLL_SECONDS)
            finally:
                # Also after a good end: nothing that git started stays.
                _end(process)
            if process.returncode != 0:
                raise explain(_tail(said), process.returncode, self.limits)
            printed.seek(0)
            return printed.read().decode("utf-8", "replace").removesuffix("\n")

    def _confine(self) -> None:
        """In the child: take no more disk and memory than allowed."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limits.size_bytes, self.limits.size_bytes))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.umask(0o077)

    def _environment(self, place: Path) -> dict[str, str]:
        """The command's whole environment: the only place where the password stands."""
        scheme = git_places.scheme(self.remote.url)
        env = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}
        env |= {
            "HOME": str(place),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": scheme,
        }
        config = dict(_CONFIG)
        if scheme == "ssh":
            env |= {"GIT_SSH_VARIANT": "ssh", "GIT_SSH_COMMAND": self._ssh(place)}
        elif scheme != "file" and (self.remote.username or self.remote.password):
            pair = f"{self.remote.username}:{self.remote.password}".encode()
            config["http.extraHeader"] = f"Authorization: Basic {base64.b64encode(pair).decode()}"
        env["GIT_CONFIG_COUNT"] = str(len(config))
        for number, (name, value) in enumerate(config.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return env

    def _ssh(self, place: Path) -> str:
        key = place / "key"
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.remote.password.replace("\r\n", "\n").strip() + "\n")
        known = shlex.quote(f"UserKnownHostsFile={self.cache / 'known_hosts'}")
        command = f"{_SSH} -o {known} -i {shlex.quote(str(key))}"
        if not git_places.user(self.remote.url) and git_places.is_user(self.remote.username):
            command += f" -l {self.remote.username}"
        return command


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def _tail(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _SAID_BYTES))
    text = said.read().decode("utf-8", "replace")
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


_AUTH = (
    "Authentication failed|could not read (Username|Password)|terminal prompts disabled|Permission denied|"
    "returned error: 40[13]|Load key|Too many authentication failures"
)
_KNOWN: tuple[tuple[str, str], ...] = (
    (
        "Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        "The ssh server shows another host key than before, so that nothing was sent to it. If that is "
        "right, delete the repository and add it again.",
    ),
    (
        _AUTH,
        "The git server refused the user name and password (for ssh the private key). "
        "Give the repository new credentials.",
    ),
    (
        "returned error: 3\\d\\d|unable to update url base from redirection",
        "The git server sends elsewhere. Give the address it leads to; many want “.git” at the end.",
    ),
    (
        "returned error: 404|not found|does not appear to be a git repository|No such file or directory",
        "There is no repository at this address, or the credentials may not see it.",
    ),
    (
        "not valid: is this a git repository|unexpected|bad line length|protocol error|early EOF|hung up",
        "What answers at this address is not a git server, or it broke off.",
    ),
    ("transport '\\w+' not allowed", "This kind of address is not allowed here."),
    ("Could not resolve|Name or service not known", "The git server's name is not known. Check the address."),
    ("certificate|SSL|TLS|gnutls", "The git server's certificate is not trusted by this host."),
    (
        "[Ff]ailed to connect|Couldn't connect|Connection (refused|timed out|reset|closed)|No route|"
        "unreachable|timed? ?out",
        "The git server cannot be reached. It is asked again at the next sync.",
    ),
)


def explain(said: str, code: int, limits: Limits) -> GitFailed:
    """The failure that git's last words tell of. code: its exit code, 128 and more for a signal."""
    # index-pack that was ended for its size leaves fetch with nothing else to say.
    if code == 128 + signal.SIGXFSZ or said.strip() == "fatal: fetch-pack: invalid index-pack output":
        return GitFailed(
            f"The repository holds more than {limits.size_bytes >> 20} MiB at this revision. "
            "Keep large data in an object store.",
            reached=True,
            known=False,
        )
    for pattern, sentence in _KNOWN:
        if re.search(pattern, said):
            return GitFailed(sentence)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    words = next((line for line in reversed(lines) if line.startswith(("fatal:", "error:"))), "")
    words = words or (lines[-1] if lines else f"it ended with code {code}")
    return GitFailed(f"git failed: {words.removeprefix('fatal:').strip()[:300]}", known=False)
