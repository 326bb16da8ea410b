"""The protocol between the life cycle of an execution and whatever carries its steps out."""

from typing import Protocol, TypeVar

from mlops.engine.spec import LogLine, Observation, RunSpec

HandleT = TypeVar("HandleT")


class Runner(Protocol[HandleT]):
    """Starts steps, observes them and ends them; a handle is the runner's own and opaque to callers."""

    def start(self, spec: RunSpec) -> HandleT:
        """Begin a step and return at once; raises ValueError when the spec cannot be carried out."""
        ...

    def poll(self, handle: HandleT) -> Observation:
        """Return what is known now, without waiting."""
        ...

    def wait(self, handle: HandleT, seconds: float) -> Observation:
        """Return when something new is known, there is output to fetch, or the seconds have passed."""
        ...

    def stop(self, handle: HandleT) -> None:
        """Ask for the end of the step and return at once; the end is seen by poll. Idempotent."""
        ...

    def logs(self, handle: HandleT, limit_bytes: int = 65536) -> list[LogLine]:
        """Take the next lines of output, oldest first within each stream; each line is returned once."""
        ...

    def result(self, handle: HandleT) -> str:
        """The last 256 KiB of standard output as it was written, a final line end left out."""
        ...

    def close(self, handle: HandleT) -> None:
        """Give back everything the handle holds; a step that still runs is ended first."""
        ...
