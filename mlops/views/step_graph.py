"""The steps of an execution as a picture and as a list; large loops and groups are folded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from mlops.lifecycle import Status
from mlops.views.step_layout import HEIGHT, TITLE, Box, Placed, place

FOLDED_ITEMS = 8
MOST_NODES = 150
LETTERS = 22
GROUPS = ("steps", "dag", "loop", "exit")
_ORDER = (Status.DEAD, Status.STOPPED, Status.RUNNING, Status.PENDING, Status.COMPLETED, Status.SKIPPED)
_WORDS = {
    Status.DEAD: "failed",
    Status.STOPPED: "stopped",
    Status.RUNNING: "running",
    Status.PENDING: "waiting",
    Status.COMPLETED: "completed",
    Status.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class Shown:
    """One step as it is drawn. depth: how deep it lies; counts: of a group, what is inside in words.

    href: its log, or the page with it unfolded or folded; "" when there is nothing to see.
    """

    step: Any
    box: Box
    label: str
    depth: int
    is_group: bool
    is_here: bool
    counts: str = ""
    href: str = ""

    @property
    def title(self) -> str:
        """The label, cut to what the box can hold."""
        most = LETTERS if not self.is_group else self.box.width // 8
        return self.label if len(self.label) <= most else f"{self.label[: most - 1]}…"

    @property
    def counts_shown(self) -> str:
        """The counts, cut to what the box can hold beside the title."""
        most = (self.box.width - 56) // 7 - len(self.title) if self.is_group else LETTERS + 4
        return self.counts if len(self.counts) <= most else f"{self.counts[: max(0, most - 1)]}…"

    @property
    def icon_x(self) -> int:
        """Left of the icon."""
        return self.box.x + 12

    @property
    def icon_y(self) -> int:
        """Top of the icon."""
        return self.box.y + (5 if self.is_group else HEIGHT // 2 - 8)

    @property
    def text_x(self) -> int:
        """Start of its lines."""
        return self.box.x + 36

    @property
    def text_y(self) -> int:
        """Foot of the title."""
        return self.box.y + (TITLE - 9 if self.is_group else 19)

    @property
    def sub_y(self) -> int:
        """Foot of the line below."""
        return self.box.y + 34


class StepGraph:
    """steps: the rows of one attempt by index. opened: indices of folded ones that are to be shown whole.

    tab: what else the page shows; part: the step whose log that is, as "<attempt>.<index>".
    """

    def __init__(self, steps: Sequence[Any], *, opened: frozenset[int], tab: str, part: str) -> None:
        self._steps = list(steps)
        self._opened = opened
        self._tab, self._part = tab, part
        self._inside: dict[int | None, list[Any]] = defaultdict(list)
        for step in self._steps:
            self._inside[step.parent].append(step)

    @cached_property
    def is_row(self) -> bool:
        """Whether it is no more than single steps one after the other."""
        return all(
            step.kind not in GROUPS and step.parent is None and step.after == ([number - 1] if number else [])
            for number, step in enumerate(self._steps)
        )

    @cached_property
    def drawing(self) -> Placed:
        """Where everything lies."""
        return place(self._boxes(None, ""))

    @cached_property
    def shown(self) -> list[Shown]:
        """Every step that is drawn, groups before what they hold."""
        found: list[Shown] = []
        self._show(None, "", 0, found)
        return found

    @property
    def total(self) -> int:
        """How many steps run something, as far as is known."""
        return sum(step.kind not in GROUPS for step in self._steps)

    @property
    def groups(self) -> list[Shown]:
        """Those that are drawn as boxes around others."""
        return [each for each in self.shown if each.is_group]

    @property
    def leaves(self) -> list[Shown]:
        """Those that are drawn as boxes of their own."""
        return [each for each in self.shown if not each.is_group]

    def part_of(self, step: Any) -> str:
        """The log of a step, as the address names it."""
        return f"{step.attempt}.{step.index}"

    def _newest(self, parent: Any, name: str) -> list[Any]:
        """What lies in a group: of one that was tried again, the newest try."""
        inside = self._inside[parent]
        tries = [step for step in inside if step.name.startswith(f"{name}[")]
        if not tries:
            return inside
        newest = tries[-1].name.removeprefix(f"{name}[").partition("]")[0]
        return [step for step in tries if step.name.startswith(f"{name}[{newest}].")]

    def _is_folded(self, step: Any) -> bool:
        if step.kind not in GROUPS or step.index in self._opened:
            return False
        if step.kind == "loop":
            return len(self._inside[step.index]) > FOLDED_ITEMS or not self._inside[step.index]
        return len(self._steps) > MOST_NODES

    def _boxes(self, parent: int | None, name: str) -> list[Box]:
        boxes = []
        for step in self._newest(parent, name):
            is_group = step.kind in GROUPS and not self._is_folded(step)
            inside = tuple(self._boxes(step.index, step.name)) if is_group else ()
            is_last = parent is None and step.name == "workflow:onExit"
            boxes.append(Box(step.index, tuple(step.after), inside, is_group=is_group, is_last=is_last))
        return boxes

    def _show(self, parent: int | None, name: str, depth: int, found: list[Shown]) -> None:
        for step in self._newest(parent, name):
            is_folded = self._is_folded(step)
            is_group = step.kind in GROUPS and not is_folded
            found.append(
                Shown(
                    step=step,
                    box=self.drawing.boxes[step.index],
                    label=self._label(step, name),
                    depth=depth,
                    is_group=is_group,
                    is_here=self._part == self.part_of(step),
                    counts=self._counts(step) if step.kind in GROUPS else "",
                    href=self._href(step, is_folded=is_folded),
                )
            )
            if is_group:
                self._show(step.index, step.name, depth + 1, found)

    def _href(self, step: Any, *, is_folded: bool) -> str:
        opened, query = set(self._opened), {"tab": self._tab, "part": self._part}
        if step.kind not in GROUPS:
            query = {"tab": "logs", "part": self.part_of(step)}
        elif is_folded and self._inside[step.index]:
            opened.add(step.index)
        elif step.index in opened:
            opened.remove(step.index)
        else:
            return ""
        kept = {key: value for key, value in query.items() if value}
        return "?" + urlencode([*kept.items(), *(("open", index) for index in sorted(opened))])

    @staticmethod
    def _label(step: Any, group: str) -> str:
        """A step's own part of its name."""
        if step.name == "workflow:onExit":
            return "At the end"
        own = step.name.removeprefix(group)
        if own.startswith("[") and "]." in own:
            own = own.partition("].")[2]
        own = own.removeprefix(".")
        return own.removesuffix(":onExit") + " · at the end" if own.endswith(":onExit") else own

    def _counts(self, step: Any) -> str:
        """How many of what lies inside are in which state: `12 completed, 3 running`."""
        inside = self._newest(step.index, step.name)
        if not inside:
            return ""
        counted = Counter(each.status for each in inside)
        told = [f"{counted[status]} {_WORDS[status]}" for status in _ORDER if counted[status]]
        left = counted[Status.UNKNOWN]
        return ", ".join(told + ([f"{left} not started"] if left else []))
