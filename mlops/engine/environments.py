"""Virtual environments of scenarios: built once for each set of requirements, shared by all executions."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# Of the server's own environment the installer sees the operator's index settings and nothing else.
_PASSED = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|NATIVE_TLS|SYSTEM_CERTS|CACHE_DIR|"
    r"INSECURE_HOST|HTTP_TIMEOUT|CONFIG_FILE|KEYRING_PROVIDER|INDEX_STRATEGY|INDEX_\w+_(USERNAME|PASSWORD))|"
    r"SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|NETRC|HOME|XDG_CONFIG_HOME|XDG_CONFIG_DIRS"
)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_POLL_SECONDS = 0.1
_MARKER = ".complete"
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]*\s*(\[[\w.,\s-]*\])?\s*(\(?[<>=!~][\w.*+!<>=~,()\s]*)?(;.*)?")
_HASH = re.compile(r"\s*--hash[= ]sha(256|384|512):[0-9a-f]+")


class EnvironmentFailed(Exception):
    """The environment cannot be made; the text says why, for people."""


class Stopped(Exception):
    """The execution was asked to end while its environment was being made."""


def ensure(
    requirements: Path,
    *,
    cache: Path,
    python: str = sys.executable,
    uv: Path | None = None,
    on_line: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Path:
    """Return the environment of a requirements file, building it when this host does not have it yet.

    The folder lies in cache, readable for every user, and is never changed once complete. Only wheels are
    installed, so that nothing of a package runs here. on_line: told every line of the building at once;
    stopped: asked ten times a second. Of several callers one builds, in any number of processes.
    Raises EnvironmentFailed, Stopped, OSError.
    """
    text = requirements.read_text(encoding="utf-8", errors="replace")
    _check(text, requirements.name)
    place = cache / _key(text, python)
    if (place / _MARKER).exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{place.name}.lock", on_line, stopped):
        if not (place / _MARKER).exists():
            shutil.rmtree(place, ignore_errors=True)
            _build(place, requirements, python, uv or _beside(), on_line, stopped)
    return place


def _check(text: str, name: str) -> None:
    """Refuse lines that would install from somewhere else than the operator's index, or run code."""
    number = 0
    for joined in re.sub(r"\\\r?\n", lambda found: "\0", text).splitlines():
        number += 1
        line = re.sub(r"(^|\s)#.*", "", joined.replace("\0", " ")).strip()
        bare = _HASH.sub("", line).strip()
        if bare and (not _PLAIN.fullmatch(bare) or re.search(r"\s-", bare)):
            raise EnvironmentFailed(
                f"{name}, line {number}: “{line[:200]}” is not a plain requirement. Only lines such as "
                "numpy==2.1.0, with --hash where wanted, can be installed."
            )
        number += joined.count("\0")


def _key(text: str, python: str) -> str:
    """Digest of what the environment depends on: the requirements, the interpreter, the platform."""
    lines = [line.strip() for line in text.splitlines()]
    normal = "\n".join(line for line in lines if line and not line.startswith("#"))
    build = [sys.implementation.cache_tag, platform.python_version(), sysconfig.get_platform()]
    parts = [normal, os.path.realpath(python), *map(str, build)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def _locked(path: Path, on_line: Callable[[str], None], stopped: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of one environment; it falls with the process that holds it."""
    told = False
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    on_line("Waiting for another execution that builds the same environment")
                    told = True
            if stopped():
                raise Stopped
            threading.Event().wait(_POLL_SECONDS)
        yield


def _build(
    place: Path,
    requirements: Path,
    python: str,
    uv: Path,
    on_line: Callable[[str], None],
    stopped: Callable[[], bool],
) -> None:
    """Make the environment at its final path, since its scripts hold that path; the marker comes last."""
    # Not the source tree: what it holds must not configure the installer.
    cache = place.parent
    env = {"UV_CACHE_DIR": str(cache / "uv"), **installer_environment(os.environ)}
    env |= {"PATH": "/usr/bin:/bin", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    on_line("Building the environment")
    try:
        interpreter = os.path.realpath(python)
        _run([str(uv), "venv", "--python", interpreter, str(place)], cache, env, on_line, stopped)
        install = [str(uv), "pip", "install", "--python", str(place / "bin" / "python")]
        # Steps cannot write here: without byte code each of them would compile everything anew.
        install += ["--only-binary", ":all:", "--compile-bytecode", "-r", str(requirements)]
        _run(install, cache, env, on_line, stopped)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    _open_to_all(place)
    with (place / _MARKER).open("w") as marker:
        os.fsync(marker.fileno())


def installer_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the installer sees of a host's environment; uv's own configuration files hold besides."""
    return {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}


def _beside() -> Path:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise EnvironmentFailed("uv, which installs the requirements, was not found on this host.")
    return Path(found)


def _run(
    command: list[str],
    cwd: Path,
    env: dict[str, str],
    on_line: Callable[[str], None],
    stopped: Callable[[], bool],
) -> None:
    """Run one installer command, passing its lines on; a stop ends its whole process group."""
    said: list[str] = []
    with subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        umask=0o022,
        # Its own session ends with nobody: a killed worker must not leave an installer behind.
        preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
    ) as process:
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process, done, stopped), daemon=True)
        watcher.start()
        try:
            for line in process.stdout or ():
                said.append(line.rstrip())
                on_line(line.rstrip())
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            done.set()
            watcher.join()
    if process.returncode != 0:
        if stopped():
            raise Stopped
        raise EnvironmentFailed(_condense(said, process.returncode))


def _watch(process: subprocess.Popen[str], done: threading.Event, stopped: Callable[[], bool]) -> None:
    while not done.wait(_POLL_SECONDS):
        if process.poll() is None and stopped():
            os.killpg(process.pid, signal.SIGKILL)
            return


def _condense(said: list[str], code: int) -> str:
    """uv's explanation in its first sentences, without its drawing and its advice on options."""
    lines = [re.sub(r"^[^\w`'\"]+", "", line) for line in said]
    advice = next((number for number, line in enumerate(lines) if line.startswith("hint")), len(lines))
    text = " ".join(line for line in lines[:advice] if line)
    text = text[max(text.find("error:"), 0) :].removeprefix("error:").replace(" cause:", ":").strip()
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z])", text)
    return " ".join(sentences[:3])[:1000] or f"The installer ended with exit code {code} and said nothing."


def _open_to_all(place: Path) -> None:
    """Let every user read and run what is in the environment; steps may run as another one."""
    for folder, _, files in os.walk(place):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
