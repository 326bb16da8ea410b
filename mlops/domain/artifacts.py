"""Artifacts: register, upload, look at and check numbered versions of datasets, models and result sets."""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

from django.db.models import Max, QuerySet

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from mlops import storage
from mlops.domain.limits import Check, Labels, storable
from mlops.manifests import Label
from mlops.models import Artifact, ArtifactBinding, Configuration, Execution, Scenario

if TYPE_CHECKING:
    from django.contrib.auth.models import User

State = Literal["ok", "missing", "changed", "unreadable"]
PREVIEW_BYTES = 64 * 1024
PREVIEW_ROWS = 50
_TRIES = 50
_MADE_HERE = re.compile(r"(uploads|e[0-9a-f]{15})\Z")
_READABLE = (".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".log")


class _Entry(TypedDict):
    kind: str
    name: str
    scenario: Scenario
    description: str
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Uses:
    """Who binds an artifact, newest first."""

    configurations: QuerySet[Configuration]
    executions: QuerySet[Execution]


@dataclass(frozen=True)
class Contents:
    """The files at an artifact's address, by path. state: whether their size and number are as registered.

    "unreadable": the store is gone or does not answer, and reason is a sentence that says so.
    """

    state: State
    files: tuple[storage.StoredFile, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Preview:
    """The beginning of one file. kind: "table" (header and rows), "text" (text) or "none" (no UTF-8 text).

    path: relative to the artifact. is_cut: the file goes on.
    """

    path: str
    kind: Literal["table", "text", "none"]
    text: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    is_cut: bool = False


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
    labels: Labels = (),
) -> Artifact:
    """Register what lies at an `ai://` address as the next version of its kind and name.

    scenario: its slug. Reads all of the stored bytes, outside the transaction, to record their size
    and digest. Raises Forbidden, or Invalid with a sentence for each field, also when nothing is
    stored there. Safe in parallel: each call gets its own number.
    """
    scope.require(Right.CHANGE)
    entry, problems = _entry(scope, kind, name, scenario, description, labels)
    try:
        location = storage.parse_url(url)
        store = _store(scope, location)
        if not store.exists(location.path):
            problems.refuse(
                "url", f"Nothing is stored at {url}. Check the address, or upload the files first."
            )
    except (Invalid, Conflict) as error:
        problems.refuse("url", error.message)
    problems.done()
    return add(scope, **entry, url=url, inspection=store.inspect(location.path))


def upload(
    scope: Scope,
    *,
    kind: str,
    name: str,
    files: Sequence[tuple[str, Iterable[bytes]]],
    scenario: str,
    description: str = "",
    labels: Labels = (),
) -> Artifact:
    """Store files and register their folder as the next version of its kind and name.

    files: (path relative to the folder, chunks); read once, in order, outside any transaction. The
    artifact is always a folder, also with one file. When anything fails, nothing stays. Raises
    Forbidden, Invalid, and what reading the chunks raises.
    """
    scope.require(Right.CHANGE)
    entry, problems = _entry(scope, kind, name, scenario, description, labels)
    folder = f"uploads/{uuid.uuid4().hex}"
    _check_files(problems, folder, [path for path, _ in files])
    problems.done()
    location = storage.Location(storage.DEFAULT, folder)
    store = _store(scope, location)
    inspection = store.write_tree(folder, files)
    try:
        return add(scope, **entry, url=storage.url(location), inspection=inspection)
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
    scenario: Scenario,
    description: str,
    labels: tuple[Label, ...],
) -> Artifact:
    """The transaction of `register` and `upload`: values and stored bytes were checked by them."""
    return add_version(
        scope,
        kind=kind,
        name=name,
        url=url,
        inspection=inspection,
        scenario=scenario,
        description=description,
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
    execution: Execution | None = None,
    description: str = "",
    labels: tuple[Label, ...] = (),
    user: User | None = None,
) -> Artifact:
    """Insert the next version of (kind, name); the only place that inserts artifacts.

    To be called inside the transaction of a command; checks neither values nor storage. Safe in
    parallel. Raises Conflict after 50 lost races.
    """
    rows = scope.of(Artifact)
    for _ in range(_TRIES):
        last = rows.filter(kind=kind, name=name).aggregate(last=Max("version"))["last"] or 0
        artifact = Artifact(
            resource_group=scope.resource_group,
            kind=kind,
            name=name,
            version=last + 1,
            url=url,
            description=description,
            labels=[{"key": label.key, "value": label.value} for label in labels],
            scenario=scenario,
            execution=execution,
            size_bytes=inspection.size_bytes,
            file_count=inspection.file_count,
            digest=inspection.digest,
            created_by=user,
        )
        # A number taken meanwhile inserts nothing; an IntegrityError would spoil the caller's transaction.
        rows.bulk_create([artifact], ignore_conflicts=True)
        if rows.filter(pk=artifact.pk).exists():
            return artifact
    raise Conflict(f"{name} gets new versions faster than they can be numbered. Try again.")


def used_by(scope: Scope, artifact: Artifact) -> Uses:
    """Configurations that bind the artifact, and executions of these, newest first."""
    bound = scope.of(ArtifactBinding).filter(artifact=artifact).values("configuration")
    configurations = scope.of(Configuration).filter(pk__in=bound)
    executions = scope.of(Execution).filter(configuration__in=bound)
    return Uses(
        configurations.select_related("executable_version__executable").order_by("-created_at", "-id"),
        executions.select_related("configuration").order_by("-created_at", "-id"),
    )


