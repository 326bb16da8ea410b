"""A template's own placeholders replaced, once a leaf is about to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import replace, timestamp
from mlops.manifests.spec import Template

Lookup = Callable[[str], str]
_CREATED = "workflow.creationTimestamp"


def unknown(name: str) -> ValueError:
    """The error for a placeholder that stands for nothing."""
    return ValueError(f"The placeholder {{{{{shown(name, 80)}}}}} has no value.")


def workflow_value(name: str, values: Mapping[str, str]) -> str:
    """A value of the whole workflow, times in any form. Raises ValueError."""
    if name in values:
        return values[name]
    if name.startswith(_CREATED + ".") and _CREATED in values:
        return timestamp(values[_CREATED], name.removeprefix(_CREATED + "."))
    raise unknown(name)


def filled(template: Template, lookup: Lookup) -> Template:
    """The template of a leaf with every placeholder replaced once; what a value holds stays as it is.

    Its own paths (`inputs.artifacts.<N>.path` and the like) are known without lookup. Raises ValueError
    naming a placeholder that stands for nothing.
    """
    paths = {f"inputs.artifacts.{each.name}.path": each.path for each in template.inputs}
    paths |= {f"outputs.artifacts.{each.name}.path": each.path for each in template.outputs}
    paths |= {
        f"outputs.parameters.{each.name}.path": each.path
        for each in template.output_parameters
        if each.path is not None
    }

    def of(name: str) -> str:
        return paths[name] if name in paths else lookup(name)

    def text(given: str) -> str:
        return replace(given, of)

    def optional(given: str | None) -> str | None:
        return None if given is None else replace(given, of)

    return dataclasses.replace(
        template,
        command=tuple(map(text, template.command)),
        args=tuple(map(text, template.args)),
        source=optional(template.source),
        env=tuple((name, text(value)) for name, value in template.env),
        working_dir=optional(template.working_dir),
        image=optional(template.image),
        volume_mounts=tuple(
            dataclasses.replace(mount, sub_path=optional(mount.sub_path)) for mount in template.volume_mounts
        ),
    )
