"""The use case behind a scenario in plain words: what it is for, who answers for it, what tells success.

It belongs to the scenario and so to the whole workspace; an editor of any of its resource groups changes it
from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict
from mlops.domain import catalog
from mlops.domain.limits import Check
from mlops.models import Scenario, UseCase

INDICATORS_LIMIT = 20
LINE_LIMIT = 256


def get(scope: Scope, scenario: Scenario) -> UseCase:
    """What is said of a scenario; a new one with the number 0, not saved, where nothing is said yet."""
    found = scope.of(UseCase).filter(scenario=scenario).select_related("modified_by").first()
    return found or UseCase(scenario=scenario, number=0)


@command()
def describe(
    scope: Scope,
    *,
    scenario: str,
    goal: str,
    owner: str,
    indicators: Sequence[tuple[str, str]],
    number: int,
) -> UseCase:
    """Say what a scenario is for. scenario: its slug; indicators: (name, target), at most 20.

    number: that of the use case the writer has seen. Raises Forbidden, NotFound; Invalid by field; Conflict
    when somebody changed it since.
    """
    # Two writers of a use case that is not there yet would otherwise both be the first.
    catalog.hold(scope)
    owned = catalog.scenario(scope, scenario)
    found = get(scope, owned)
    check = Check()
    told = {
        "goal": check.text("goal", goal.strip(), label="The goal"),
        "owner": check.text("owner", owner.strip(), label="The owner", limit=LINE_LIMIT),
        "indicators": _indicators(check, indicators),
    }
    check.done()
    if found.number != number:
        by = found.modified_by.username if found.modified_by else "Somebody"
        raise Conflict(f"{by} changed this use case meanwhile. Compare, then save again to replace it.")
    for key, value in told.items():
        setattr(found, key, value)
    found.number += 1
    found.modified_by = scope.user
    found.save()
    return found


def _indicators(check: Check, given: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    found = []
    for name, target in given:
        name, target = name.strip(), target.strip()
        if target and not name:
            check.refuse("indicators", f"Say what “{target[:80]}” is the target of.")
        if name or target:
            check.text("indicators", name, label="An indicator", limit=LINE_LIMIT)
            check.text("indicators", target, label="A target", limit=LINE_LIMIT)
            found.append({"name": name, "target": target})
    if len(found) > INDICATORS_LIMIT:
        check.refuse(
            "indicators", f"{len(found)} indicators are given; at most {INDICATORS_LIMIT} are allowed."
        )
    return found
