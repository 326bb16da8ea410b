"""Admissions: whether a template may come into a workspace's catalog, and what is to be said of it there."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from launchpad.access import Scope
from mlops.domain import provisions
from mlops.domain.intakes import finding
from mlops.manifests import ExecutableTemplate, Finding, Label
from mlops.models import DockerSecret, Executable, ExecutableVersion, Scenario, Source


def refusal(scope: Scope, source: Source, template: ExecutableTemplate, tree: str | None) -> str:
    """Why the template's id cannot be used; empty when it can. tree: as of `known`."""
    there = scope.of(Executable).filter(slug=template.executable_id).select_related("scenario").first()
    if there is None:
        return ""
    if there.scenario.slug != template.scenario_id:
        return (
            f"the executable id {template.executable_id} is taken in the scenario {there.scenario.slug}; "
            "ids are unique in a workspace, choose another"
        )
    if there.kind != template.kind:
        # Configurations of earlier versions are what they are for ever: to be run, or to be deployed.
        return f"the executable {template.executable_id} is a {there.kind} template; choose another id"
    return provisions.clash(scope, source, template, tree)


def known(
    scope: Scope, source: Source, template: ExecutableTemplate, tree: str | None
) -> tuple[ExecutableVersion | None, ExecutableVersion | None]:
    """The newest version of the template's executable, and the one that says the very same already.

    tree: the digest of the template's source tree, None for that of the newest version.
    """
    rows = scope.of(ExecutableVersion).filter(executable__slug=template.executable_id)
    rows = rows.select_related("source", "source_tree", "executable").order_by("-number")
    newest = rows.first()
    # Two sources of one executable would otherwise make a version at every turn.
    wanted = (template.digest, tree or (newest.source_tree.digest if newest else ""))
    for one in (newest, rows.filter(source_id=source.pk).first()):
        if one is not None and (one.digest, one.source_tree.digest) == wanted:
            return newest, one
    return newest, None


def unknown_secrets(scope: Scope, template: ExecutableTemplate) -> list[Finding]:
    """Notices on Docker secrets that the template names and the workspace lacks."""
    names = set(template.image_pull_secrets)
    there = scope.of(DockerSecret).filter(name__in=names).values_list("name", flat=True) if names else ()
    return [
        finding(template, "notice", "imagePullSecrets", f"the workspace has no Docker secret {name}")
        for name in sorted(names.difference(there))
    ]


def overruled(scope: Scope, template: ExecutableTemplate, slugs: Collection[str]) -> list[Finding]:
    """A notice when the template says otherwise of its scenario than others, which are not among slugs."""
    found = scope.of(Scenario).filter(slug=template.scenario_id).first()
    told = of_scenario(template)
    if found is None or all(getattr(found, key) == told[key] for key in ("name", "description")):
        return []
    if not scope.of(Executable).filter(scenario=found).exclude(slug__in=slugs).exists():
        return []
    reason = "replaces what other templates said of this scenario; the one synced last holds"
    return [finding(template, "notice", "metadata.annotations.scenarios.ai.sap.com/name", reason)]


def of_scenario(template: ExecutableTemplate) -> dict[str, object]:
    """What a template says of its scenario: name, description and labels."""
    return {
        "name": template.scenario_name,
        "description": template.scenario_description,
        "labels": labels(template.scenario_labels),
    }


def labels(given: Iterable[Label]) -> list[dict[str, str]]:
    """Labels as they are stored."""
    return [{"key": label.key, "value": label.value} for label in given]
