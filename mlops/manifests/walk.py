"""Every call a workflow can come to, in the order of the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlops.manifests.spec import Template, Workflow

Slots = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a template.

    name: its path, as `outer.inner`; slots: an input artifact to the slot of the configuration that it is
    given, None when a step or a text gives it. looped: whether it lies in a loop; conditions: the calls on
    its path that something at run time decides on.
    """

    name: str
    template: Template
    slots: Slots
    looped: bool = False
    conditions: frozenset[str] = frozenset()

    @property
    def is_leaf(self) -> bool:
        """Whether it runs something itself."""
        return self.template.kind in ("container", "script")


def visits(workflow: Workflow) -> Iterator[Visit]:
    """Callers before what they call; the workflow must be free of circles and of bounded size."""
    templates = {template.name: template for template in workflow.templates}
    for name, entry in (("", workflow.entrypoint), ("workflow:onExit", workflow.on_exit)):
        if entry is not None:
            yield from _visit(Visit(name, templates[entry], _slots(templates[entry], {})), templates)


def _visit(visit: Visit, templates: Mapping[str, Template]) -> Iterator[Visit]:
    yield visit
    for step in visit.template.calls:
        name = f"{visit.name}.{step.name}" if visit.name else step.name
        looped = visit.looped or step.loop is not None
        decided = step.when is not None or "." in (step.depends or "")
        conditions = visit.conditions | ({name} if decided else frozenset())
        given = {
            key: visit.slots.get(source.input) if source.input is not None else None
            for key, source in step.artifacts
        }
        called = templates[step.template]
        yield from _visit(Visit(name, called, _slots(called, given), looped, conditions), templates)
        if step.on_exit is not None:
            after = templates[step.on_exit]
            yield from _visit(
                Visit(f"{name}:onExit", after, _slots(after, {}), looped, conditions), templates
            )


def _slots(template: Template, given: Slots) -> Slots:
    """An argument of the caller first, then the input's own source, else the slot of its name."""
    own = {each.name: None if each.source else each.name for each in template.inputs}
    return {name: given.get(name, slot) for name, slot in own.items()}
