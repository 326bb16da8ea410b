"""Templates in few words, and a driver that carries a flow out without processes or time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.engine.flow import Flow, Report, Start
from mlops.manifests.spec import ExecutableTemplate, Parameter, Step, Template, Workflow

START = datetime(2026, 1, 1, tzinfo=UTC)
Runs = Callable[[Start], Report]


def executable(
    *templates: Template, parameters: Mapping[str, str] = {}, **workflow: Any
) -> ExecutableTemplate:
    """An executable whose entry is the first template."""
    return ExecutableTemplate(
        file="t.yaml",
        line=1,
        executable_id="test",
        name="Test",
        description="",
        scenario_id="test",
        scenario_name="Test",
        scenario_description="",
        scenario_labels=(),
        labels=(),
        version="1",
        kind="workflow",
        parameters=tuple(Parameter(name) for name in parameters),
        inputs=(),
        outputs=(),
        workflow=Workflow(entrypoint=templates[0].name, templates=templates, **workflow),
        serving=None,
        source="",
        notices=(),
    )


def leaf(name: str, *args: str, **fields: Any) -> Template:
    """A template that runs something."""
    return Template(name, "container", command=("run",), args=args, **fields)


def steps(name: str, *groups: tuple[Step, ...], **fields: Any) -> Template:
    """A template whose inner groups run in turn."""
    return Template(name, "steps", groups=groups, **({"fail_fast": False} | fields))


def dag(name: str, *tasks: Step, **fields: Any) -> Template:
    """A template of tasks with dependencies."""
    return Template(name, "dag", tasks=tasks, **fields)


def values(parameters: Mapping[str, str] = {}) -> dict[str, str]:
    """What a driver knows of the whole workflow."""
    return {f"workflow.parameters.{name}": text for name, text in parameters.items()} | {
        "workflow.name": "e1",
        "workflow.creationTimestamp": "2026-01-01T00:00:00Z",
    }


class Driver:
    """Runs leaves as `runs` says, each for a second, in rounds; keeps what happened.

    started: names in order, with the try if it is not the first; at_once: the most that ran together.
    """

    def __init__(
        self,
        template: ExecutableTemplate,
        runs: Mapping[str, Report | Exception] | Runs | None = None,
        *,
        parameters: Mapping[str, str] = {},
        most: int = 100,
        deadline_seconds: float | None = None,
        lasts: Mapping[str, float] = {},
    ) -> None:
        deadline = None if deadline_seconds is None else START + timedelta(seconds=deadline_seconds)
        self.now = START
        self.flow = Flow(template, values(parameters), most=most, begun_at=START, deadline=deadline)
        self.runs = runs
        self.lasts = lasts
        self.started: list[str] = []
        self.starts: dict[str, Start] = {}
        self.running: dict[int, tuple[Start, datetime]] = {}
        self.stopped: list[int] = []
        self.at_once = 0

    def run(self) -> Driver:
        """To the end."""
        while self.round():
            continue
        return self

    def round(self) -> bool:
        """Start what can start, then let the next one end; False once all is over."""
        for start in self.flow.advance(self.now):
            name = start.name + (f"#{start.tries}" if start.tries else "")
            self.started.append(name)
            self.starts[name] = start
            lasts = self.lasts.get(start.name, self.lasts.get(start.template.name, 1.0))
            self.running[start.index] = (start, self.now + timedelta(seconds=lasts))
        self.at_once = max(self.at_once, len(self.running))
        if self.flow.is_over:
            assert not self.running
            return False
        stops = self.flow.stops()
        self.stopped += stops
        for index in stops:
            self.running[index] = (self.running[index][0], self.now)
        next_end = min(self.running.values(), key=lambda each: each[1], default=None)
        times = [at for at in (next_end and next_end[1], self.flow.wake_at) if at is not None]
        assert times, "nothing runs, nothing is due, and it is not over"
        self.now = max(self.now, min(times))
        if next_end is not None and next_end[1] <= self.now:
            start = next_end[0]
            del self.running[start.index]
            self.flow.reported(start.index, self._report(start), self.now)
        return True

    def _report(self, start: Start) -> Report:
        if callable(self.runs):
            return self.runs(start)
        told = (self.runs or {}).get(start.name, (self.runs or {}).get(start.template.name))
        return told if isinstance(told, Report) else ok()

    def states(self) -> dict[str, str | None]:
        """How each node ended, by name."""
        return {node.name: node.state for node in self.flow.nodes}

    def node(self, name: str):
        """The node of this name."""
        return next(node for node in self.flow.nodes if node.name == name)

    def args(self, name: str) -> tuple[str, ...]:
        """The arguments a leaf was started with."""
        return self.starts[name].template.args


def ok(result: str = "", artifacts: tuple[str, ...] = (), **parameters: str) -> Report:
    """It went well."""
    return Report(
        "Succeeded", "", "completed", 0, parameters=parameters, result=result, artifacts=frozenset(artifacts)
    )


def failed(code: int = 1, message: str = "It broke.", **fields: Any) -> Report:
    """Its command failed."""
    return Report("Failed", message, "exit", code, **fields)


def errored(message: str = "The host broke.", **fields: Any) -> Report:
    """It could not be run."""
    return Report("Errored", message, "lost", None, **fields)
