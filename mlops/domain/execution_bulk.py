"""Several executions stopped, deleted, archived or restored at once, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from launchpad.access import Right, Scope
from launchpad.errors import Invalid, LaunchpadError
from mlops.domain import executions
from mlops.domain.limits import storable
from mlops.lifecycle import EXECUTION_DELETABLE, FINAL, STOPPABLE
from mlops.models import Execution

LIMIT = 100
_VERBS: dict[str, Callable[[Scope, str], Execution]] = {
    "stop": executions.stop,
    "delete": executions.delete,
    "archive": executions.archive,
    "restore": executions.restore,
}

_RULES = {
    "stop": (STOPPABLE, "only a pending or running one can be stopped"),
    "delete": (EXECUTION_DELETABLE, "only one that has ended can be deleted"),
    "archive": (FINAL, "only one that has ended can be archived"),
}


@dataclass(frozen=True)
class Chosen:
    """One of the executions asked for. execution: None when there is none. why_not: "" when it qualifies."""

    key: str
    execution: Execution | None
    why_not: str


def review(scope: Scope, verb: str, keys: Sequence[str]) -> list[Chosen]:
    """Which of the executions the verb can be done to now, and why not to the others; one query.

    verb: stop, delete, archive or restore. keys: 1 to LIMIT, repeats count once. Raises Invalid, Forbidden.
    """
    scope.require(Right.CHANGE)
    wanted = _checked(verb, keys)
    rows = scope.of(Execution).filter(pk__in=[key for key in wanted if storable(key)])
    found = {row.pk: row for row in rows.select_related("configuration")}
    return [Chosen(key, found.get(key), _why_not(verb, found.get(key))) for key in wanted]


def apply(scope: Scope, verb: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Do it to each; one that is refused keeps no other from it.

    Returns each key with why it stayed as it was, "" where it did not. As `review` otherwise.
    """
    scope.require(Right.CHANGE)
    outcomes = []
    for key in _checked(verb, keys):
        try:
            _VERBS[verb](scope, key)
        except LaunchpadError as error:
            outcomes.append((key, error.message))
        else:
            outcomes.append((key, ""))
    return outcomes


def _checked(verb: str, keys: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(keys))
    if verb not in _VERBS:
        raise Invalid(f"Several executions can be {', '.join(_VERBS)} at once, nothing else.")
    if not wanted:
        raise Invalid("No execution is selected. Select some in the list first.")
    if len(wanted) > LIMIT:
        raise Invalid(f"{len(wanted)} executions are selected; at most {LIMIT} can be changed at once.")
    return wanted


def _why_not(verb: str, execution: Execution | None) -> str:
    if execution is None:
        return "It does not exist any more."
    status = execution.status
    if verb == "restore":
        return "" if execution.archived_at is not None else "It is not archived."
    if verb == "archive" and execution.archived_at is not None:
        return "It is archived already."
    able, rule = _RULES[verb]
    return "" if status in able else f"It is {status.lower()}; {rule}."
