"""Reads files and folders of AI Core templates; bad input becomes findings, never an exception."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from mlops.manifests.fields import Section
from mlops.manifests.masking import is_serving
from mlops.manifests.metadata import Metadata, read_metadata
from mlops.manifests.nodes import compose, documents, shown
from mlops.manifests.report import Report
from mlops.manifests.serving import read_serving
from mlops.manifests.slots import bound_slots, check_annotations, check_calls, input_slots, output_slots
from mlops.manifests.spec import ExecutableTemplate, Finding, Parameter, Reading
from mlops.manifests.walk import visits
from mlops.manifests.workflow import read_workflow, with_archives

MAX_FILE_BYTES = 1024 * 1024
MAX_DOCUMENTS = 100
MAX_FILES = 500
_API_VERSIONS = ("argoproj.io/v1alpha1", "ai.sap.com/v1alpha1")


def read(text: str | bytes, *, file: str) -> Reading:
    """Read one file of any number of documents. file: the name that findings carry.

    Limits: 1 MiB a file, 20,000 values and 50 levels a document, 500 steps a workflow. Never raises
    for bad input: every problem is a finding, and only documents without errors are among the templates.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_FILE_BYTES:
        return _refused(file, f"is {len(data):,} bytes long; at most {MAX_FILE_BYTES:,} are allowed")
    try:
        content = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _refused(file, "is not UTF-8 text", data.count(b"\n", 0, error.start) + 1)
    parts: list[Reading] = []
    for line, source in documents(content):
        if len(parts) == MAX_DOCUMENTS:
            parts.append(_refused(file, f"more than {MAX_DOCUMENTS} documents; the rest is left out", line))
            break
        parts.append(_document(source, file, line))
    if not parts:
        return _refused(file, "holds no template")
    return _joined(parts)


def read_folder(folder: Path) -> Reading:
    """Read every *.yaml and *.yml in folder and below, sorted by path; names that begin with a dot are
    left out.

    Findings name files relative to folder. A link that leaves the folder and what cannot be read are
    errors. An executable id that occurs twice is an error of its second place.
    """
    unreadable: list[OSError] = []
    paths = _files(folder, unreadable)
    parts = [
        _refused(_relative(Path(error.filename), folder), f"cannot be read: {error.strerror}")
        for error in unreadable
    ]
    parts += [_file(path, folder) for path in paths[:MAX_FILES]]
    for path in paths[MAX_FILES : MAX_FILES + 1]:
        reason = f"more than {MAX_FILES} template files: this and later ones are left out"
        parts.append(_refused(_relative(path, folder), reason))
    return _joined(parts)


def read_files(files: Iterable[tuple[str, bytes]]) -> Reading:
    """Read some files, each a name and its content, as `read_folder` reads those of a folder."""
    return _joined([read(content, file=name) for name, content in files])


def _files(folder: Path, unreadable: list[OSError]) -> list[Path]:
    """Template files and linked folders; a link to a folder is looked at but never followed."""
    found = []
    for root, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in folders if Path(root, name).is_symlink()]
        wanted = [name for name in files if name.endswith((".yaml", ".yml"))]
        found += [Path(root, name) for name in wanted if not name.startswith(".")]
    return sorted(found)


def _relative(path: Path, folder: Path) -> str:
    """The path below folder for findings; bytes that are no text are shown as question marks."""
    return path.relative_to(folder).as_posix().encode("utf-8", "replace").decode()


