"""A template as a flat list of steps in running order, and the filling in of their placeholders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mlops.manifests.nodes import shown
from mlops.manifests.order import Order
from mlops.manifests.placeholders import listed, replace, timestamp
from mlops.manifests.spec import (
    Archive,
    ArtifactSource,
    ExecutableTemplate,
    InputArtifact,
    OutputArtifact,
    Pairs,
    Step,
    Template,
)

_CREATED = "workflow.creationTimestamp"


@dataclass(frozen=True, slots=True)
class InputPlan:
    """Where an input of a step comes from: a slot of the configuration, an earlier step, or a text.

    slot, from_step with from_output, or raw: exactly one is given. path: where the step wants it.
    """

    name: str
    path: str
    optional: bool = False
    sub_path: str | None = None
    slot: str | None = None
    from_step: str | None = None
    from_output: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """What a step leaves at path; only outputs with a global_name are registered."""

    name: str
    path: str
    global_name: str | None
    archive: Archive
    suffix: str
    optional: bool


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step to run. name: unique in the plan, `outer.inner` for a nested one.

    parameters: the template's inputs after the step's arguments. retry_policy: OnFailure, OnError,
    OnTransientError or Always. resource_plan None: the default plan.
    """

    name: str
    template: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    source: str | None
    env: Pairs
    working_dir: str | None
    image: str | None
    parameters: Pairs
    inputs: tuple[InputPlan, ...]
    outputs: tuple[OutputPlan, ...]
    deadline_seconds: int | None
    retry_limit: int
    retry_policy: str
    resource_plan: str | None


@dataclass(frozen=True, slots=True)
class _Call:
    """One use of a template. siblings: step names of the caller to names in the plan."""

    name: str
    given: Mapping[str, str]
    artifacts: Mapping[str, InputPlan]
    siblings: Mapping[str, str]


def plan(template: ExecutableTemplate) -> tuple[StepPlan, ...]:
    """The steps in running order, steps of nested templates in their caller's place.

    Placeholders of arguments are carried down to the step that uses them; `fill` replaces them.
    """
    workflow = template.batch
    templates = {each.name: each for each in workflow.templates}
    entry = templates[workflow.entrypoint]
    given = {each.name: f"{{{{workflow.parameters.{each.name}}}}}" for each in template.parameters}
    suffixes = {slot.name: slot.suffix for slot in template.outputs}
    return tuple(_expand(entry, _Call("", given, {}, {}), templates, suffixes))


def fill(step: StepPlan, values: Mapping[str, str]) -> StepPlan:
    """The step with every placeholder replaced once; what a value holds stays as it is.

    values: placeholder name to text, such as "workflow.parameters.EPOCHS". The step's own names
    (`inputs.*`, `outputs.*`, `steps.name`, `node.name`), the list of all parameters and the letters of
    `workflow.creationTimestamp` are derived where values lacks them. Raises ValueError naming what is
    neither.
    """
    known = {"steps.name": step.name, "node.name": step.name, **_all_parameters(values), **values}
    parameters = tuple((name, _filled(text, known)) for name, text in step.parameters)
    known |= {f"inputs.parameters.{name}": value for name, value in parameters}
    known["inputs.parameters"] = listed(dict(parameters))
    known |= {f"inputs.artifacts.{each.name}.path": each.path for each in step.inputs}
    known |= {f"outputs.artifacts.{each.name}.path": each.path for each in step.outputs}

    def optional(text: str | None) -> str | None:
        return None if text is None else _filled(text, known)

    return dataclasses.replace(
        step,
        command=tuple(_filled(text, known) for text in step.command),
        args=tuple(_filled(text, known) for text in step.args),
        source=optional(step.source),
        env=tuple((name, _filled(text, known)) for name, text in step.env),
        working_dir=optional(step.working_dir),
        image=optional(step.image),
        parameters=parameters,
        inputs=tuple(dataclasses.replace(each, raw=optional(each.raw)) for each in step.inputs),
    )


def _all_parameters(values: Mapping[str, str]) -> dict[str, str]:
    prefix = "workflow.parameters."
    given = {name.removeprefix(prefix): text for name, text in values.items() if name.startswith(prefix)}
    given.pop("json", None)
    text = listed(given)
    return {"workflow.parameters": text, "workflow.parameters.json": text}


