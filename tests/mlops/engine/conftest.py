"""Real runners in both modes, and folders that the steps' own user can reach."""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlops.engine import sandbox
from mlops.engine.local import LocalRunner
from mlops.engine.spec import LogLine, Observation, RunSpec
from mlops.engine.step import Step

_number = itertools.count(1)


def _runner(mode: str) -> LocalRunner:
    owner = (65534, 65534) if os.geteuid() == 0 else None
    if mode == "sandbox" and (why := sandbox.refusal(owner)) and not os.environ.get("CI"):
        pytest.skip(f"no sandbox here: {why}")
    return LocalRunner(mode)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="engine-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@dataclass
class Bench:
    """Starts steps in fresh folders and collects what they say."""

    runner: LocalRunner
    place: Path
    steps: list[Step] = field(default_factory=list)

    def spec(self, *argv: str, **more: Any) -> RunSpec:
        number = next(_number)
        folder = self.place / f"step{number}"
        folder.mkdir()
        return RunSpec(id=f"test-{os.getpid()}-{number}", argv=argv, folder=folder, **more)

    def start(self, *argv: str, **more: Any) -> Step:
        step = self.runner.start(self.spec(*argv, **more))
        self.steps.append(step)
        return step

    def finish(self, step: Step, seconds: float = 120) -> tuple[Observation, list[LogLine]]:
        """Follow a step to its end; its observation and all of its lines."""
        lines: list[LogLine] = []
        deadline = time.monotonic() + seconds
        while (seen := self.runner.wait(step, 0.5)).running:
            lines += self.runner.logs(step)
            assert time.monotonic() < deadline, f"still running: {lines[-5:]}"
        while more := self.runner.logs(step):
            lines += more
        return seen, lines

    def run(self, *argv: str, **more: Any) -> tuple[Observation, list[str]]:
        """Run to the end; the observation and the text of all lines."""
        seen, lines = self.finish(self.start(*argv, **more))
        return seen, [line.text for line in lines]

    def until_line(self, step: Step, text: str, seconds: float = 120) -> None:
        """Follow a step until it says the text."""
        deadline = time.monotonic() + seconds
        said: list[str] = []
        while text not in said:
            assert time.monotonic() < deadline, f"said only {said}, {step.poll()}"
            seen = self.runner.wait(step, 0.2)
            said += [line.text for line in self.runner.logs(step)]
            assert seen.running or text in said, f"said only {said}, {seen}"


def _bench(mode: str, place: Path) -> Iterator[Bench]:
    bench = Bench(_runner(mode), place)
    yield bench
    for step in bench.steps:
        bench.runner.close(step)


@pytest.fixture(params=["sandbox", "plain"])
def bench(request: pytest.FixtureRequest, place: Path) -> Iterator[Bench]:
    """A bench in each mode."""
    yield from _bench(request.param, place)


@pytest.fixture
def sandboxed(place: Path) -> Iterator[Bench]:
    """A bench with the sandbox."""
    yield from _bench("sandbox", place)


@pytest.fixture
def unconfined(place: Path) -> Iterator[Bench]:
    """A bench in plain mode."""
    yield from _bench("plain", place)
