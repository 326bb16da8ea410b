"""The catalog: scenarios, executables and their versions, read and synced from folders of templates."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Question, Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, NotFound
from launchpad.workspaces.models import Workspace
from mlops import manifests, storage
from mlops.domain import admissions, provisions
from mlops.domain.intakes import Intake, finding, pack, read, tree_path
from mlops.domain.limits import storable
from mlops.engine import sources
from mlops.manifests import ExecutableTemplate, Finding, Visit
from mlops.models import Executable, ExecutableVersion, Scenario, Source, SourceTree

# Specs are immutable, and reading one takes longer than anything else a request does.
_KEPT = 256
# What of a version is large, seen from rows that have one: lists leave it where it is.
LARGE = tuple(
    f"executable_version__{column}" for column in ("spec", "template", "notices", "executable__labels")
)
_read: OrderedDict[UUID, ExecutableTemplate] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class SyncReport:
    """What a sync did. findings: by file and line, errors and notices."""

    source: Source
    added: tuple[ExecutableVersion, ...]
    unchanged: tuple[ExecutableVersion, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that kept a template out."""
        return tuple(found for found in self.findings if found.severity == "error")


def scenarios(scope: Scope) -> QuerySet[Scenario]:
    """The workspace's scenarios by slug, with executable_count and version_count (distinct labels)."""
    rows = scope.of(Scenario).annotate(
        executable_count=Count("executables", distinct=True),
        version_count=Count("executables__versions__label", distinct=True),
    )
    return rows.order_by("slug")


def named(rows: Iterable[Scenario], words: str) -> list[Scenario]:
    """The scenarios that have the words in their slug or name, whatever the case; all of them for ""."""
    return [one for one in rows if words.lower() in f"{one.slug} {one.name}".lower()]


def scenario(scope: Scope, slug: str) -> Scenario:
    """One scenario; raises NotFound."""
    return scope.get(Scenario, slug=slug)


def executables(scope: Scope, scenario: Scenario | None = None) -> QuerySet[Executable]:
    """Executables by slug, with newest_number, newest_label, newest_at and version_count."""
    newest = scope.of(ExecutableVersion).filter(executable=OuterRef("pk")).order_by("-number")
    rows = scope.of(Executable).select_related("scenario")
    if scenario is not None:
        rows = rows.filter(scenario=scenario)
    return rows.annotate(
        newest_number=Subquery(newest.values("number")[:1]),
        newest_label=Subquery(newest.values("label")[:1]),
        newest_at=Subquery(newest.values("created_at")[:1]),
        version_count=Count("versions"),
    ).order_by("slug")


def executable_keys(scope: Scope, slugs: Iterable[str] = (), scenario: str | None = None) -> list[UUID]:
    """Keys of the executables of one of the slugs and in the scenario, as far as these are given."""
    wanted = list(slugs)
    if not all(storable(slug) for slug in (*wanted, scenario or "")):
        return []
    rows = scope.of(Executable)
    if wanted:
        rows = rows.filter(slug__in=wanted)
    if scenario:
        rows = rows.filter(scenario__slug=scenario)
    return list(rows.order_by().values_list("pk", flat=True))


def serving_keys(scope: Scope) -> list[UUID]:
    """Keys of the executables that are deployed instead of run."""
    rows = scope.of(Executable).filter(kind=Executable.Kind.SERVING)
    return list(rows.order_by().values_list("pk", flat=True))


def executable(scope: Scope, slug: str) -> Executable:
    """One executable; raises NotFound."""
    return scope.get(Executable, slug=slug)


def versions(scope: Scope, executable: Executable) -> QuerySet[ExecutableVersion]:
    """An executable's versions, newest first."""
    rows = scope.of(ExecutableVersion).filter(executable=executable)
    return rows.select_related("source", "source_tree", "executable").order_by("-number")


def newest_versions(
    scope: Scope, scenario: Scenario, label: str | None = None
) -> QuerySet[ExecutableVersion]:
    """The newest version of each of the scenario's executables, by the executable's slug.

    label: the newest of those that bear this version label; executables without one are left out.
    """
    newest = scope.of(ExecutableVersion).filter(executable=OuterRef("executable")).order_by("-number")
    if label is not None:
        newest = newest.filter(label=label)
    rows = scope.of(ExecutableVersion).filter(
        executable__scenario=scenario, pk=Subquery(newest.values("pk")[:1])
    )
    return rows.select_related("executable").order_by("executable__slug")