def _filled(text: str, known: Mapping[str, str]) -> str:
    def lookup(name: str) -> str:
        if name in known:
            return known[name]
        if name.startswith(_CREATED + ".") and _CREATED in known:
            return timestamp(known[_CREATED], name.removeprefix(_CREATED + "."))
        raise ValueError(f"The placeholder {{{{{shown(name)}}}}} has no value.")

    return replace(text, lookup)


def _expand(
    template: Template, call: _Call, templates: Mapping[str, Template], suffixes: Mapping[str, str]
) -> Iterator[StepPlan]:
    parameters = tuple(
        (each.name, call.given.get(each.name, each.default or "")) for each in template.parameters
    )
    if template.kind not in ("steps", "dag"):
        inputs = {each.name: _input(each, call, None) for each in template.inputs}
        yield _leaf(template, call, parameters, inputs, suffixes)
        return
    own = {f"inputs.parameters.{name}": text for name, text in parameters}
    inputs = {each.name: _input(each, call, _carrying(own, {})) for each in template.inputs}
    earlier: dict[str, str] = {}
    for step in _in_turn(template):
        name = f"{call.name}.{step.name}" if call.name else step.name
        resolve = _carrying(own, dict(earlier))
        given = {key: replace(text, resolve) for key, text in step.parameters}
        artifacts = {key: _argument(source, key, inputs, earlier, resolve) for key, source in step.artifacts}
        yield from _expand(
            templates[step.template], _Call(name, given, artifacts, dict(earlier)), templates, suffixes
        )
        earlier[step.name] = name


def _in_turn(template: Template) -> list[Step]:
    """The calls in an order in which each comes after all it waits for."""
    tasks = {task.name: task for task in template.tasks}
    return [tasks[name] for name in Order.of(template.tasks).sorted] or list(template.calls)


def _carrying(own: Mapping[str, str], earlier: Mapping[str, str]) -> Callable[[str], str]:
    """Rewrites a caller's own names to what they stand for in the whole plan."""

    def resolve(name: str) -> str:
        if name in own:
            return own[name]
        head, _, rest = name.partition(".")
        step, _, field = rest.partition(".")
        if head == "steps" and field:
            return f"{{{{steps.{earlier[step]}.{field}}}}}"
        return f"{{{{{name}}}}}"

    return resolve


def _leaf(
    template: Template,
    call: _Call,
    parameters: Pairs,
    inputs: Mapping[str, InputPlan],
    suffixes: Mapping[str, str],
) -> StepPlan:
    return StepPlan(
        name=call.name or template.name,
        template=template.name,
        command=template.command,
        args=template.args,
        source=template.source,
        env=template.env,
        working_dir=template.working_dir,
        image=template.image,
        parameters=parameters,
        inputs=tuple(inputs[each.name] for each in template.inputs),
        outputs=tuple(_output(each, suffixes) for each in template.outputs),
        deadline_seconds=template.deadline_seconds,
        retry_limit=(template.retry and template.retry.limit) or 0,
        retry_policy=(template.retry and template.retry.policy) or "OnFailure",
        resource_plan=template.resource_plan,
    )


def _output(output: OutputArtifact, suffixes: Mapping[str, str]) -> OutputPlan:
    return OutputPlan(
        name=output.name,
        path=output.path,
        global_name=output.global_name,
        archive=output.archive,
        suffix=suffixes.get(output.global_name or "", ""),
        optional=output.optional,
    )


def _input(artifact: InputArtifact, call: _Call, resolve: Callable[[str], str] | None) -> InputPlan:
    """An argument of the caller first, then the input's own source, else a slot of the configuration."""
    origin = call.artifacts.get(artifact.name)
    if origin is None and artifact.source is not None:
        origin = _argument(artifact.source, artifact.name, {}, call.siblings, resolve)
    if origin is None:
        origin = InputPlan(artifact.name, "", slot=artifact.name)
    return dataclasses.replace(
        origin,
        name=artifact.name,
        path=artifact.path,
        optional=artifact.optional,
        sub_path=artifact.sub_path,
    )


def _argument(
    source: ArtifactSource,
    name: str,
    inputs: Mapping[str, InputPlan],
    earlier: Mapping[str, str],
    resolve: Callable[[str], str] | None,
) -> InputPlan:
    if source.input is not None:
        return inputs[source.input]
    if source.step is not None:
        return InputPlan(name, "", from_step=earlier[source.step], from_output=source.output)
    raw = source.raw or ""
    return InputPlan(name, "", raw=replace(raw, resolve) if resolve else raw)
