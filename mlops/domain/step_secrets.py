"""The secrets a workflow's steps refer to: whether all are there, and as environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from launchpad.errors import Conflict
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import secrets
from mlops.domain.step_volumes import Secrets, used
from mlops.manifests.spec import ExecutableTemplate, Template, Workflow
from mlops.models import Deployment, Execution

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class _Need:
    """A secret, and the key of it, that a template refers to. key None: whatever it holds."""

    template: str
    secret: str
    key: str | None
    is_optional: bool


def _needs(workflow: Workflow, template: Template) -> Iterator[_Need]:
    for each in template.env_secrets:
        yield _Need(template.name, each.secret.secret, each.secret.key, each.secret.optional)
    for source in template.env_from:
        yield _Need(template.name, source.secret, None, source.optional)
    for volume in used(template, workflow).values():
        if volume.kind == "secret" and volume.secret is not None:
            keys: list[str | None] = [key for key, _ in volume.items]
            for wanted in keys or [None]:
                yield _Need(template.name, volume.secret, wanted, volume.optional)


def read(execution: Execution | ResourceGroup, template: ExecutableTemplate) -> dict[str, dict[str, bytes]]:
    """Values by secret and key of all secrets that the steps refer to. execution: or the group to run in.

    Raises Conflict naming a secret or key that is missing and not optional, and for values that no
    environment variable can hold.
    """
    return of(execution, template.batch)


def of(place: Execution | Deployment | ResourceGroup, workflow: Workflow) -> dict[str, dict[str, bytes]]:
    """As `read`, for the templates of a workflow. place: a row of the group, or the group itself."""
    needs = [need for each in workflow.templates for need in _needs(workflow, each)]
    if not needs:
        return {}
    found = secrets.for_run(place, {need.secret for need in needs})
    for need in needs:
        if need.is_optional:
            continue
        if need.secret not in found:
            raise Conflict(
                f"The secret {need.secret}, which the template {need.template} refers to, is neither in this "
                "resource group nor shared by its workspace. Add it, then run again."
            )
        if need.key is not None and need.key not in found[need.secret]:
            raise Conflict(
                f"The secret {need.secret} has no key {need.key}, "
                f"which the template {need.template} refers to."
            )
    for each in workflow.templates:
        variables(each, found)
    return found


def variables(template: Template, values: Secrets) -> dict[str, str]:
    """The environment variables that come from secrets. Raises Conflict naming a key that makes none."""
    found: dict[str, str] = {}
    for source in template.env_from:
        for key, value in values.get(source.secret, {}).items():
            name = source.prefix + key
            if not _VARIABLE.fullmatch(name):
                raise Conflict(
                    f"The key {key} of the secret {source.secret} is no name of an environment variable; "
                    f"refer to it by secretKeyRef in the template {template.name}, or rename it."
                )
            found[name] = _text(value, source.secret, key)
    for each in template.env_secrets:
        held = values.get(each.secret.secret, {})
        if each.secret.key in held:
            found[each.name] = _text(held[each.secret.key], each.secret.secret, each.secret.key)
    return found


def _text(value: bytes, secret: str, key: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Conflict(
            f"The value of {key} in the secret {secret} is no text, so no environment variable can hold it. "
            "Mount the secret as files instead."
        )
    return text