def snapshots(
    scope: Scope, *, scenario: Scenario | None = None, executable: Executable | None = None
) -> QuerySet[ExecutableVersion]:
    """Versions of a scenario or of one executable, newest first, without their text and spec."""
    rows = scope.of(ExecutableVersion)
    if scenario is not None:
        rows = rows.filter(executable__scenario=scenario)
    if executable is not None:
        rows = rows.filter(executable=executable)
    return (
        rows.defer("spec", "template").select_related("executable", "source").order_by("-created_at", "-pk")
    )


_VERSION = ("id", "executable_id", "number", "label", "created_at")
_EXECUTABLE = ("id", "scenario_id", "slug", "kind", "name", "created_at")
_NEWEST = Question(
    ExecutableVersion,
    lambda rows, scenario, executable: (
        rows.filter(executable__slug=executable, executable__scenario__slug=scenario)
        .order_by("-number")
        .values_list(*_VERSION, *(f"executable__{name}" for name in _EXECUTABLE), named=True)[:1]
    ),
    "a scenario",
    "an executable",
)
_THERE = Question(
    ExecutableVersion, lambda rows, key: rows.filter(pk=key).values_list("id", named=True), uuid4()
)


def newest_version(scope: Scope, scenario: str, executable: str) -> ExecutableVersion:
    """The newest version of an executable of a scenario; what is large is read when first asked for.

    scenario, executable: slugs; an executable of another scenario is not found. Raises NotFound.
    """
    row = scope.ask_one(_NEWEST, scenario, executable)
    found = ExecutableVersion.from_db("default", _VERSION, row[: len(_VERSION)])
    found.executable = Executable.from_db("default", _EXECUTABLE, row[len(_VERSION) :])
    return found


def verify(scope: Scope, version: ExecutableVersion) -> None:
    """Raise NotFound for a version of another workspace."""
    scope.ask_one(_THERE, version.pk)


def version(scope: Scope, executable: str, number: int | None = None) -> ExecutableVersion:
    """An executable's version by number, by default the newest. executable: its slug. Raises NotFound."""
    rows = versions(scope, scope.get(Executable, slug=executable))
    found = (rows if number is None else rows.filter(number=number)).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def describe(version: ExecutableVersion) -> ExecutableTemplate:
    """The typed template of a version, as it was when it was synced; of the newest 256 it is kept."""
    with _lock:
        if version.pk in _read:
            _read.move_to_end(version.pk)
            return _read[version.pk]
    template = ExecutableTemplate.from_json(version.spec)
    with _lock:
        _read[version.pk] = template
        while len(_read) > _KEPT:
            _read.popitem(last=False)
    return template


def outline(version: ExecutableVersion) -> tuple[Visit, ...]:
    """The steps that a workflow comes to, loops counted once, as they are written; () of one that serves."""
    template = describe(version)
    if template.workflow is None:
        return ()
    return tuple(visit for visit in manifests.visits(template.workflow) if visit.is_leaf)


def materialise(version: ExecutableVersion, cache: Path) -> Path:
    """The version's source tree, unpacked below a host's cache; fetched once, safe in parallel."""
    tree = version.source_tree
    unpacked = cache / tree.digest
    if unpacked.is_dir():
        return unpacked
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as place:
        archive = Path(place, "tree.tar")
        storage.open_source_trees(tree.workspace).fetch(tree_path(tree.digest), archive)
        return sources.unpack(archive, tree.digest, cache)


def lint(folder: Path) -> tuple[Finding, ...]:
    """What a sync of the folder would find in its templates; needs no database."""
    return read(folder).findings


def sync(scope: Scope, folder: Path, *, kind: str, name: str) -> SyncReport:
    """Take a folder's templates, each with the source tree of its own folder, into the catalog.

    kind, name: the source they are kept under (`Source.Kind`). A changed template or tree becomes a
    new version, an unchanged one stays; what has errors is left out, told in the report and kept on
    the source, and versions of before stay. Trees are packed and stored before the one transaction.
    Raises Forbidden. Safe in parallel.
    """
    scope.require(Right.CHANGE)
    intake = pack(scope.workspace, folder, read(folder))
    return record_sync(scope, kind=kind, name=name, intake=intake)


