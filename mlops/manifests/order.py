"""The order of a dag: which task waits for which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlops.manifests.conditions import parse_depends
from mlops.manifests.spec import Step


@dataclass(frozen=True, slots=True)
class Order:
    """waits: a task to the tasks that its `depends` names; sorted: tasks after all they wait for.

    circle: tasks that wait for each other, or for such.
    """

    waits: Mapping[str, tuple[str, ...]]
    sorted: tuple[str, ...]
    circle: tuple[str, ...]
    ancestors: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, tasks: Iterable[Step]) -> Order:
        """What a `depends` that cannot be read names is nothing; names of no task count as ended."""
        waits = {task.name: _named(task.depends) for task in tasks}
        later: dict[str, list[str]] = {}
        missing: dict[str, int] = {}
        for name, others in waits.items():
            known = [other for other in others if other in waits]
            missing[name] = len(known)
            for other in known:
                later.setdefault(other, []).append(name)
        ready = [name for name, count in missing.items() if not count]
        ancestors: dict[str, frozenset[str]] = {}
        for name in ready:
            known = [other for other in waits[name] if other in waits]
            ancestors[name] = frozenset(known).union(*(ancestors[other] for other in known))
            for other in later.get(name, ()):
                missing[other] -= 1
                if not missing[other]:
                    ready.append(other)
        circle = tuple(name for name in waits if name not in ancestors)
        return cls(waits, tuple(ready), circle, ancestors)

    def before(self, task: str) -> frozenset[str]:
        """The tasks that have ended whenever this one begins."""
        return self.ancestors.get(task, frozenset())

    def needed(self, target: Iterable[str]) -> frozenset[str]:
        """The tasks that run for the target: it and all it waits for; all tasks without a target."""
        wanted = frozenset(target)
        if not wanted:
            return frozenset(self.waits)
        return wanted.union(*(self.before(name) for name in wanted))


def _named(depends: str | None) -> tuple[str, ...]:
    if depends is None:
        return ()
    try:
        return parse_depends(depends).names
    except ValueError:
        return ()
