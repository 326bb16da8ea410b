"""What is looked at before something starts: stores, inputs, secrets, plans and free slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from launchpad.access import Scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops import storage
from mlops.domain import (
    artifact_files,
    artifacts,
    catalog,
    configurations,
    servings,
    step_secrets,
    workers_alive,
)
from mlops.lifecycle import Status
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.manifests.spec import Workflow
from mlops.models import Artifact, Configuration, Executable, Execution

State = Literal["ok", "warn", "bad"]
INPUTS_LOOKED_AT = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. state: "bad" keeps it from starting, "warn" does not.

    what: in a word or two; says: how it is; advice: what to do about it, "" where there is nothing to do.
    """

    what: str
    state: State
    says: str
    advice: str = ""


def run(
    scope: Scope,
    configuration: Configuration,
    *,
    inputs: Mapping[str, str] | None = None,
    count: int = 1,
) -> list[Finding]:
    """Look at everything that a run of a configuration needs. Asks the stores: never inside a transaction.

    inputs: artifact ids by input, where others than the configuration's are meant; those that do not exist
    are left to whoever makes a configuration of them. count: how many are about to start.
    """
    template = catalog.describe(configuration.executable_version)
    if configuration.executable.kind != Executable.Kind.WORKFLOW:
        says = f"{configuration.executable.slug} serves, it does not run to an end."
        return [Finding("Executable", "bad", says, "Choose a configuration of a workflow.")]
    return [
        _store(scope),
        *_inputs(scope, _bound(scope, configuration, inputs)),
        *_secrets(scope, template.batch),
        _plan({one.resource_plan or DEFAULT_PLAN for one in template.batch.templates}),
        _slots(scope, count),
    ]


def serve(scope: Scope, configuration: Configuration) -> list[Finding]:
    """Look at everything that a deployment of a configuration needs, as `run` does for an execution.

    Asks the stores: never inside a transaction.
    """
    template = catalog.describe(configuration.executable_version)
    try:
        plan = servings.plan(template, dict(configuration.parameters.values_list("key", "value")))
    except Invalid as error:
        advice = "Choose a configuration of an executable that serves."
        return [Finding("Executable", "bad", error.message, advice)]
    return [
        *_inputs(scope, _bound(scope, configuration, None)),
        *_secrets(scope, plan.volumes),
        _plan({plan.resource_plan}),
        _servers(plan.replicas),
    ]


def require(scope: Scope, configuration: Configuration) -> None:
    """Raise Conflict with what to do when a run would fail for something that can be seen now."""
    wrong = [one for one in run(scope, configuration) if one.state == "bad"]
    if wrong:
        said = " ".join(f"{one.what}: {one.says} {one.advice}".strip() for one in wrong)
        raise Conflict(f"Nothing was started. {said}")


def _store(scope: Scope) -> Finding:
    try:
        if scope.resource_group is not None:
            storage.open_store(scope.resource_group).top()
    except (Conflict, Invalid) as error:
        advice = "Ask an administrator to look at the object store default: outputs go there."
        return Finding("Object store", "bad", error.message, advice)
    return Finding("Object store", "ok", "The object store default answers.")


def _bound(
    scope: Scope, configuration: Configuration, inputs: Mapping[str, str] | None
) -> list[tuple[str, Artifact]]:
    if inputs is None:
        return [(slot.name, artifact) for slot, artifact in configurations.bindings(configuration).artifacts]
    found = []
    for name, key in inputs.items():
        with suppress(NotFound):
            found.append((name, artifacts.get(scope, key)))
    return found


def _inputs(scope: Scope, bound: Sequence[tuple[str, Artifact]]) -> Iterator[Finding]:
    for slot, artifact in bound[:INPUTS_LOOKED_AT]:
        found = artifact_files.contents(scope, artifact)
        what = f"Input {slot}"
        if found.state == "ok":
            yield Finding(what, "ok", f"{artifact} is in its store.")
        elif found.state == "changed":
            says = f"The files of {artifact} are not those that were registered."
            yield Finding(what, "warn", says, "Register them as a new version if that is meant.")
        else:
            says = found.reason or f"The files of {artifact} are gone from {artifact.url}."
            yield Finding(what, "bad", says, "Put them back, or start with another version as input.")
    if len(bound) > INPUTS_LOOKED_AT:
        yield Finding("Inputs", "warn", f"Only the first {INPUTS_LOOKED_AT} inputs were looked at.")


def _secrets(scope: Scope, workflow: Workflow) -> Iterator[Finding]:
    if scope.resource_group is None:
        return
    try:
        found = step_secrets.of(scope.resource_group, workflow)
    except Conflict as error:
        yield Finding("Secrets", "bad", error.message)
        return
    if found:
        yield Finding("Secrets", "ok", f"{', '.join(sorted(found))}: there.")


def _plan(named: set[str]) -> Finding:
    if unknown := sorted(named - PLANS.keys()):
        says = f"There is no resource plan {', '.join(unknown)}."
        return Finding("Resource plan", "bad", says, f"The template may name: {', '.join(PLANS)}.")
    return Finding("Resource plan", "ok", f"{', '.join(sorted(named))}: known.")


def _slots(scope: Scope, count: int) -> Finding:
    workers, slots, busy = workers_alive.capacity()
    waiting = scope.of(Execution).filter(status=Status.PENDING).count()
    before = f"; {waiting} of this group {'waits' if waiting == 1 else 'wait'} before it" if waiting else ""
    if not workers:
        says = f"No worker is running{before}."
        return Finding("Free slot", "warn", says, "It waits and starts by itself as soon as one is.")
    free = max(slots - busy, 0)
    if free and not waiting:
        all_at_once = count <= free
        says = f"{free} of {slots} {'slot is' if slots == 1 else 'slots are'} free."
        return Finding(
            "Free slot", "ok", says, "" if all_at_once else f"{count - free} of {count} wait for a slot."
        )
    says = f"{busy} of {slots} {'slot is' if slots == 1 else 'slots are'} in use{before}."
    return Finding("Free slot", "warn", says, "It waits and starts by itself.")


def _servers(count: int) -> Finding:
    workers, slots, busy = workers_alive.capacity(workers_alive.DEPLOYMENTS)
    if not workers:
        says = "No worker for deployments is running."
        return Finding("Workers", "warn", says, "It waits and starts by itself as soon as one is.")
    free = max(slots - busy, 0)
    says = f"{free} of {slots} {'place is' if slots == 1 else 'places are'} free, {count} needed."
    if free >= count:
        return Finding("Workers", "ok", says)
    return Finding("Workers", "warn", says, "The servers that find no place wait for one.")
