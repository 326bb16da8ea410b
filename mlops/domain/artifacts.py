"""Artifacts: register, upload, look at and check numbered versions of datasets, models and result sets."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid
from mlops import storage
from mlops.domain import aliases, artifact_facts, artifact_files, artifact_search, metrics
from mlops.domain.limits import Check, Labels, storable
from mlops.manifests import Label
from mlops.models import (
    Artifact,
    ArtifactBinding,
    Configuration,
    Deployment,
    Execution,
    Revision,
    Scenario,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_TRIES = 50
_NAMED, _COUNTED = 3, 1000


class _Entry(TypedDict):
    kind: str
    name: str
    scenario: Scenario
    description: str
    release_note: str
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Uses:
    """Who uses an artifact: configurations that bind it, what runs and serves them, newest first, aliases.

    deployments: those that serve one of them or did in an earlier revision.
    """

    configurations: QuerySet[Configuration]
    executions: QuerySet[Execution]
    deployments: QuerySet[Deployment]
    aliases: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Why it cannot be deleted, in words; "" when nothing uses it. Up to four queries."""
        names = list(self.configurations.values_list("name", flat=True)[: _NAMED + 1])
        parts = []
        if names:
            more = " and others" if len(names) > _NAMED else ""
            one = "the configuration" if len(names) == 1 else "the configurations"
            parts.append(f"{one} {', '.join(names[:_NAMED])}{more}")
        for noun, rows in (("execution", self.executions), ("deployment", self.deployments)):
            if names and (count := rows.order_by()[:_COUNTED].count()):
                many = f"{count:,}{'+' if count == _COUNTED else ''}"
                parts.append(f"{many} {noun}{'' if count == 1 else 's'}")
        if self.aliases:
            one = "the alias" if len(self.aliases) == 1 else "the aliases"
            parts.append(f"{one} {', '.join(self.aliases)}")
        return f"It is used by {', '.join(parts)}." if parts else ""


def get(scope: Scope, artifact_id: str | uuid.UUID) -> Artifact:
    """One artifact; raises NotFound."""
    return scope.get(Artifact, pk=artifact_id)


def versions(scope: Scope, artifact: Artifact) -> QuerySet[Artifact]:
    """All versions of the artifact's kind and name, newest first."""
    rows = scope.of(Artifact).filter(kind=artifact.kind, name=artifact.name)
    return rows.select_related("scenario", "created_by").order_by("-version")


def register(
    scope: Scope,
    *,
    kind: str,
    name: str,
    url: str,
    scenario: str,
    description: str = "",
    release_note: str = "",
    labels: Labels = (),
) -> Artifact:
    """Register what lies at an `ai://` address as the next version of its kind and name.

    scenario: its slug. Reads all of the stored bytes, outside the transaction, to record their size
    and digest. Raises Forbidden, or Invalid with a sentence for each field, also when nothing is
    stored there. Safe in parallel: each call gets its own number.
    """
    scope.require(Right.CHANGE)
    entry, problems = _entry(scope, kind, name, scenario, description, release_note, labels)
    try:
        location = storage.parse_url(url)
        store = artifact_files.store(scope, location)
        if not store.exists(location.path):
            problems.refuse(
                "url", f"Nothing is stored at {url}. Check the address, or upload the files first."
            )
    except (Invalid, Conflict) as error:
        problems.refuse("url", error.message)
    problems.done()
    inspection = store.inspect(location.path)
    found = artifact_facts.find(store, location.path, inspection)
    return add(scope, **entry, url=url, inspection=inspection, facts=found)


def upload(
    scope: Scope,
    *,
    kind: str,
    name: str,
    files: Sequence[tuple[str, Iterable[bytes]]],
    scenario: str,
    description: str = "",
    release_note: str = "",
    labels: Labels = (),
) -> Artifact:
    """Store files and register their folder as the next version of its kind and name.

    files: (path relative to the folder, chunks); read once, in order, outside any transaction. The
    artifact is always a folder, also with one file. When anything fails, nothing stays. Raises
    Forbidden, Invalid, and what reading the chunks raises.
    """
    scope.require(Right.CHANGE)
    entry, problems = _entry(scope, kind, name, scenario, description, release_note, labels)
    folder = f"uploads/{uuid.uuid4().hex}"
    _check_files(problems, folder, [path for path, _ in files])
    problems.done()
    location = storage.Location(storage.DEFAULT, folder)
    store = artifact_files.store(scope, location)
    inspection = store.write_tree(folder, files)
    try:
        found = artifact_facts.find(store, folder, inspection)
        return add(scope, **entry, url=storage.url(location), inspection=inspection, facts=found)
    except BaseException:
        store.delete_prefix(folder)
        raise