@command(verb="sync")
def record_sync(
    scope: Scope, *, kind: str, name: str, intake: Intake, commit: str = "", begun_at: datetime | None = None
) -> SyncReport:
    """The transaction of `sync`: rows only, the trees are stored already.

    Of git: commit: the one the intake is of; begun_at: when the sync of the application began. Raises
    Conflict when it was changed, removed or begun anew meanwhile.
    """
    hold(scope)
    source = _source(scope, kind, name, begun_at)
    report, refused = take_in(scope, source, intake, commit)
    if kind == Source.Kind.GIT:
        told = provisions.resources(scope, source, report.added, report.unchanged, report.findings, refused)
        provisions.settle(scope, source, told, commit)
    # When it is due next is not this one's to say: someone may have asked for it meanwhile.
    source.save(update_fields=["synced_at", "findings", "resources", "commit", "message", "is_stale"])
    return report


def take_in(
    scope: Scope, source: Source, intake: Intake, commit: str = ""
) -> tuple[SyncReport, dict[str, Finding]]:
    """Make versions of an intake's templates, the catalog held; with why some were refused, by executable id.

    The source is left to be saved.
    """
    slugs = [template.executable_id for template in intake.templates]
    findings = list(intake.findings)
    refused: dict[str, Finding] = {}
    added: list[ExecutableVersion] = []
    unchanged: list[ExecutableVersion] = []
    for template in intake.templates:
        tree = intake.trees.get(template.executable_id)
        if reason := admissions.refusal(scope, source, template, tree[0] if tree else None):
            refused[template.executable_id] = finding(template, "error", "metadata.name", reason)
            findings.append(refused[template.executable_id])
            continue
        findings += admissions.overruled(scope, template, slugs)
        parent = _scenario(scope, template)
        unknown = admissions.unknown_secrets(scope, template)
        findings += unknown
        template = replace(template, notices=(*template.notices, *unknown))
        version, is_new = _version(scope, parent, template, source, tree, commit)
        (added if is_new else unchanged).append(version)
    findings.sort(key=lambda found: (found.file, found.line))
    source.synced_at = timezone.now()
    source.findings = [asdict(found) for found in findings]
    return SyncReport(source, tuple(added), tuple(unchanged), tuple(findings)), refused


def hold(scope: Scope) -> None:
    """Let nobody else change the workspace's catalog until the commit, so that numbers follow each other."""
    Workspace._default_manager.select_for_update(no_key=True).get(pk=scope.workspace.pk)


def _source(scope: Scope, kind: str, name: str, begun_at: datetime | None) -> Source:
    rows = scope.of(Source).filter(kind=kind, name=name, removed_at=None)
    if kind != Source.Kind.GIT:
        return rows.get_or_create(defaults={"workspace": scope.workspace, "kind": kind, "name": name})[0]
    found = rows.filter(sync_started_at=begun_at).first()
    if found is None:
        raise Conflict(f"The application {name} was changed while it was synced; the next sync takes it.")
    return found


def _scenario(scope: Scope, template: ExecutableTemplate) -> Scenario:
    """The template's scenario, made or brought up to date."""
    told = admissions.of_scenario(template)
    found, _ = scope.of(Scenario).get_or_create(
        workspace=scope.workspace, slug=template.scenario_id, defaults=told
    )
    if any(getattr(found, key) != value for key, value in told.items()):
        for key, value in told.items():
            setattr(found, key, value)
        found.save()
    return found


def _version(
    scope: Scope,
    parent: Scenario,
    template: ExecutableTemplate,
    source: Source,
    tree: tuple[str, int] | None,
    commit: str,
) -> tuple[ExecutableVersion, bool]:
    """The version for this template and tree, by default the newest one's, and whether it is new."""
    told = {
        "name": template.name,
        "description": template.description,
        "labels": admissions.labels(template.labels),
    }
    owner, _ = scope.of(Executable).get_or_create(
        workspace=scope.workspace,
        scenario=parent,
        slug=template.executable_id,
        defaults={**told, "kind": template.kind},
    )
    newest, same = admissions.known(scope, source, template, tree[0] if tree else None)
    if same is not None:
        return same, False
    if tree is None:
        assert newest is not None
        stored = newest.source_tree
    else:
        stored, _ = scope.of(SourceTree).get_or_create(
            workspace=scope.workspace, digest=tree[0], defaults={"size_bytes": tree[1]}
        )
    for key, value in told.items():
        setattr(owner, key, value)
    owner.save()
    made = scope.of(ExecutableVersion).create(
        executable=owner,
        number=newest.number + 1 if newest else 1,
        label=template.version,
        digest=template.digest,
        source=source,
        source_tree=stored,
        file=template.file,
        commit=commit,
        spec=template.to_json(),
        template=template.source,
        notices=[asdict(notice) for notice in template.notices],
    )
    return made, True
