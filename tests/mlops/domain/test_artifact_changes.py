"""What is said of artifacts is changed by one at a time; what is used stays; uploads are unpacked."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops import storage
from mlops.domain import aliases, artifact_facts, artifact_files, artifacts, differences, metrics, uploads
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.formats import files

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LABELS = [{"key": "ext.ai.sap.com/stage", "value": "gold"}]


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture
def scope(editor, red):
    return open_scope(editor, "north", "red")


def describe(scope, made, **changed):
    values = {"description": "d", "release_note": "r", "labels": LABELS, "seen_at": made.modified_at}
    return artifacts.describe(scope, made.pk, **(values | changed))


class TestDescribe:
    def test_what_is_said_changes_and_the_bytes_stay(self, scope, red):
        made = factories.artifact(red)
        told = describe(scope, made)
        assert (told.description, told.release_note, told.labels) == ("d", "r", LABELS)
        assert told.modified_at > made.modified_at
        assert (told.url, told.digest, told.created_at) == (made.url, made.digest, made.created_at)
        assert AuditEvent.unscoped.filter(verb="artifacts.describe", object_id=str(made.pk)).count() == 1

    def test_the_second_of_two_is_told_and_changes_nothing(self, scope, red):
        made = factories.artifact(red)
        describe(scope, made)
        with pytest.raises(Conflict, match="Somebody else changed petals:1"):
            describe(scope, made, description="mine")
        assert artifacts.get(scope, made.pk).description == "d"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("description", "x" * 5001),
            ("release_note", "a\0b"),
            ("labels", [{"key": "stage", "value": "x"}]),
            ("labels", LABELS * 2),
        ],
    )
    def test_wrong_values_are_told_at_their_field(self, scope, red, field, value):
        made = factories.artifact(red)
        with pytest.raises(Invalid) as refused:
            describe(scope, made, **{field: value})
        assert list(refused.value.fields) == [field]

    def test_only_editors_of_the_group(self, scope, red, blue, viewer):
        with pytest.raises(Forbidden):
            describe(open_scope(viewer, "north", "red"), factories.artifact(red))
        with pytest.raises(NotFound):
            describe(scope, factories.artifact(blue))


class TestDelete:
    def test_what_is_used_stays_and_says_by_what(self, scope, red):
        made = factories.artifact(red)
        bound = factories.configuration(red, name="nightly", inputs={"petals": made})
        factories.execution(bound)
        aliases.move(scope, made.pk, alias="gold", why="")
        with pytest.raises(Conflict) as refused:
            artifacts.delete(scope, made.pk)
        assert refused.value.message == (
            "petals:1 cannot be deleted. "
            "It is used by the configuration nightly, 1 execution, the alias gold."
        )
        assert artifacts.get(scope, made.pk) == made

    def test_what_nothing_uses_goes_with_what_is_known_of_it(self, scope, red):
        made = factories.artifact(red)
        gone = artifacts.delete(scope, made.pk)
        assert gone.pk == made.pk
        with pytest.raises(NotFound):
            artifacts.get(scope, made.pk)
        event = AuditEvent.unscoped.get(verb="artifacts.delete")
        assert (event.object_id, event.object_name) == (str(made.pk), "petals:1")
        assert storage.open_store(red).exists(storage.parse_url(made.url).path)

    def test_only_editors_of_the_group(self, scope, red, blue, viewer):
        made = factories.artifact(red)
        with pytest.raises(Forbidden):
            artifacts.delete(open_scope(viewer, "north", "red"), made.pk)
        with pytest.raises(NotFound):
            artifacts.delete(scope, factories.artifact(blue).pk)
        assert artifact_files.check(scope, made).state == "ok"


class TestUploads:
    @pytest.fixture
    def send(self, scope, red):
        factories.artifact(red, name="makes the scenario")

        def upload(*sent, unpack=True):
            given = [SimpleUploadedFile(name, body) for name, body in sent]
            return uploads.upload(
                scope, kind="model", name="up", scenario=factories.SCENARIO, files=given, unpack=unpack
            )

        return upload

    def paths(self, scope, made):
        return [file.path for file in artifact_files.files(scope, made)]

    def test_a_zip_becomes_what_it_holds_beside_other_files(self, scope, send):
        packed = files.zipped({"in/a.csv": b"x\n1\n", "b.txt": b"text"})
        made = send(("data.ZIP", packed), ("c.txt", b"more"))
        assert self.paths(scope, made) == ["b.txt", "c.txt", "in/a.csv"]
        assert b"".join(artifact_files.content(scope, made, "in/a.csv")) == b"x\n1\n"
        assert self.paths(scope, send(("data.zip", packed), unpack=False)) == ["data.zip"]

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (files.zipped({"../../evil": b"x"}), "without . and .."),
            (files.zipped({"/etc/evil": b"x"}), "empty part"),
            (files.zipped({"a\\..\\b": b"x"}), "backslash"),
            (files.zipped({}), "It holds no files"),
            (b"PK no zip", "It is no zip file"),
            (files.zipped({"a": b"x", "c.txt": b"y"}), "Two of the files have the same name"),
            (files.zipped({"bomb": bytes(3 * 1024 * 1024)}), "unpacks to more than 1 MiB"),
            (files.zipped({str(number): b"" for number in range(9)}), "at most 5"),
        ],
    )
    def test_what_is_not_taken_leaves_nothing(self, scope, red, send, settings, body, sentence):
        settings.UNPACKED_BYTES, settings.UPLOAD_FILES = 1024**2, 5
        before = storage.open_store(red).top()
        with pytest.raises(Invalid, match=sentence) as refused:
            send(("data.zip", body), ("c.txt", b"more"))
        assert list(refused.value.fields) == ["files"]
        assert storage.open_store(red).top() == before
        assert not scope.of(Artifact).filter(name="up").exists()

    def test_a_zip_that_breaks_half_way_leaves_nothing(self, scope, red, send):
        body = bytearray(files.zipped({"a": b"fine", "b": b"text " * 1000}))
        at = body.find(b"PK\x03\x04", 10) + 33
        body[at : at + 8] = b"\xff" * 8
        before = storage.open_store(red).top()
        with pytest.raises(Invalid, match="It is broken"):
            send(("data.zip", bytes(body)))
        assert storage.open_store(red).top() == before

    def test_onnx_models_are_looked_at_as_they_come(self, scope, send):
        made = send(("model.onnx", files.onnx_model()), ("broken.onnx", b"no model"))
        told = {one["path"]: one for one in artifact_facts.of(scope, made).onnx}
        assert told["model.onnx"]["opsets"] == [["ai.onnx", 17], ["ai.onnx.ml", 3]]
        assert told["model.onnx"]["inputs"] == [{"name": "x", "type": "float32", "shape": "[batch, 4]"}]
        assert told["broken.onnx"]["error"].startswith("broken.onnx cannot be read as an ONNX model: it ")


class TestDifferences:
    def test_files_by_what_they_hold_and_tables_by_columns_and_rows(self, scope, red, tmp_path):
        old = factories.artifact(
            red,
            files={
                "same.txt": b"same",
                "gone.txt": b"gone",
                "a.csv": b"x,y\n1,2\n3,4\n",
                "b.parquet": files.parquet(tmp_path, 3),
                "c.bin": b"\0\1",
            },
        )
        new = factories.artifact(
            red,
            files={
                "same.txt": b"same",
                "new.txt": b"new!!",
                "a.csv": b"x,z\none,2\n",
                "b.parquet": files.parquet(tmp_path, 5, extra=True),
                "c.bin": b"\0\2",
            },
        )
        found = differences.between(scope, old, new)
        assert found.same_count == 1
        assert [(one.path, one.what) for one in found.files] == [
            ("a.csv", "changed"),
            ("b.parquet", "changed"),
            ("c.bin", "changed"),
            ("gone.txt", "removed"),
            ("new.txt", "added"),
        ]
        table, parquet = found.tables
        assert [(one.name, one.before, one.after) for one in table.columns] == [
            ("x", "integer", "text"),
            ("y", "integer", None),
            ("z", None, "integer"),
        ]
        assert (table.before.row_count, table.after.row_count) == (2, 1)
        assert (parquet.before.row_count, parquet.after.row_count) == (3, 5)
        assert parquet.columns[-1] == ("extra", None, "Float64")
        assert found.problems == ()

    def test_bytes_that_are_gone_are_a_problem_in_words(self, scope, red):
        old, new = (factories.artifact(red, files={"a.csv": body}) for body in (b"x\n1\n", b"x\n2\n"))
        storage.open_store(red).delete_prefix(storage.parse_url(old.url).path)
        found = differences.between(scope, old, new)
        assert [one.what for one in found.files] == ["changed"]
        assert "a.csv could not be looked into" in found.problems[0]

    def test_models_by_metrics_parameters_and_signature(self, scope, red):
        made = []
        for epochs, accuracy, opset in (("3", 0.5, 17), ("5", 0.75, 18)):
            bound = factories.configuration(red, parameters={"EPOCHS": epochs})
            run = factories.execution(bound, status=Status.COMPLETED)
            body = io.BytesIO(files.onnx_model(opset=opset)).getvalue()
            store = storage.open_store(red)
            inspection = store.write_tree(f"{run.pk}/m", [("model.onnx", [body])])
            made.append(
                artifacts.add_version(
                    system_scope(run),
                    kind="model",
                    name="petal-model",
                    url=f"ai://default/{run.pk}/m",
                    inspection=inspection,
                    facts=artifact_facts.find(store, f"{run.pk}/m", inspection),
                    scenario=run.executable_version.executable.scenario,
                    execution=run,
                )
            )
            metrics.record(system_scope(red), run.pk, metrics=[Point("accuracy", accuracy)])
        found = differences.between(scope, *made)
        assert found.measures == (("accuracy", 0.5, 0.75),)
        changed = [one for one in found.parameters if not one.is_same]
        assert ("EPOCHS", "3", "5") in changed
        assert [one for one in found.signature if not one.is_same] == [
            ("operators ai.onnx", "opset 17", "opset 18")
        ]


def test_metrics_without_output_belong_to_the_only_model(scope, red):
    run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    metrics.record(system_scope(red), run.pk, metrics=[Point("loss", 0.5)])
    made = [factories.artifact(red, kind=kind, name=kind) for kind in ("model", "resultset")]
    Artifact.unscoped.filter(pk__in=[one.pk for one in made]).update(execution=run)
    model, results = (artifacts.get(scope, one.pk) for one in made)
    assert [one.name for one in artifacts.metrics_of(scope, model)] == ["loss"]
    assert artifacts.metrics_of(scope, results) == []
    second = factories.artifact(red, kind="model", name="another")
    Artifact.unscoped.filter(pk=second.pk).update(execution=run)
    assert artifacts.metrics_of(scope, model) == []
