"""Environments are built once, told line by line, and a failure says why."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from mlops.engine import environments
from mlops.engine.environments import EnvironmentFailed, Stopped
from tests.waiting import until


@pytest.fixture
def ensure(tmp_path):
    def call(text, *, stopped=lambda: False, uv=None, lines=None):
        requirements = tmp_path / f"requirements-{threading.get_ident()}.txt"
        requirements.write_text(text)
        on_line = (lines if lines is not None else []).append
        return environments.ensure(
            requirements, cache=tmp_path / "cache", on_line=on_line, stopped=stopped, uv=uv
        )

    return call


def test_an_environment_is_built_and_found_again(ensure):
    lines = []
    built = ensure("# what we need\nsix==1.17.0\n", lines=lines)
    said = subprocess.run(
        [built / "bin" / "python", "-c", "import six; print(six.__version__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "1.17.0\n"
    assert lines[0] == "Building the environment"
    assert any("six==1.17.0" in line for line in lines)
    again = []
    assert ensure("six==1.17.0\n\n", lines=again) == built
    assert again == []
    assert all(path.stat().st_mode & 0o004 for path in built.rglob("*.py"))


def test_an_unfinished_environment_is_built_anew(ensure):
    built = ensure("six==1.17.0")
    (built / ".complete").unlink()
    (built / "stale").touch()
    assert ensure("six==1.17.0") == built
    assert (built / ".complete").exists()
    assert not (built / "stale").exists()


def test_of_many_callers_one_builds(ensure):
    told = [[] for _ in range(5)]
    built = []
    threads = [
        threading.Thread(target=lambda lines=lines: built.append(ensure("six==1.17.0", lines=lines)))
        for lines in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(built) == 5
    assert len(set(built)) == 1
    assert sum("Building the environment" in lines for lines in told) == 1
    assert all(len(lines) <= 1 for lines in told if "Building the environment" not in lines)


def test_a_name_that_does_not_exist_is_told(ensure, tmp_path):
    with pytest.raises(EnvironmentFailed, match=r"no version of six==99|six"):
        ensure("six==99")
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir() and len(path.name) == 64] == []


@pytest.mark.parametrize(
    "line",
    [
        "-e .", "--index-url http://example.org/simple", "-r other.txt", "./local", "file:///tmp/x.whl",
        "git+https://example.org/x.git", "six @ https://example.org/six.whl", "https://example.org/six.whl",
        "six==1.17.0 --config-settings=a=b", "six; python_version > '3' --pre", "six \\\n --no-deps",
    ],
)  # fmt: skip
def test_only_plain_requirements_are_installed(ensure, line):
    with pytest.raises(EnvironmentFailed, match="line 2"):
        ensure(f"numpy==2.1.0\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "six", "six==1.17.0 # why", "uvicorn[standard]>=0.3,<1", "x.y_z~=1.0 ; python_version < '3.9'",
        "six==1.17.0 \\\n    --hash=sha256:00aa \\\n    --hash=sha256:11bb", "six == 1.*", "",
    ],
)  # fmt: skip
def test_plain_requirements_are_accepted(line):
    assert environments._check(f"{line}\n", "requirements.txt") is None


def test_a_stop_ends_the_build(ensure, tmp_path):
    slow = tmp_path / "uv"
    slow.write_text("#!/bin/sh\necho working\nsleep 61 &\nsleep 61\n")
    slow.chmod(0o755)
    stop, lines, ended = threading.Event(), [], []

    def build():
        try:
            ensure("six", uv=slow, stopped=stop.is_set, lines=lines)
        except Stopped:
            ended.append(True)

    thread = threading.Thread(target=build)
    thread.start()
    until(lambda: "working" in lines)
    waiting = []
    with pytest.raises(Stopped):
        other = tmp_path / "other.txt"
        other.write_text("six")
        environments.ensure(
            other, cache=tmp_path / "cache", uv=slow, on_line=waiting.append, stopped=lambda: len(waiting) > 0
        )
    assert waiting == ["Waiting for another execution that builds the same environment"]
    stop.set()
    thread.join(120)
    assert ended == [True]
    marks = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x0061" in _bytes(path)]
    assert marks == []


def _bytes(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_the_installer_gets_the_operators_index_and_nothing_else():
    host = {
        "HOME": "/home/someone",
        "SECRET_KEY": "swordfish",
        "UV_INDEX_URL": "http://b/",
        "UV_OFFLINE": "1",
    }
    assert environments.installer_environment(host) == {
        "HOME": "/home/someone",
        "UV_INDEX_URL": "http://b/",
        "UV_OFFLINE": "1",
    }


def test_an_environment_runs_in_a_step(place, sandboxed):
    requirements = place / "requirements.txt"
    requirements.write_text("six==1.17.0\n")
    built = environments.ensure(
        requirements, cache=place / "data" / "cache", on_line=lambda line: None, stopped=lambda: False
    )
    os.chmod(place / "data", 0o700)
    seen, lines = sandboxed.run(
        "python", "-c", "import six; print(six.__version__)", python_env=built, hidden=(place / "data",)
    )
    assert (seen.cause, lines) == ("completed", ["1.17.0"])
