"""What an application provides: the state of each of its executables, and who owns an id that two provide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from launchpad.access import Scope
from mlops import doorbell
from mlops.manifests import ExecutableTemplate, Finding
from mlops.models import Executable, ExecutableVersion, Source

_KINDS = {Executable.Kind.WORKFLOW: "WorkflowTemplate", Executable.Kind.SERVING: "ServingTemplate"}
_LINES = 20
_RESOURCES = 1000


class State(StrEnum):
    """The state of one executable of an application."""

    SYNCED = "Synced"
    FAILED = "SyncFailed"
    VANISHED = "PruneSkipped"


def clash(scope: Scope, source: Source, template: ExecutableTemplate, tree: str | None) -> str:
    """Why an executable belongs to another application; empty when it does not, or is the very same there.

    An id belongs to the application that provided it first, for as long as it does. tree: the digest of the
    template's source tree, None for that of the newest version. Where its owner lies is told to
    administrators alone.
    """
    if source.kind not in (Source.Kind.GIT, Source.Kind.UPLOAD):
        return ""
    newest = (
        scope.of(ExecutableVersion)
        .filter(executable__slug=template.executable_id)
        .select_related("source__repository", "source_tree")
        .order_by("-number")
        .first()
    )
    if (
        newest is None
        or newest.source_id == source.pk
        or not _provides(newest.source, template.executable_id)
    ):
        return ""
    if newest.digest == template.digest and tree in (None, newest.source_tree.digest):
        return ""
    owner = newest.source
    place = ""
    if owner.repository and scope.may_change and scope.resource_group is None:
        place = f" ({owner.repository.url} at {owner.revision}, {owner.path or '.'})"
    return (
        f"the executable id {template.executable_id} belongs to the application {owner.name}{place}, "
        "which provides another template of it; give this one another id, or delete that application"
    )


def _provides(source: Source, slug: str) -> bool:
    return (
        source.kind == Source.Kind.GIT
        and source.removed_at is None
        and any(one["name"] == slug and one["status"] != State.VANISHED for one in source.resources)
    )


def resources(
    scope: Scope,
    source: Source,
    added: Iterable[ExecutableVersion],
    unchanged: Iterable[ExecutableVersion],
    findings: Iterable[Finding],
    refused: Mapping[str, Finding],
) -> list[dict[str, str]]:
    """The state of each executable after a sync, failed ones first: {name, kind, status, message}.

    refused: findings of templates that were read but not taken, by executable id. A file that cannot be read
    is told under the executable it held before, else under its own name; so is every error with file, line
    and field. An executable whose template is gone keeps its versions and is told as vanished.
    """
    told = {one.executable.slug: _synced(source, one, is_new=True) for one in added}
    told |= {one.executable.slug: _synced(source, one, is_new=False) for one in unchanged}
    held = {slug: one for slug, one in _held(scope, source).items() if slug not in {*told, *refused}}
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for found in findings:
        if found.severity == "error" and found not in refused.values():
            by_file[found.file].append(found)
    failed = [_failed(slug, "Template", [found]) for slug, found in refused.items()]
    for file, errors in by_file.items():
        here = {slug: kind for slug, (kind, at) in held.items() if at == file}
        failed += [_failed(slug, kind, errors) for slug, kind in here.items()]
        failed += [] if here else [_failed(file, "Template", errors)]
        for slug in here:
            held.pop(slug)
    vanished = [
        {
            "name": slug,
            "kind": kind,
            "status": str(State.VANISHED),
            "message": "No template of this application defines it any more. Its versions stay.",
        }
        for slug, (kind, _) in held.items()
    ]
    return [*failed, *vanished, *told.values()][:_RESOURCES]


def _held(scope: Scope, source: Source) -> dict[str, tuple[str, str]]:
    """Executables whose newest version came from the source: id to kind in words and file."""
    newest = scope.of(ExecutableVersion).filter(executable=OuterRef("pk")).order_by("-number")
    rows = scope.of(Executable).annotate(
        newest_source=Subquery(newest.values("source")[:1]), newest_file=Subquery(newest.values("file")[:1])
    )
    mine = rows.filter(newest_source=source.pk).order_by("slug")
    return {
        slug: (_KINDS[Executable.Kind(kind)], file)
        for slug, kind, file in mine.values_list("slug", "kind", "newest_file")
    }


def _synced(source: Source, version: ExecutableVersion, *, is_new: bool) -> dict[str, str]:
    words = f"{'New version' if is_new else 'Version'} {version.label} (number {version.number})."
    if version.source_id != source.pk:
        words += f" The very same comes from {version.source.name}."
    kind = _KINDS[Executable.Kind(version.executable.kind)]
    return {"name": version.executable.slug, "kind": kind, "status": str(State.SYNCED), "message": words}


def _failed(name: str, kind: str, errors: list[Finding]) -> dict[str, str]:
    lines = [f"{one.file}:{one.line}: {one.field}: {one.reason}" for one in errors[:_LINES]]
    lines += [f"(and {len(errors) - _LINES} more)"] if len(errors) > _LINES else []
    return {"name": name, "kind": kind, "status": str(State.FAILED), "message": "\n".join(lines)}


def settle(scope: Scope, source: Source, told: list[dict[str, str]], commit: str) -> None:
    """Put the outcome of a sync on the application, unsaved; others get what it provides no more."""
    before = _names(source.resources)
    source.resources, source.commit, source.message, source.is_stale = told, commit, "", False
    if before - _names(told):
        release(scope, source)


def _names(told: Iterable[Mapping[str, str]]) -> set[str]:
    return {one["name"] for one in told if one["status"] != State.VANISHED}


def release(scope: Scope, source: Source) -> None:
    """Have the other applications read again: an id they were refused for may be free now."""
    others = scope.of(Source).filter(kind=Source.Kind.GIT, removed_at=None).exclude(pk=source.pk)
    if others.update(is_stale=True, due_at=timezone.now()):
        doorbell.sources()
