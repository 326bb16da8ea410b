"""Templates that somebody brings along: what a sync would say of them, and adding them without git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid
from mlops import manifests
from mlops.domain import admissions, catalog
from mlops.domain.intakes import Intake, finding, pack_files
from mlops.manifests import ExecutableTemplate, Finding
from mlops.models import ExecutableVersion, Scenario, Source

# Reading YAML takes seconds a megabyte: enough for any set of templates, too little to keep a server busy.
BYTES_LIMIT = 128 * 1024
FILES_LIMIT = 10
TEMPLATES_LIMIT = 20
NAME_LIMIT = 128
# The one source in a workspace of what was added by hand.
SOURCE = "Check a template"

Files = Sequence[tuple[str, bytes]]


class State(StrEnum):
    """What would come of a template."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What would come of one template that could be read.

    newest: the newest version of its executable, None for a new one; number: that of the version it would
    become or is the same as, 0 when refused. is_new_scenario: whether its scenario would be made along.
    """

    template: ExecutableTemplate
    state: State
    newest: ExecutableVersion | None = None
    number: int = 0
    is_new_scenario: bool = False


@dataclass(frozen=True)
class Review:
    """What a sync would make of some files. findings: in the order of files and lines."""

    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep a template out."""
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def may_be_added(self) -> bool:
        """Whether there is something to add and nothing against it."""
        adds = any(one.state in (State.NEW, State.CHANGED) for one in self.outcomes)
        return adds and not self.errors


def check(scope: Scope, files: Files) -> Review:
    """What a sync would say of some template files, and what would come of each; changes nothing.

    files: (name, content), at most 10 of 128 KiB in all, 20 templates. Raises Invalid when there are more,
    when none is given, or by the name of a file. Bad content is among the findings.
    """
    reading = _read(files)
    source = _found(scope) or Source(workspace=scope.workspace, kind=Source.Kind.UPLOAD, name=SOURCE)
    slugs = [template.executable_id for template in reading.templates]
    there = set(scope.of(Scenario).values_list("slug", flat=True))
    findings, outcomes = list(reading.findings), []
    for template in reading.templates:
        outcome, said = _outcome(scope, source, template, slugs, there)
        outcomes.append(outcome)
        findings += said
    order = {name: place for place, (name, _) in enumerate(files)}
    findings.sort(key=lambda found: (order.get(found.file, 0), found.line))
    return Review(tuple(outcomes), tuple(findings))


def _outcome(
    scope: Scope, source: Source, template: ExecutableTemplate, slugs: list[str], scenarios: set[str]
) -> tuple[Outcome, list[Finding]]:
    newest, same = admissions.known(scope, source, template, None)
    if reason := admissions.refusal(scope, source, template, None):
        said = [finding(template, "error", "metadata.name", reason)]
        return Outcome(template, State.REFUSED, newest), said
    said = admissions.overruled(scope, template, slugs) + admissions.unknown_secrets(scope, template)
    if same is not None:
        return Outcome(template, State.SAME, newest, same.number), said
    number = newest.number + 1 if newest else 1
    state = State.CHANGED if newest else State.NEW
    return Outcome(template, state, newest, number, template.scenario_id not in scenarios), said


def add(scope: Scope, files: Files) -> catalog.SyncReport:
    """Add templates to the catalog as a sync would, all of them or none.

    A new executable gets the files themselves as its source code; one that is there keeps the code of its
    newest version. files: as of `check`. Raises Forbidden, Invalid with what is wrong, and Conflict when
    an id belongs to somebody else.
    """
    scope.administer()
    reading = _read(files)
    if reading.errors:
        first = reading.errors[0]
        raise Invalid(f"{first.file}, line {first.line}, {first.field}: {first.reason}")
    slugs = [template.executable_id for template in reading.templates]
    there = scope.of(ExecutableVersion).filter(executable__slug__in=slugs)
    keeping = set(there.values_list("executable__slug", flat=True))
    intake = pack_files(
        scope.workspace, files, Intake(reading.templates, findings=reading.findings), keeping=keeping
    )
    return record_addition(scope, intake=intake)


@command(verb="add", administers=True)
def record_addition(scope: Scope, *, intake: Intake) -> catalog.SyncReport:
    """The transaction of `add`: rows only, the trees are stored already."""
    catalog.hold(scope)
    source = _found(scope) or scope.of(Source).create(
        workspace=scope.workspace, kind=Source.Kind.UPLOAD, name=SOURCE
    )
    report, _ = catalog.take_in(scope, source, intake)
    if report.errors:
        raise Conflict(f"Nothing was added: {report.errors[0].reason}.")
    source.save()
    return report


def _found(scope: Scope) -> Source | None:
    return scope.of(Source).filter(kind=Source.Kind.UPLOAD, name=SOURCE, removed_at=None).first()


def _read(files: Files) -> manifests.Reading:
    if not files:
        raise Invalid("Paste a template or choose a file.")
    if len(files) > FILES_LIMIT:
        raise Invalid(f"{len(files)} files are given; at most {FILES_LIMIT} are checked at once.")
    if sum(len(content) for _, content in files) > BYTES_LIMIT:
        raise Invalid(f"The files are larger than {BYTES_LIMIT // 1024} KiB in all, which no templates need.")
    names = [name for name, _ in files]
    for name in names:
        _check_name(name)
    if len({name.lower() for name in names}) < len(names):
        raise Invalid("Two files have the same name. Give each its own.")
    reading = manifests.read_files(files)
    if len(reading.templates) > TEMPLATES_LIMIT:
        raise Invalid(
            f"{len(reading.templates)} templates are given; at most {TEMPLATES_LIMIT} are checked at once."
        )
    return reading


def _check_name(name: str) -> None:
    if not name.lower().endswith((".yaml", ".yml")):
        raise Invalid(
            f"{name[:80] or 'A file without a name'} is no template: its name ends in .yaml or .yml."
        )
    if name.startswith(".") or not name.isprintable() or set(name) & set("/\\") or len(name) > NAME_LIMIT:
        raise Invalid(
            f"A file's name is at most {NAME_LIMIT} characters that can be printed, without slashes and "
            "without a dot in front."
        )
