"""The values of a configuration, checked against its template; every breach is noted at its field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress

from launchpad.access import Scope
from mlops import manifests
from mlops.domain.limits import COUNT_LIMIT, Check
from mlops.manifests import ExecutableTemplate, Parameter
from mlops.models import Artifact


def parameters(check: Check, template: ExecutableTemplate, given: Mapping[str, str]) -> dict[str, str]:
    """Values of all declared parameters, those that break a rule noted."""
    if len(given) > COUNT_LIMIT:
        check.refuse("parameters", f"{len(given)} parameters are given; at most {COUNT_LIMIT} are allowed.")
        return {}
    declared = {parameter.name: parameter for parameter in template.parameters}
    for key in given:
        if key not in declared:
            shown = ", ".join(declared) or "none"
            check.refuse(
                f"parameters.{key}",
                f"{template.executable_id} has no parameter {key!r}. Its parameters: {shown}.",
            )
    values = {
        key: check.text(
            f"parameters.{key}", _value(check, parameter, given.get(key)), label=f"The value of {key}"
        )
        for key, parameter in declared.items()
    }
    for problem in manifests.problems(template.serving, values) if template.serving else ():
        for key in problem.parameters:
            check.refuse(
                f"parameters.{key}", f"The template's {problem.field} is made of it: {problem.reason}."
            )
    return values


def _value(check: Check, parameter: Parameter, given: str | None) -> str:
    field = f"parameters.{parameter.name}"
    # A form sends an empty text for a field left blank.
    if not given and parameter.default is None and "" not in parameter.enum:
        check.refuse(field, f"{parameter.name} needs a value; the template gives no default.")
        return ""
    value = given if given is not None else parameter.default or ""
    if parameter.enum and value not in parameter.enum:
        check.refuse(field, f"{parameter.name} is one of: {', '.join(parameter.enum)}.")
    return value


def artifacts(
    scope: Scope,
    check: Check,
    template: ExecutableTemplate,
    given: Mapping[str, str | uuid.UUID],
    *,
    hold: bool = False,
) -> dict[str, Artifact]:
    """The artifact of each bound slot, those that break a rule noted.

    hold: so that none is deleted before the end of the transaction.
    """
    if len(given) > COUNT_LIMIT:
        check.refuse("artifacts", f"{len(given)} artifacts are given; at most {COUNT_LIMIT} are allowed.")
        return {}
    slots = {slot.name: slot for slot in template.inputs}
    for key in given:
        if key not in slots:
            shown = ", ".join(slots) or "none"
            check.refuse(
                f"artifacts.{key}", f"{template.executable_id} has no input {key!r}. Its inputs: {shown}."
            )
    there = _there(scope, [given[key] for key in slots if given.get(key)], hold)
    bound: dict[str, Artifact] = {}
    for key, slot in slots.items():
        wanted = given.get(key)
        if wanted:
            artifact = there.get(str(wanted))
            if artifact is None:
                sentence = f"There is no such artifact for {key} in this resource group."
                check.refuse(f"artifacts.{key}", sentence, unknown=True)
            elif artifact.kind != slot.kind:
                check.refuse(
                    f"artifacts.{key}",
                    f"{key} takes a {_kind(slot.kind)}; {artifact} is a {_kind(artifact.kind)}.",
                )
            else:
                bound[key] = artifact
        elif not slot.optional:
            check.refuse(f"artifacts.{key}", f"Choose a {_kind(slot.kind)} for {key}.")
    return bound


def _there(scope: Scope, wanted: list[str | uuid.UUID], hold: bool) -> dict[str, Artifact]:
    """The artifacts among these that exist here, by id as it was given; one query."""
    keys: dict[str, uuid.UUID] = {}
    for one in wanted:
        with suppress(ValueError):
            keys[str(one)] = uuid.UUID(str(one))
    if not keys:
        return {}
    among = {"pk__in": set(keys.values())}
    rows = scope.hold(Artifact, **among) if hold else scope.of(Artifact).filter(**among)
    found = {row.pk: row for row in rows}
    return {text: found[key] for text, key in keys.items() if key in found}


def _kind(kind: str) -> str:
    return Artifact.Kind(kind).label.lower()
