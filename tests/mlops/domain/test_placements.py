"""What a step leaves and finds: links never lead the worker elsewhere, broken archives are told as such."""

import io
import os
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.errors import Invalid
from mlops import storage
from mlops.domain import artifacts, deliveries
from mlops.domain.placements import Placement, Stay
from mlops.domain.step_paths import Refused
from mlops.engine.flow import Export, Flow, Report, Start
from mlops.models import Artifact
from tests.mlops import factories

pytestmark = pytest.mark.django_db

TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: two-steps
  labels: {scenarios.ai.sap.com/id: petals-tutorial, ai.sap.com/version: "1"}
  annotations:
    scenarios.ai.sap.com/name: Petals
    executables.ai.sap.com/name: Two steps
    artifacts.ai.sap.com/start.kind: resultset
    artifacts.ai.sap.com/packed.kind: resultset
spec:
  entrypoint: main
  templates:
    - name: main
      inputs: {artifacts: [{name: start, optional: true}]}
      steps:
        - - name: first
            template: write
            arguments: {artifacts: [{name: start, from: "{{inputs.artifacts.start}}"}]}
        - - name: second
            template: read
            arguments: {artifacts: [{name: note, from: "{{steps.first.outputs.artifacts.note}}"}]}
    - name: write
      metadata: {labels: {ai.sap.com/resourcePlan: starter}}
      inputs: {artifacts: [{name: start, path: /app/start, optional: true}]}
      outputs:
        artifacts:
          - {name: note, path: /app/left/note, archive: {none: {}}}
          - {name: packed, path: /app/box/packed, globalName: packed, optional: true, archive: {zip: {}}}
      container: {image: none, command: [sh]}
    - name: read
      metadata: {labels: {ai.sap.com/resourcePlan: starter}}
      inputs: {artifacts: [{name: note, path: /app/note, subPath: word}]}
      container: {image: none, command: [sh]}
"""


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder that only the worker can read."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    (folder / "word").write_text("secret")
    return folder


@dataclass
class Entered:
    """A placement whose first step is entered, and the folder that holds that step's outputs."""

    placement: Placement
    flow: Flow
    first: Start
    stay: Stay

    @property
    def left(self) -> Path:
        return self.stay.spec.folder / "outputs" / "app"

    def leave(self) -> None:
        """End the first step."""
        _, names = self.placement.leave(self.first, self.stay)
        self.flow.reported(self.first.index, Report("Succeeded", artifacts=names), timezone.now())

    def second(self) -> Path:
        """What the second step finds as its input."""
        (start,) = self.flow.advance(timezone.now())
        (mount,) = self.placement.enter(start).spec.mounts
        return mount.real


def entered(tmp_path: Path, start: Artifact | None = None) -> Entered:
    """The first of the two steps, entered."""
    group = factories.place()
    version = factories.catalog_version(group, text=TEMPLATE)
    bound = factories.configuration(group, version=version, inputs={"start": start} if start else None)
    place = tmp_path / "place"
    place.mkdir()
    placement = Placement.of(factories.execution(bound), 1, place, tmp_path, None)
    flow = Flow(placement.template, placement.values, most=1, begun_at=timezone.now())
    (first,) = flow.advance(timezone.now())
    return Entered(placement, flow, first, placement.enter(first))


def test_a_later_step_finds_the_part_it_asks_for(tmp_path):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "note").mkdir()
    (left / "left" / "note" / "word").write_text("hello")
    made.leave()
    assert made.second().read_text() == "hello"


def test_an_output_may_be_a_link_to_its_neighbour(tmp_path):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "newest").mkdir()
    (left / "left" / "newest" / "word").write_text("hello")
    (left / "left" / "note").symlink_to("newest")
    made.leave()
    assert made.second().read_text() == "hello"


@pytest.mark.parametrize("target", ["folder", "root", "parent"])
def test_an_output_that_links_elsewhere_is_refused(tmp_path, elsewhere, target):
    made = entered(tmp_path)
    left = made.left
    if target == "parent":
        (left / "left").rmdir()
        (left / "left").symlink_to(elsewhere)
        (elsewhere / "note").write_text("secret")
    else:
        (left / "left" / "note").symlink_to(elsewhere if target == "folder" else "/")
    with pytest.raises(Refused, match="leads out"):
        made.leave()
    assert not made.placement.passed


def test_a_refused_link_does_not_tell_whether_its_target_exists(tmp_path, elsewhere):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "note").symlink_to(elsewhere / "nothing")
    with pytest.raises(Refused) as absent:
        made.leave()
    (left / "left" / "note").unlink()
    (left / "left" / "note").symlink_to(elsewhere)
    with pytest.raises(Refused) as present:
        made.leave()
    assert str(absent.value) == str(present.value)


def test_a_link_in_a_circle_counts_as_missing(tmp_path):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "note").symlink_to("note")
    with pytest.raises(Refused, match="missing"):
        made.leave()


def test_a_part_that_links_elsewhere_is_refused(tmp_path, elsewhere):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "note").mkdir()
    (left / "left" / "note" / "word").symlink_to(elsewhere / "word")
    made.leave()
    with pytest.raises(Invalid, match="leads out"):
        made.second()


def test_a_packed_output_never_holds_what_lies_elsewhere(tmp_path, elsewhere):
    made = entered(tmp_path)
    left = made.left
    (left / "left" / "note").mkdir()
    (left / "box" / "packed").mkdir()
    (left / "box" / "packed" / "own").write_text("mine")
    (left / "box" / "packed" / "link").symlink_to(elsewhere)
    (left / "box" / "packed" / "word").symlink_to(elsewhere / "word")
    made.leave()
    exports = made.flow.exports
    assert list(exports) == ["packed"] and isinstance(exports["packed"], Export)
    execution = made.placement.execution
    store = storage.open_store(execution.resource_group)
    (delivered,) = deliveries.upload(store, execution, 1, made.placement, exports, {})
    held = b"".join(store.open(delivered.location.path))
    assert zipfile.ZipFile(io.BytesIO(held)).namelist() == ["own"]


def _archive(ending: str, body: bytes) -> Artifact:
    """An artifact that an execution left, stored under this ending."""
    group = factories.place()
    scope = system_scope(group)
    maker = factories.execution(factories.configuration(group))
    path = f"{maker.pk}/made{ending}"
    store = storage.open_store(group)
    return artifacts.add_version(
        scope,
        kind=Artifact.Kind.RESULTSET,
        name="made",
        url=storage.url(storage.Location(storage.DEFAULT, path)),
        inspection=store.write(path, [body]),
        scenario=maker.executable_version.executable.scenario,
        execution=maker,
    )


def _cut_tar() -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    return body.getvalue()[:50_000]


@pytest.mark.parametrize(
    ("ending", "body"),
    [(".tgz", b"not an archive"), (".tgz", _cut_tar()), (".tgz", b""), (".zip", b"PK\3\4 but no more")],
)
def test_an_archive_that_is_none_is_refused_by_name(tmp_path, ending, body):
    with pytest.raises(Invalid, match=r"made:1 is no archive that can be unpacked"):
        entered(tmp_path, _archive(ending, body))
