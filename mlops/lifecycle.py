"""The life cycle as data: statuses, targets, transition tables and named sets."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """What was observed. UNKNOWN is said by the create answer only; SKIPPED is a step's alone."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    DEAD = "DEAD"
    DELETING = "DELETING"
    SKIPPED = "SKIPPED"


class TargetStatus(StrEnum):
    """What is wished for."""

    COMPLETED = "COMPLETED"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    DELETED = "DELETED"


class ScheduleStatus(StrEnum):
    """Whether a schedule is due at all. INACTIVE: paused, or nothing is due any more."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Outcome(StrEnum):
    """What became of a due time. BY_HAND: none of the clock's; BACKFILLED: run later because of a person."""

    FIRED = "FIRED"
    CAUGHT_UP = "CAUGHT_UP"
    SKIPPED = "SKIPPED"
    BACKFILLED = "BACKFILLED"
    BY_HAND = "BY_HAND"


def _table(rows: dict[Status, set[Status]]) -> Mapping[Status, frozenset[Status]]:
    return MappingProxyType({source: frozenset(targets) for source, targets in rows.items()})


# RUNNING → PENDING is a retry: a new attempt of the same execution.
EXECUTION = _table(
    {
        Status.PENDING: {Status.RUNNING, Status.STOPPING, Status.DEAD},
        Status.RUNNING: {Status.PENDING, Status.STOPPING, Status.COMPLETED, Status.DEAD},
        Status.STOPPING: {Status.STOPPED},
        Status.STOPPED: {Status.DELETING},
        Status.COMPLETED: {Status.DELETING},
        Status.DEAD: {Status.DELETING},
        Status.DELETING: set(),
    }
)

# A step that was not reached when its execution ended is UNKNOWN for good. SKIPPED: its condition was false,
# or what it depends on ended otherwise than it asks for. The first step is PENDING while the environment is
# made, also when it turns out to be SKIPPED.
STEP = _table(
    {
        Status.UNKNOWN: {Status.PENDING, Status.SKIPPED},
        Status.PENDING: {Status.RUNNING, Status.STOPPED, Status.DEAD, Status.SKIPPED},
        Status.RUNNING: {Status.COMPLETED, Status.DEAD, Status.STOPPED, Status.PENDING},
        Status.COMPLETED: set(),
        Status.DEAD: set(),
        Status.STOPPED: set(),
        Status.SKIPPED: set(),
    }
)

# RUNNING → PENDING: no replica is ready any more and one comes up again. STOPPED and DEAD → PENDING: started
# again, or, when DEAD, given another configuration.
DEPLOYMENT = _table(
    {
        Status.PENDING: {Status.RUNNING, Status.STOPPING, Status.DEAD},
        Status.RUNNING: {Status.PENDING, Status.STOPPING, Status.DEAD},
        Status.STOPPING: {Status.STOPPED},
        Status.STOPPED: {Status.PENDING, Status.DELETING},
        Status.DEAD: {Status.PENDING, Status.DELETING},
        Status.DELETING: set(),
    }
)

# A revision is RUNNING from its take-over on; one that is started again is PENDING until it has taken over.
REVISION = _table(
    {
        Status.PENDING: {Status.RUNNING, Status.STOPPING, Status.DEAD},
        Status.RUNNING: {Status.STOPPING, Status.DEAD},
        Status.STOPPING: {Status.STOPPED},
        Status.STOPPED: {Status.PENDING},
        Status.DEAD: {Status.PENDING},
    }
)

# RUNNING is held by a worker, whether its server is ready yet or not; RUNNING → PENDING is a restart.
REPLICA = _table(
    {
        Status.PENDING: {Status.RUNNING, Status.STOPPED, Status.DEAD},
        Status.RUNNING: {Status.PENDING, Status.STOPPING, Status.DEAD},
        Status.STOPPING: {Status.STOPPED},
        Status.STOPPED: set(),
        Status.DEAD: set(),
    }
)

# Nothing but deletion follows.
FINAL = frozenset({Status.COMPLETED, Status.DEAD, Status.STOPPED})
# Held by a worker under a lease. PENDING is not: nobody has claimed it.
LEASED = frozenset({Status.RUNNING, Status.STOPPING})
# Still moving by itself; DELETING is, although no process of the user lives any more.
ACTIVE = frozenset({Status.PENDING, Status.RUNNING, Status.STOPPING, Status.DELETING})
# STOPPING is on its way already, final ones have nothing to stop.
STOPPABLE = frozenset({Status.PENDING, Status.RUNNING})
# UNKNOWN is in the contract's table; no stored execution has it.
EXECUTION_DELETABLE = frozenset({Status.COMPLETED, Status.DEAD, Status.STOPPED, Status.UNKNOWN})
# RUNNING answers requests, PENDING is about to: there is something that stands for the new configuration.
DEPLOYMENT_REPOINTABLE = frozenset({Status.PENDING, Status.RUNNING, Status.DEAD})
# COMPLETED is in the contract's enumeration; a deployment never completes.
DEPLOYMENT_DELETABLE = frozenset({Status.DEAD, Status.STOPPED, Status.UNKNOWN})
DEPLOYMENT_RESTARTABLE = frozenset({Status.DEAD, Status.STOPPED})
# Replicas that are there or come: what a revision still has to end.
LIVE = frozenset({Status.PENDING, Status.RUNNING, Status.STOPPING})
STORED = frozenset(Status) - {Status.UNKNOWN, Status.SKIPPED}


def sources(table: Mapping[Status, frozenset[Status]], target: Status) -> frozenset[Status]:
    """Statuses from which the table allows to reach `target` in one move."""
    return frozenset(source for source, targets in table.items() if target in targets)
