"""Configurations: an executable version with its parameters and input artifacts, checked and immutable."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet
from django.utils import timezone

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, NotFound, Unknown
from mlops.domain import catalog, configuration_values
from mlops.domain import drafts as own_drafts
from mlops.domain.limits import Check
from mlops.domain.text_search import containing
from mlops.manifests import ArtifactSlot, Parameter
from mlops.models import (
    Artifact,
    ArtifactBinding,
    Configuration,
    ConfigurationDraft,
    Deployment,
    ExecutableVersion,
    Execution,
    ParameterBinding,
    Revision,
    Schedule,
)

if TYPE_CHECKING:
    from launchpad.resource_groups.models import ResourceGroup

CHOICES_LIMIT = 50
DRAFT_FIELDS = frozenset(
    {
        *("name", "scenario", "executable", "version", "parameters", "artifacts", "origin", "notes"),
        *("deployment", "schedule"),
    }
)
_USES_NAMED = 3


@dataclass(frozen=True)
class Bindings:
    """What a configuration binds, in the template's order. artifacts: without the optional ones left open."""

    parameters: tuple[tuple[Parameter, str], ...]
    artifacts: tuple[tuple[ArtifactSlot, Artifact], ...]


def get(scope: Scope, configuration_id: str | uuid.UUID) -> Configuration:
    """One configuration; raises NotFound."""
    return scope.get(Configuration, pk=configuration_id)


def bindings(configuration: Configuration) -> Bindings:
    """Parameters and input artifacts with what the template says of them."""
    template = catalog.describe(configuration.executable_version)
    values = dict(configuration.parameters.values_list("key", "value"))
    bound = {row.key: row.artifact for row in configuration.inputs.select_related("artifact")}
    return Bindings(
        tuple((told, values[told.name]) for told in template.parameters if told.name in values),
        tuple((slot, bound[slot.name]) for slot in template.inputs if slot.name in bound),
    )


def slots(version: ExecutableVersion) -> tuple[ArtifactSlot, ...]:
    """The inputs that a version takes."""
    return catalog.describe(version).inputs


def uses(scope: Scope, configuration: Configuration) -> QuerySet[Execution]:
    """Executions of a configuration, newest first."""
    rows = scope.of(Execution).filter(configuration=configuration).select_related("created_by")
    return rows.order_by("-created_at", "-id")


def deployed(scope: Scope, configuration: Configuration) -> QuerySet[Deployment]:
    """Deployments that serve a configuration or did in one of their revisions, newest first."""
    revisions = scope.of(Revision).filter(configuration=configuration).values("deployment")
    rows = scope.of(Deployment).filter(pk__in=revisions).select_related("created_by")
    return rows.order_by("-created_at", "-id")


def choices(
    scope: Scope, version: ExecutableVersion, *, q: str = "", keep: Mapping[str, str] | None = None
) -> dict[str, list[Artifact]]:
    """Artifacts of the right kind for each input slot, newest first, at most CHOICES_LIMIT each.

    q: a part of the name, whatever the case. keep: slot → id of an artifact that is offered in any case,
    before the others.
    """
    found: dict[str, list[Artifact]] = {}
    for slot in catalog.describe(version).inputs:
        rows = scope.of(Artifact).filter(kind=slot.kind).select_related("scenario")
        rows = rows.order_by("-created_at", "-id")
        matching = containing(rows, q.replace("\0", ""), "name", any_case=True)
        found[slot.name] = list(matching[:CHOICES_LIMIT])
        key = _uuid((keep or {}).get(slot.name, ""))
        if key and key not in {artifact.pk for artifact in found[slot.name]}:
            found[slot.name][:0] = rows.filter(pk=key)
    return found


@command()
def create(
    scope: Scope,
    *,
    name: str,
    version: ExecutableVersion,
    parameters: Mapping[str, str],
    artifacts: Mapping[str, str | uuid.UUID],
) -> Configuration:
    """Bind an executable version to parameter values and artifacts, by name and by id.

    A parameter left out gets the template's default, kept with the configuration from then on. Names
    may repeat. Raises Forbidden; NotFound for a version of another workspace; Invalid with a
    sentence for each of the fields `name`, `parameters.<key>` and `artifacts.<slot>` that is wrong.
    """
    catalog.verify(scope, version)
    template = catalog.describe(version)
    check = Check()
    name = check.name(name)
    values = configuration_values.parameters(check, template, parameters)
    bound = configuration_values.artifacts(scope, check, template, artifacts, hold=True)
    check.done()
    configuration = scope.of(Configuration).create(
        resource_group=_home(scope),
        name=name,
        executable_version=version,
        executable_id=version.executable_id,
        created_by=scope.user,
    )
    scope.of(ParameterBinding).bulk_create(
        ParameterBinding(configuration=configuration, key=key, value=value) for key, value in values.items()
    )
    scope.of(ArtifactBinding).bulk_create(
        ArtifactBinding(configuration=configuration, key=key, artifact=artifact)
        for key, artifact in bound.items()
    )
    return configuration


