"""Several executions or deployments changed at once, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launchpad.access import Right, Scope
from launchpad.errors import Invalid, LaunchpadError
from mlops.domain.limits import storable

LIMIT = 100


@dataclass(frozen=True)
class Chosen:
    """One of those asked for. row: None when there is none. why_not: "" when it qualifies."""

    key: str
    row: Any
    why_not: str


@dataclass(frozen=True)
class Bulk:
    """What can be done to several rows of a model.

    noun: one of them in a word. verbs: what does it to one. rules: of a verb the statuses that allow it, and
    the rule in words. special: of a verb a sentence on why a row does not qualify, "" where the rules decide,
    None where it does.
    """

    model: Any
    noun: str
    verbs: Mapping[str, Callable[[Scope, str], Any]]
    rules: Mapping[str, tuple[Collection[str], str]]
    special: Callable[[str, Any], str | None] = lambda _verb, _row: ""

    def review(self, scope: Scope, verb: str, keys: Sequence[str]) -> list[Chosen]:
        """Which of the rows the verb can be done to now, and why not to the others; one query.

        keys: 1 to LIMIT, repeats count once. Raises Invalid, Forbidden.
        """
        scope.require(Right.CHANGE)
        wanted = self._checked(verb, keys)
        rows = scope.of(self.model).filter(pk__in=[key for key in wanted if storable(key)])
        found = {row.pk: row for row in rows.select_related("configuration")}
        return [Chosen(key, found.get(key), self._why_not(verb, found.get(key))) for key in wanted]

    def apply(self, scope: Scope, verb: str, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Do it to each; one that is refused keeps no other from it.

        Returns each key with why it stayed as it was, "" where it did not. As `review` otherwise.
        """
        scope.require(Right.CHANGE)
        outcomes = []
        for key in self._checked(verb, keys):
            try:
                self.verbs[verb](scope, key)
            except LaunchpadError as error:
                outcomes.append((key, error.message))
            else:
                outcomes.append((key, ""))
        return outcomes

    def _checked(self, verb: str, keys: Sequence[str]) -> list[str]:
        wanted = list(dict.fromkeys(keys))
        if verb not in self.verbs:
            raise Invalid(f"Several {self.noun}s can be {', '.join(self.verbs)} at once, nothing else.")
        if not wanted:
            raise Invalid(f"No {self.noun} is selected. Select some in the list first.")
        if len(wanted) > LIMIT:
            raise Invalid(f"{len(wanted)} {self.noun}s are selected; at most {LIMIT} can be changed at once.")
        return wanted

    def _why_not(self, verb: str, row: Any) -> str:
        if row is None:
            return "It does not exist any more."
        special = self.special(verb, row)
        if special is None or special:
            return special or ""
        able, rule = self.rules[verb]
        return "" if row.status in able else f"It is {row.status.lower()}; {rule}."