def outputs(scope: Scope, execution: Execution) -> QuerySet[Artifact]:
    """What an execution registered, by kind and name."""
    rows = scope.of(Artifact).filter(execution=execution)
    return rows.select_related("scenario").order_by("kind", "name", "version")


def addresses(scope: Scope) -> list[str]:
    """The `ai://` addresses of what lies at the top of the group's default store, by name.

    Without what uploads and executions put there: that is registered already. None when the store fails:
    they are a help for writing an address, which is checked when it is given.
    """
    try:
        found = _store(scope, storage.Location(storage.DEFAULT, "")).top()
    except Conflict:
        return []
    names = [name for name in found if not _MADE_HERE.match(name)]
    return [storage.url(storage.Location(storage.DEFAULT, name)) for name in names]


def files(scope: Scope, artifact: Artifact) -> list[storage.StoredFile]:
    """The artifact's files by path. Raises Invalid when they are gone."""
    location = storage.parse_url(artifact.url)
    return _store(scope, location).files(location.path)


def contents(scope: Scope, artifact: Artifact) -> Contents:
    """What lies at the artifact's address now; reads the listing only."""
    location = storage.parse_url(artifact.url)
    try:
        store = _store(scope, location)
        found = tuple(store.files(location.path)) if store.exists(location.path) else ()
    except (Invalid, Conflict) as error:
        return Contents("unreadable", reason=error.message)
    size_bytes = sum(file.size_bytes for file in found)
    is_same = (size_bytes, len(found)) == (artifact.size_bytes, artifact.file_count)
    return Contents("ok" if is_same else "changed" if found else "missing", found)


def content(scope: Scope, artifact: Artifact, path: str) -> storage.Content:
    """One of the artifact's files as a stream. path: as `files` tells it. Raises NotFound."""
    location = storage.parse_url(artifact.url)
    try:
        store = _store(scope, location)
        return store.open(_full(store, location, path))
    except Invalid as error:
        raise NotFound(f"{artifact} has no such file, or it was removed from the object store.") from error


def file_url(scope: Scope, artifact: Artifact, path: str) -> str:
    """The `ai://` address of one of the artifact's files. path: as `files` tells it. Raises Invalid."""
    location = storage.parse_url(artifact.url)
    full = _full(_store(scope, location), location, path)
    return storage.url(storage.Location(location.store, full))


def check(scope: Scope, artifact: Artifact) -> Contents:
    """As `contents`, and reads all of the bytes when their size and number are as registered."""
    found = contents(scope, artifact)
    if found.state != "ok":
        return found
    location = storage.parse_url(artifact.url)
    try:
        digest = _store(scope, location).inspect(location.path).digest
    except (Invalid, Conflict) as error:
        return Contents("unreadable", reason=error.message)
    return found if digest == artifact.digest else Contents("changed", found.files)


def preview(scope: Scope, artifact: Artifact, path: str = "") -> Preview:
    """The first 64 KiB of one file, CSV as at most 50 rows. path: by default the first readable file.

    Raises Invalid when the files are gone, NotFound for another path.
    """
    location = storage.parse_url(artifact.url)
    store = _store(scope, location)
    if not path:
        names = [file.path for file in store.files(location.path)]
        path = next((name for name in names if name.lower().endswith(_READABLE)), names[0])
    try:
        head = store.beginning(_full(store, location, path), PREVIEW_BYTES + 1)
    except Invalid as error:
        raise NotFound(f"{artifact} has no such file, or it was removed from the object store.") from error
    return _preview(path, head)


def _preview(path: str, head: bytes) -> Preview:
    is_cut = len(head) > PREVIEW_BYTES
    text = _text(head[:PREVIEW_BYTES], is_cut=is_cut)
    if text is None:
        return Preview(path, "none", is_cut=is_cut)
    if not path.lower().endswith((".csv", ".tsv")):
        return Preview(path, "text", text, is_cut=is_cut)
    lines = text.splitlines(keepends=True)
    whole = lines[:-1] if is_cut and len(lines) > 1 else lines
    try:
        table = list(csv.reader(whole, delimiter="\t" if path.lower().endswith(".tsv") else ","))
    except csv.Error:
        return Preview(path, "text", text, is_cut=is_cut)
    header, *rows = [tuple(row) for row in table if row] or [()]
    return Preview(
        path, "table", text, header, tuple(rows[:PREVIEW_ROWS]), is_cut or len(rows) > PREVIEW_ROWS
    )


def _text(head: bytes, *, is_cut: bool) -> str | None:
    """The bytes as text, a letter cut in two left out; None when they are not UTF-8 text."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not is_cut or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8-sig")
    return None if "\0" in text else text


def _full(store: storage.Store, location: storage.Location, path: str) -> str:
    """The path in the store of one of the artifact's files; a single file goes by its own name."""
    if not store.is_file(location.path):
        return f"{location.path}/{path}"
    if path != location.path.rsplit("/", 1)[-1]:
        raise Invalid("The artifact is a single file of another name.")
    return location.path


def _store(scope: Scope, location: storage.Location) -> storage.Store:
    if scope.resource_group is None:
        raise TypeError("Artifacts belong to a resource group, the scope names none.")
    return storage.open_store(scope.resource_group, location.store)


def _entry(
    scope: Scope, kind: str, name: str, scenario: str, description: str, labels: Labels
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
        "labels": problems.labels(labels),
    }
    return entry, problems