def _file(path: Path, folder: Path) -> Reading:
    name = _relative(path, folder)
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(folder.resolve()):
            return _refused(name, "is a link that leaves the folder")
        if path.is_dir():
            return Reading()
        if not path.is_file():
            return _refused(name, "is not a file")
        with path.open("rb") as stream:
            return read(stream.read(MAX_FILE_BYTES + 1), file=name)
    except (OSError, RuntimeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "its links form a circle"
        return _refused(name, f"cannot be read: {said}")


def _refused(file: str, reason: str, line: int = 1) -> Reading:
    return Reading(findings=(Finding("error", file, line, "file", reason),))


def _joined(parts: list[Reading]) -> Reading:
    """All parts as one reading; an id that was seen before makes its document an error."""
    kept: dict[str, ExecutableTemplate] = {}
    names: dict[str, tuple[str, str]] = {}
    findings = [finding for part in parts for finding in part.findings]
    for template in (template for part in parts for template in part.templates):
        first = kept.setdefault(template.executable_id, template)
        if first is not template:
            reason = f"{template.executable_id} is defined in {first.file}, line {first.line}, already"
            findings.append(Finding("error", template.file, template.line, "metadata.name", reason))
            continue
        said = (template.scenario_name, template.scenario_description)
        if names.setdefault(template.scenario_id, said) != said:
            reason = f"another template names or describes {template.scenario_id} otherwise; the last counts"
            names[template.scenario_id] = said
            where = "metadata.annotations"
            findings.append(Finding("notice", template.file, template.line, where, reason))
    return Reading(tuple(kept.values()), tuple(findings))


def _document(source: str, file: str, first_line: int) -> Reading:
    report = Report(file, first_line)
    root = compose(source, report, first_line, masked=is_serving(source))
    if root is None:
        return Reading(findings=report.findings)
    document = Section(root, "", "document", report)
    if document.required("apiVersion") not in ("", *_API_VERSIONS):
        document.error("apiVersion", f"must be {' or '.join(_API_VERSIONS)}")
    kind = document.required("kind")
    metadata = read_metadata(document.section("metadata", "metadata"), serving=kind == "ServingTemplate")
    read = {"WorkflowTemplate": _workflow, "ServingTemplate": _serving}.get(kind)
    if read is None:
        if kind:
            reason = f"{shown(kind)!r} is refused: WorkflowTemplate and ServingTemplate are read"
            document.error("kind", reason)
        return Reading(findings=report.findings)
    made = read(document, metadata, source)
    if report.failed:
        return Reading(findings=report.findings)
    return Reading((dataclasses.replace(made, notices=report.findings),), report.findings)


def _workflow(document: Section, metadata: Metadata, source: str) -> ExecutableTemplate:
    """What was read, put together; if it has no errors, then checked for what only a walk shows."""
    report = document.report
    workflow, parameters = read_workflow(document.section("spec", "spec"), metadata)
    draft = _put_together(metadata, report, source, kind="workflow", parameters=parameters)
    if report.failed:
        return draft
    calls = tuple(visits(workflow))
    inputs = input_slots(workflow, calls, metadata.artifacts)
    outputs = output_slots(workflow, calls, metadata.artifacts)
    check_calls(workflow, calls, report)
    check_annotations(metadata, inputs, outputs, report)
    workflow = with_archives(workflow, report)
    return dataclasses.replace(draft, inputs=inputs, outputs=outputs, workflow=workflow)


def _serving(document: Section, metadata: Metadata, source: str) -> ExecutableTemplate:
    report = document.report
    serving, parameters, artifacts = read_serving(
        document.section("spec", "serving spec"), cascade_update=metadata.cascade_update
    )
    inputs = bound_slots(artifacts, metadata.artifacts)
    check_annotations(metadata, inputs, (), report)
    draft = _put_together(metadata, report, source, kind="serving", parameters=parameters)
    return dataclasses.replace(draft, inputs=inputs, serving=serving)


def _put_together(
    metadata: Metadata,
    report: Report,
    source: str,
    *,
    kind: Literal["workflow", "serving"],
    parameters: tuple[Parameter, ...],
) -> ExecutableTemplate:
    return ExecutableTemplate(
        file=report.file,
        line=report.first_line,
        executable_id=metadata.executable_id,
        name=metadata.name,
        description=metadata.description,
        scenario_id=metadata.scenario_id,
        scenario_name=metadata.scenario_name,
        scenario_description=metadata.scenario_description,
        scenario_labels=metadata.scenario_labels,
        labels=metadata.labels,
        version=metadata.version,
        kind=kind,
        parameters=parameters,
        inputs=(),
        outputs=(),
        workflow=None,
        serving=None,
        source=source,
        notices=(),
    )
