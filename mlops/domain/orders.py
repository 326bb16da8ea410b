"""What the supervisor of an attempt is told from outside: stop, leave, or it is no longer yours."""

from __future__ import annotations


class Abandoned(Exception):
    """The attempt belongs to someone else now: its processes are killed and nothing is written."""


class Orders:
    """Wishes set by the heartbeat's thread and read by the supervisor's; each is set once and stays."""

    def __init__(self) -> None:
        self.stopping = False
        self.leaving = False
        self.abandoned = False

    @property
    def must_end(self) -> bool:
        """Whether the processes have to go, for whatever reason."""
        return self.stopping or self.leaving or self.abandoned

    def stop(self) -> None:
        """A person or client wants it stopped."""
        self.stopping = True

    def leave(self) -> None:
        """This worker is shutting down."""
        self.leaving = True

    def abandon(self) -> None:
        """A newer attempt exists or the execution ended without us."""
        self.abandoned = True
