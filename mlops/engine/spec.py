"""What a runner is told (RunSpec) and what it tells back (Observation, LogLine)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

Cause = Literal[
    "", "completed", "exit", "memory", "deadline", "stopped", "not_started", "worker_lost", "lost"
]
Mode = Literal["sandbox", "plain"]
Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A real file or folder that the step finds at a declared absolute path such as `/app/data`.

    files: own ones are handed over with all inside; shared: other steps use the folder at the same time,
    so that only the folder itself is; secret: read-only, and nobody but the step's user may read them.
    """

    path: str
    real: Path
    read_only: bool
    files: Literal["own", "shared", "secret"] = "own"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one step; None means no bound of ours.

    memory_bytes: proportional memory (PSS) of the whole process tree, watched four times a second.
    cpu: number of cores the step may use. processes: processes and threads at once.
    file_bytes: size of any one file it writes.
    """

    memory_bytes: int | None = None
    cpu: int | None = None
    processes: int | None = None
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything a runner needs to carry out one step.

    argv: the command, at least one word, found through PATH when it has no slash.
    env: the whole environment of the command; only PATH, HOME, LANG and TMPDIR have defaults, and
    LAUNCHPAD_STEP is always the id. folder: existing private folder of this attempt; `home/` and `tmp/`
    are made in it. source: unpacked source tree, read-only, the default working directory.
    working_dir: absolute, or relative to the source. script: text that is written to a file whose path
    becomes the last word of the command. python_env: virtual environment that comes first on PATH.
    hidden: folders of which the step sees nothing but what is named here. renamed: paths below `/tmp` and
    where they really lie in the step's `tmp/`; a sandbox shows them there, in plain mode they are rewritten.
    """

    id: str
    argv: tuple[str, ...]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    source: Path | None = None
    working_dir: str | None = None
    script: str | None = None
    python_env: Path | None = None
    mounts: tuple[Mount, ...] = ()
    limits: Limits = Limits()
    deadline_seconds: float | None = None
    grace_seconds: float = 5.0
    hidden: tuple[Path, ...] = ()
    renamed: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """The state of a step as it was last seen.

    started: the command itself was executed, not merely prepared. cause is "" while it runs. Times are
    aware UTC. exit_code and signal are both None when the command's own end was not seen.
    pids_left: processes of the step that could not be ended; 0 after the end is proof, not hope.
    """

    running: bool
    started: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    cause: Cause = ""
    message: str = ""
    pids_left: int = 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of output: text without line end and control characters, at most 16,384 characters."""

    at: datetime
    stream: Stream
    text: str