def _check_files(problems: Check, folder: str, paths: list[str]) -> None:
    if not paths:
        problems.refuse("files", "Choose at least one file.")
    if len(set(paths)) < len(paths):
        problems.refuse("files", "Two of the files have the same name; rename one.")
    for path in paths:
        try:
            storage.check_path(f"{folder}/{path}")
        except Invalid as error:
            problems.refuse("files", error.message)


@command(verb="register")
def add(
    scope: Scope,
    *,
    kind: str,
    name: str,
    url: str,
    inspection: storage.Inspection,
    facts: artifact_facts.Facts,
    scenario: Scenario,
    description: str,
    release_note: str,
    labels: tuple[Label, ...],
) -> Artifact:
    """The transaction of `register` and `upload`: values and stored bytes were checked by them."""
    return add_version(
        scope,
        kind=kind,
        name=name,
        url=url,
        inspection=inspection,
        facts=facts,
        scenario=scenario,
        description=description,
        release_note=release_note,
        labels=labels,
        user=scope.user,
    )


def add_version(
    scope: Scope,
    *,
    kind: str,
    name: str,
    url: str,
    inspection: storage.Inspection,
    scenario: Scenario,
    facts: artifact_facts.Facts | None = None,
    execution: Execution | None = None,
    description: str = "",
    release_note: str = "",
    labels: tuple[Label, ...] = (),
    user: User | None = None,
) -> Artifact:
    """Insert the next version of (kind, name); the only place that inserts artifacts.

    To be called inside the transaction of a command; checks neither values nor storage. Safe in
    parallel. Raises Conflict after 50 lost races.
    """
    # Numbers of what lies in the bin are taken: it may come back.
    rows = scope.everything(Artifact)
    for _ in range(_TRIES):
        last = rows.filter(kind=kind, name=name).aggregate(last=Max("version"))["last"] or 0
        artifact = Artifact(
            resource_group=scope.resource_group,
            kind=kind,
            name=name,
            version=last + 1,
            url=url,
            description=description,
            release_note=release_note,
            labels=[{"key": label.key, "value": label.value} for label in labels],
            scenario=scenario,
            execution=execution,
            size_bytes=inspection.size_bytes,
            file_count=inspection.file_count,
            digest=inspection.digest,
            created_by=user,
            is_newest=True,
            search_text=artifact_search.search_text(name, description),
        )
        rows.filter(kind=kind, name=name, is_newest=True).update(is_newest=False)
        # A number taken meanwhile inserts nothing; an IntegrityError would spoil the caller's transaction.
        rows.bulk_create([artifact], ignore_conflicts=True)
        if rows.filter(pk=artifact.pk).exists():
            artifact_facts.record(scope, artifact, inspection, facts)
            return artifact
    raise Conflict(f"{name} gets new versions faster than they can be numbered. Try again.")


def mark_newest(scope: Scope, artifact: Artifact) -> None:
    """Note which version of the artifact's name is the highest outside the bin; within a transaction."""
    rows = scope.of(Artifact).filter(kind=artifact.kind, name=artifact.name)
    # Whoever adds one or puts one into the bin goes through the row that is marked.
    rows.select_for_update().filter(is_newest=True).first()
    if top := rows.order_by("-version").values_list("pk", flat=True).first():
        rows.filter(is_newest=True).exclude(pk=top).update(is_newest=False)
        rows.filter(pk=top, is_newest=False).update(is_newest=True)


def users_of(scope: Scope, artifact: Artifact) -> Uses:
    """Configurations that bind the artifact, what was made of them, newest first, and its aliases."""
    bound = scope.of(ArtifactBinding).filter(artifact=artifact).values("configuration")
    configurations = scope.of(Configuration).filter(pk__in=bound)
    executions = scope.of(Execution).filter(configuration__in=bound)
    served = scope.of(Revision).filter(configuration__in=bound).values("deployment")
    deployments = scope.of(Deployment).filter(pk__in=served)
    return Uses(
        configurations.select_related("executable_version__executable").order_by("-created_at", "-id"),
        executions.select_related("configuration").order_by("-created_at", "-id"),
        deployments.select_related("configuration").order_by("-created_at", "-id"),
        tuple(aliases.of(scope, [artifact]).get(artifact.pk, ())),
    )


def metrics_of(scope: Scope, artifact: Artifact) -> list[metrics.SeriesSummary]:
    """What was measured of an artifact by the execution that made it, by name.

    Series that name it as their output; those that name none belong to a model that is the only one.
    """
    if artifact.execution_id is None:
        return []
    series = metrics.of_execution(scope, artifact.execution_id)
    outputs = [(one, dict(one.labels).get(metrics.OUTPUT_LABEL)) for one in series]
    bound = [one for one, output in outputs if output == artifact.name]
    if bound or artifact.kind != Artifact.Kind.MODEL:
        return bound
    # One that lies in the bin was measured as well.
    models = scope.everything(Artifact).filter(execution=artifact.execution_id, kind=artifact.kind)
    return [one for one, output in outputs if output is None] if models.count() == 1 else []