@command()
def archive(scope: Scope, configuration_id: str | uuid.UUID) -> Configuration:
    """Take a configuration out of the list; what used it goes on. Repeats are harmless.

    Raises Forbidden, NotFound.
    """
    return _keep(scope, configuration_id, timezone.now())


@command()
def restore(scope: Scope, configuration_id: str | uuid.UUID) -> Configuration:
    """Put an archived configuration back into the list. Raises Forbidden, NotFound."""
    return _keep(scope, configuration_id, None)


def _keep(scope: Scope, configuration_id: str | uuid.UUID, archived_at: datetime | None) -> Configuration:
    found = get(scope, configuration_id)
    if (found.archived_at is None) != (archived_at is None):
        found.archived_at = archived_at
        found.save(update_fields=["archived_at"])
    return found


@command()
def delete(scope: Scope, configuration_id: str | uuid.UUID) -> Configuration:
    """Remove a configuration that nothing uses, for good; what it bound stays.

    Raises Forbidden, NotFound; Conflict, naming the uses, when anything was made of it.
    """
    # Held until the commit, so that what is submitted meanwhile finds it gone instead of going with it.
    held = scope.of(Configuration).select_for_update()
    found: Configuration = scope.one(held, pk=configuration_id)
    for noun, rows in (("execution", uses(scope, found)), ("deployment", deployed(scope, found))):
        if used := list(rows.values_list("pk", flat=True)[: _USES_NAMED + 1]):
            more = " and others" if len(used) > _USES_NAMED else ""
            raise Conflict(
                f"{found.name} is used by {noun}{'' if len(used) == 1 else 's'} "
                f"{', '.join(used[:_USES_NAMED])}{more}. "
                "Archive it instead: that takes it out of the list."
            )
    planned = scope.of(Schedule).filter(configuration=found).order_by(F("deleted_at").asc(nulls_first=True))
    if (schedule := planned.first()) is not None:
        if schedule.deleted_at is not None:
            raise Conflict(f"A schedule of {found.name} is still being deleted. Try again in a moment.")
        raise Conflict(f"{found.name} is run by the schedule {schedule.name}. Delete that one first.")
    key = found.pk
    found.delete()
    # What was deleted has no key any more, and the audit trail names it by that.
    found.pk = key
    return found


def create_for(
    scope: Scope,
    *,
    name: str,
    scenario: str,
    executable: str,
    parameters: Mapping[str, str],
    artifacts: Mapping[str, str | uuid.UUID],
) -> Configuration:
    """As `create`, with the newest version of an executable. scenario, executable: slugs.

    Raises Unknown too, when the scenario has no such executable.
    """
    try:
        version = catalog.newest_version(scope, scenario, executable)
    except NotFound as error:
        sentence = "This workspace has no scenario with an executable of these ids."
        raise Unknown(sentence, fields={"executable": sentence}) from error
    return create(scope, name=name, version=version, parameters=parameters, artifacts=artifacts)


def verify(
    scope: Scope,
    version: ExecutableVersion | None,
    *,
    name: str | None = None,
    parameters: Mapping[str, str] | None = None,
    artifacts: Mapping[str, str | uuid.UUID] | None = None,
) -> None:
    """Raise Invalid as `create` would for the parts given; a wizard asks step by step.

    version: may be None as long as only the name is given.
    """
    check = Check()
    if name is not None:
        check.name(name)
    if version is not None:
        template = catalog.describe(version)
        if parameters is not None:
            configuration_values.parameters(check, template, parameters)
        if artifacts is not None:
            configuration_values.artifacts(scope, check, template, artifacts)
    check.done()


def drafts(scope: Scope) -> QuerySet[ConfigurationDraft]:
    """The holder's own drafts in this resource group, the one touched last first."""
    return own_drafts.every(scope, ConfigurationDraft)


def draft(scope: Scope, draft_id: str | uuid.UUID) -> ConfigurationDraft:
    """One of the holder's own drafts; raises NotFound."""
    return own_drafts.get(scope, ConfigurationDraft, draft_id)


@command(audit=False)
def save_draft(scope: Scope, draft_id: str | uuid.UUID | None, data: Mapping[str, Any]) -> ConfigurationDraft:
    """Keep a draft, as `drafts.keep`: a new one for None. Raises Forbidden, NotFound, Invalid, Conflict."""
    return own_drafts.keep(scope, ConfigurationDraft, draft_id, data, fields=DRAFT_FIELDS)


@command(audit=False)
def discard_draft(scope: Scope, draft_id: str | uuid.UUID) -> None:
    """Remove a draft of one's own. Raises Forbidden, NotFound."""
    draft(scope, draft_id).delete()


def _home(scope: Scope) -> ResourceGroup:
    if scope.resource_group is None:
        raise TypeError("Configurations belong to a resource group, the scope names none.")
    return scope.resource_group


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None
