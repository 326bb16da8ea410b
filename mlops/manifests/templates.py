"""The templates of a workflow, one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.manifests.artifacts import Noun, read_inputs, read_outputs
from mlops.manifests.fields import Section
from mlops.manifests.limits import Limits, effective_plan, read_limits
from mlops.manifests.nodes import Map, Node
from mlops.manifests.outputs import read_output_parameters
from mlops.manifests.parameters import read_parameters
from mlops.manifests.placeholders import Texts
from mlops.manifests.process import Process, read_process
from mlops.manifests.retries import read_retry
from mlops.manifests.spec import Template, TemplateKind, Volume
from mlops.manifests.steps import read_steps, read_target, read_tasks
from mlops.manifests.volumes import read_volumes

MAX_PARALLEL = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME_WORDS = "letters, digits, _ - and . are allowed, at most 128 in all"
_BODIES: tuple[TemplateKind, ...] = ("container", "script", "steps", "dag")
_REFUSED_BODIES = {"suspend", "containerSet", "resource", "data", "http", "plugin"}
_NOUNS: dict[TemplateKind, Noun] = {"steps": "steps", "dag": "tasks"}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What templates take over where they say nothing. bodies: fields of containers and of scripts."""

    limits: Limits
    parallelism: int | None
    fail_fast: bool | None
    volumes: tuple[Volume, ...]
    bodies: dict[str, Map]


def read_defaults(spec: Section) -> Defaults:
    """`templateDefaults`, and the retries of `spec` below them."""
    section = spec.section("templateDefaults", "templateDefaults")
    bodies = {}
    for kind in ("container", "script"):
        section.section(kind, kind)
        if isinstance(node := section.entries.get(kind), Map):
            bodies[kind] = node
    return Defaults(
        limits=read_limits(section).over(Limits(retry=read_retry(spec))),
        parallelism=read_parallelism(section),
        fail_fast=section.flag("failFast") if section.has("failFast") else None,
        volumes=read_volumes(section),
        bodies=bodies,
    )


def read_parallelism(section: Section) -> int | None:
    """How many steps may run at once; None without limit."""
    return section.number("parallelism", least=1, most=MAX_PARALLEL)


def read_template(section: Section, defaults: Defaults) -> tuple[Template, Texts]:
    """One item of `spec.templates`, and its texts that may hold placeholders; its calls have their own."""
    kind = _kind(section)
    noun = _NOUNS.get(kind)
    inputs, outputs = section.section("inputs", "inputs"), section.section("outputs", "outputs")
    texts: Texts = []
    parameters = read_parameters(inputs, texts)
    artifacts = read_inputs(inputs, runs=noun is None)
    texts += [
        (artifact.source.raw or "", f"{inputs.at('artifacts')}[{index}].raw.data")
        for index, artifact in enumerate(artifacts)
        if artifact.source
    ]
    process, limits, plan = Process(), read_limits(section), None
    if noun is None:
        limits = limits.over(defaults.limits)
        plan = effective_plan(section, limits)
        if section.has(kind):
            process = read_process(_body(section, kind, defaults), texts, script=kind == "script")
    else:
        _only_for_runs(section, limits)
    dag = section.section("dag", "dag")
    template = Template(
        name=section.name("name", _NAME, _NAME_WORDS),
        kind=kind,
        command=process.command,
        args=process.args,
        source=process.source,
        env=process.env,
        env_secrets=process.env_secrets,
        env_from=process.env_from,
        working_dir=process.working_dir,
        image=process.image,
        image_pull_policy=process.image_pull_policy,
        volumes=(read_volumes(section) or defaults.volumes) if noun is None else (),
        volume_mounts=process.volume_mounts,
        groups=read_steps(section) if kind == "steps" else (),
        tasks=read_tasks(dag) if kind == "dag" else (),
        fail_fast=_fail_fast(section, dag, kind, defaults),
        target=read_target(dag) if kind == "dag" else (),
        parallelism=_parallelism(section, noun, defaults),
        parameters=parameters,
        inputs=artifacts,
        outputs=read_outputs(outputs, noun=noun),
        output_parameters=read_output_parameters(outputs, noun=noun),
        deadline_seconds=limits.deadline_seconds,
        retry=limits.retry,
        resource_plan=plan,
    )
    return template, texts


def _kind(section: Section) -> TemplateKind:
    given = [body for body in _BODIES if section.has(body)]
    if len(given) > 1 or not (given or section.refused & _REFUSED_BODIES):
        section.report.error(section.path, "needs exactly one of container, script, steps and dag")
    return given[0] if given else "container"


def _only_for_runs(section: Section, limits: Limits) -> None:
    """Note what has no meaning on a template that only calls others."""
    if limits.resource_plan:
        section.notice("metadata.labels", "ignored: every step runs with the plan of its own template")
    if read_volumes(section):
        section.notice("volumes", "ignored: only a container or script mounts volumes")


def _body(section: Section, kind: TemplateKind, defaults: Defaults) -> Section:
    """The container or script; fields that it lacks are taken from the defaults of its kind."""
    own: Node = section.entries[kind]
    if kind in defaults.bodies and isinstance(own, Map):
        own = Map(own.path, {**defaults.bodies[kind].entries, **own.entries})
    return Section(own, own.path, kind, section.report)


def _fail_fast(section: Section, dag: Section, kind: TemplateKind, defaults: Defaults) -> bool:
    """A dag stops calling once a task failed unless told otherwise, a group of steps the other way round."""
    if kind in ("container", "script"):
        if section.has("failFast"):
            section.flag("failFast")
            section.notice("failFast", "ignored: only steps and dags call others")
        return True
    if dag.has("failFast"):
        return dag.flag("failFast")
    if section.has("failFast"):
        return section.flag("failFast")
    return kind == "dag" if defaults.fail_fast is None else defaults.fail_fast


def _parallelism(section: Section, noun: Noun | None, defaults: Defaults) -> int | None:
    given = read_parallelism(section)
    if noun is None:
        if given is not None:
            section.notice("parallelism", "ignored: only steps and dags call others")
        return None
    return given or defaults.parallelism