@command()
def describe(
    scope: Scope,
    artifact_id: str | uuid.UUID,
    *,
    description: str,
    release_note: str,
    labels: Labels,
    seen_at: datetime,
) -> Artifact:
    """Say from now on this of an artifact; its bytes and name never change.

    seen_at: `modified_at` of what the person was shown. Raises NotFound; Invalid with a sentence for each
    field; Conflict when somebody else changed it meanwhile.
    """
    artifact = get(scope, artifact_id)
    problems = Check()
    values = {
        "description": problems.text("description", description, label="The description"),
        "release_note": problems.text("release_note", release_note, label="The release note"),
        "labels": [{"key": one.key, "value": one.value} for one in problems.labels(labels)],
        "search_text": artifact_search.search_text(artifact.name, description),
    }
    problems.done()
    rows = scope.of(Artifact).filter(pk=artifact.pk, modified_at=seen_at)
    if not rows.update(**values, modified_at=timezone.now()):
        raise Conflict(
            f"Somebody else changed {artifact} while you were writing. Open it again to see what it says "
            "now; what you wrote was not saved."
        )
    return get(scope, artifact_id)


@command()
def delete(scope: Scope, artifact_id: str | uuid.UUID) -> Artifact:
    """Put an artifact that nothing uses into the bin, from where it can be had back for BIN_DAYS.

    Raises NotFound; Forbidden; Conflict when something uses it, saying what.
    """
    artifact = get(scope, artifact_id)
    # Whoever binds it now waits for this, or this for them.
    scope.of(Artifact).select_for_update().get(pk=artifact.pk)
    if sentence := users_of(scope, artifact).sentence:
        raise Conflict(f"{artifact} cannot be deleted. {sentence}")
    scope.of(Artifact).filter(pk=artifact.pk).update(
        binned_at=timezone.now(), binned_by=scope.actor[:256], is_newest=False
    )
    mark_newest(scope, artifact)
    return artifact


@command()
def restore(scope: Scope, artifact_id: str | uuid.UUID) -> Artifact:
    """Take an artifact out of the bin. Raises NotFound, Forbidden; Conflict when it is not in it any more."""
    artifact: Artifact = scope.one(scope.everything(Artifact), pk=artifact_id)
    edge = timezone.now() - timedelta(days=settings.BIN_DAYS)
    rows = scope.everything(Artifact).filter(pk=artifact.pk, binned_at__gt=edge)
    if not rows.update(binned_at=None, binned_by=""):
        raise Conflict(f"{artifact} is not in the bin, or its time there is over.")
    mark_newest(scope, artifact)
    return get(scope, artifact_id)


def owns_bytes(scope: Scope, artifact: Artifact) -> bool:
    """Whether the artifact's files came with it, and no other artifact has them too."""
    location = storage.parse_url(artifact.url)
    others = scope.everything(Artifact).exclude(pk=artifact.pk)
    paths = accumulate(location.path.split("/"), "{}/{}".format)
    around = [storage.url(storage.Location(location.store, path)) for path in paths]
    return (
        artifact_files.is_made_here(location.path)
        and not others.filter(Q(url__in=around) | Q(url__startswith=f"{artifact.url}/")).exists()
    )


def outputs(scope: Scope, execution: Execution) -> QuerySet[Artifact]:
    """What an execution registered, by kind and name."""
    rows = scope.of(Artifact).filter(execution=execution)
    return rows.select_related("scenario").order_by("kind", "name", "version")


def _entry(
    scope: Scope, kind: str, name: str, scenario: str, description: str, release_note: str, labels: Labels
) -> tuple[_Entry, Check]:
    """Values of a new artifact, and the check that may have refused some of them."""
    problems = Check()
    if kind not in Artifact.Kind.values:
        problems.refuse("kind", f"The kind is one of: {', '.join(Artifact.Kind.values)}.")
    found = scope.of(Scenario).filter(slug=scenario).first() if storable(scenario) else None
    if found is None:
        problems.refuse("scenario", "Choose one of the workspace's scenarios.", unknown=True)
    entry: _Entry = {
        "kind": kind,
        "name": problems.name(name),
        "scenario": found or Scenario(),
        "description": problems.text("description", description, label="The description"),
        "release_note": problems.text("release_note", release_note, label="The release note"),
        "labels": problems.labels(labels),
    }
    return entry, problems
