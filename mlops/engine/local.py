"""Carries steps out as processes of this host: in bubblewrap where that works, in plain mode elsewhere."""

import itertools
import os
import pwd
from typing import Any, Literal

from mlops.engine import orphans, places, plain, sandbox
from mlops.engine.interpreters import OWN
from mlops.engine.spec import LogLine, Mode, Observation, RunSpec
from mlops.engine.step import Step

Handle = Step


class LocalRunner:
    """Starts, observes and ends steps on this host. Safe to use from many threads at once.

    mode: "auto" takes the sandbox where it works; "sandbox" raises OSError where it does not.
    uid: the user that steps run as when this process is root (default 65534, nobody); otherwise steps run as
    the user of this process and uid has no meaning.
    """

    def __init__(self, mode: Literal["auto", "sandbox", "plain"] = "auto", uid: int | None = None) -> None:
        self._owner = _owner(65534 if uid is None else uid) if os.geteuid() == 0 else None
        refusal = "" if mode == "plain" else sandbox.refusal(self._owner)
        if mode == "sandbox" and refusal:
            raise OSError(f"Steps cannot be confined on this host: {refusal}.")
        self.mode: Mode = "plain" if mode == "plain" or refusal else "sandbox"
        self.notices: list[str] = [] if self.mode == "sandbox" else _notices(refusal, self._owner)
        self._turn = itertools.count()

    def start(self, spec: RunSpec) -> Step:
        """Begin a step; returns within milliseconds, before the command is executed.

        Makes `home/`, `tmp/` and the script file in the step's folder; as root it also gives them and the
        writable mounts to the step's user. Raises ValueError for a spec that cannot be carried out, OSError
        when this host has no process or descriptor left.
        """
        places.check(spec)
        if self._owner is not None and self.mode == "plain":
            plain.check_reach(spec, self._owner)
        script = places.prepare(spec, self._owner)
        launch = (sandbox if self.mode == "sandbox" else plain).launch(spec, script)
        enter = sandbox.ENTER_INSIDE if self.mode == "sandbox" else str(sandbox.ENTER)
        order: dict[str, Any] = {
            "enter": [*launch.prefix, str(OWN), "-I", "-S", enter],
            "sandboxed": self.mode == "sandbox",
            "grace": float(spec.grace_seconds),
            "deadline": None if spec.deadline_seconds is None else float(spec.deadline_seconds),
            "memory": spec.limits.memory_bytes,
            "argv": launch.argv,
            "env": launch.env,
            "cwd": launch.cwd,
            "owner": self._owner,
            "file_bytes": spec.limits.file_bytes,
            "tasks": self._tasks(spec.limits.processes),
            "cpus": self._cpus(spec.limits.cpu),
        }
        return Step(spec, order, self.mode, list(self.notices))

    def poll(self, handle: Step) -> Observation:
        """What is known now, without waiting."""
        return handle.poll()

    def wait(self, handle: Step, seconds: float) -> Observation:
        """Return on a report, on output to fetch, on the end, or after the seconds."""
        return handle.wait(seconds)

    def logs(self, handle: Step, limit_bytes: int = 65536) -> list[LogLine]:
        """Take the next lines, oldest first within each stream; [] when nothing waits.

        While 32 MiB wait to be taken no more is read and the command waits in its own print. All output is
        there to be taken when an observation says that the step has ended.
        """
        return handle.logs(limit_bytes)

    def result(self, handle: Step) -> str:
        """The last 256 KiB of standard output; bytes that are no UTF-8 and NUL become U+FFFD."""
        return handle.result()

    def stop(self, handle: Step) -> None:
        """TERM to every process of the step, KILL after its grace; returns at once. Idempotent."""
        handle.stop()

    def close(self, handle: Step) -> None:
        """Give back the pipes and the thread; a step that still runs is ended first, in a second or two."""
        handle.close()

    def _tasks(self, processes: int | None) -> int | None:
        """The kernel counts a user's tasks, not a step's: those that run already come on top."""
        if processes is None:
            return None
        if self._owner is not None:
            return processes + orphans.tasks_of(self._owner[0])
        return processes if self.mode == "sandbox" else processes + orphans.tasks_of(os.geteuid())

    def _cpus(self, cpu: int | None) -> list[int]:
        """Cores of a step in turn, so that neighbours do not all land on the first ones; [] for all."""
        every = sorted(os.sched_getaffinity(0))
        if cpu is None or cpu >= len(every):
            return []
        first = next(self._turn) * cpu
        return [every[(first + number) % len(every)] for number in range(max(cpu, 1))]


def _owner(uid: int) -> tuple[int, int]:
    try:
        return uid, pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid, uid


def _notices(refusal: str, owner: tuple[int, int] | None) -> list[str]:
    why = f": {refusal}" if refusal else ""
    reach = "It could read every file of the user that the worker runs as."
    if owner is not None:
        reach = f"It ran as user {owner[0]} and could read every file that is open to all users."
    return [
        f"This ran without a sandbox{why}. {reach}",
        "Declared paths were replaced by real ones in the command, the script and the environment; a path "
        "that is written in the code itself was not.",
    ]
