"""Several things stopped or deleted at once, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from launchpad.access import Right, Scope
from launchpad.errors import LaunchpadError
from mlops.lifecycle import TargetStatus

Outcome = tuple[str, LaunchpadError | None]


def carry_out(
    scope: Scope,
    wishes: Sequence[tuple[str, TargetStatus]],
    verbs: Mapping[TargetStatus, Callable[[Scope, str], object]],
) -> list[Outcome]:
    """Call the verb of each wish; one that is refused keeps no other from it.

    wishes: (key, target), each key once. Returns in the same order each key with why it stayed as it was,
    None where it did not. Raises Forbidden.
    """
    scope.require(Right.CHANGE)
    outcomes: list[Outcome] = []
    for key, target in wishes:
        try:
            verbs[target](scope, key)
        except LaunchpadError as error:
            outcomes.append((key, error))
        else:
            outcomes.append((key, None))
    return outcomes
