"""Artifacts: what is registered is there, numbered and checked; nothing crosses a group."""

import re
import threading

import pytest
from django.db import IntegrityError, connection

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid, NotFound
from mlops import storage
from mlops.domain import artifact_files, artifact_search, artifacts, previews
from mlops.manifests import Label
from mlops.models import Artifact, Scenario
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture
def scope(editor, red):
    factories.artifact(red, name="makes the scenario")
    return open_scope(editor, "north", "red")


@pytest.fixture
def data(red):
    """Two files at ai://default/data."""
    storage.open_store(red).write_tree("data", [("a.csv", [b"text,label\nhi,1\n"]), ("b.txt", [b"note"])])
    return "ai://default/data"


def register(scope, url="ai://default/data", **changed):
    values = {"kind": "dataset", "name": "feedback", "scenario": factories.SCENARIO} | changed
    return artifacts.register(scope, url=url, **values)


def test_registering_records_what_lies_there(scope, data, editor, red):
    made = register(scope, description="hand-labelled", labels={"ext.ai.sap.com/lang": "en"})
    found = storage.open_store(red).inspect("data")
    assert (made.size_bytes, made.file_count, made.digest) == (20, 2, found.digest)
    stored = artifacts.get(scope, made.pk)
    assert (stored.version, stored.url, stored.created_by) == (1, data, editor)
    assert stored.labels == [{"key": "ext.ai.sap.com/lang", "value": "en"}]
    assert AuditEvent.unscoped.filter(object_id=str(made.pk), actor="editor").count() == 1


def test_versions_count_by_kind_and_name_within_the_group(scope, data, blue):
    first, second = register(scope), register(scope, name=" feedback ")
    assert [first.version, second.version] == [1, 2]
    assert register(scope, name="Feedback").version == 1
    assert register(scope, kind="model").version == 1
    assert factories.artifact(blue, name="feedback").version == 1
    assert list(artifacts.versions(scope, first)) == [second, first]


def test_a_viewer_registers_nothing(scope, data, viewer):
    seen = open_scope(viewer, "north", "red")
    with pytest.raises(Forbidden):
        register(seen)
    with pytest.raises(Forbidden):
        artifacts.upload(seen, kind="dataset", name="x", files=[("a", [b"a"])], scenario=factories.SCENARIO)


@pytest.mark.parametrize(
    ("field", "changed", "word"),
    [
        ("url", {"url": "ai://default/absent"}, "Nothing is stored"),
        ("url", {"url": "ai://default/../blue/default/data"}, r"\.\."),
        ("url", {"url": "ai://other/data"}, "no object store"),
        ("url", {"url": "s3://bucket/data"}, "ai://"),
        ("name", {"name": "  "}, "name"),
        ("name", {"name": "x" * 257}, "256"),
        ("name", {"name": "two\nlines"}, "one line"),
        ("name", {"name": "nul\0"}, "one line"),
        ("kind", {"kind": "table"}, "dataset, model"),
        ("scenario", {"scenario": "unknown"}, "scenario"),
        ("scenario", {"scenario": "nul\0"}, "scenario"),
        ("description", {"description": "x" * 5001}, "5000"),
        ("description", {"description": "a\0b"}, "NUL"),
        ("labels", {"labels": {"team": "a"}}, "ext.ai.sap.com/"),
        ("labels", {"labels": {"ext.ai.sap.com/a\n": "a"}}, "ext.ai.sap.com/"),
        ("labels", {"labels": {"ext.ai.sap.com/a": "x" * 5001}}, "5000"),
        ("labels", {"labels": [{"key": "ext.ai.sap.com/a", "value": v} for v in "12"]}, "twice"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(scope, data, field, changed, word):
    before = scope.of(Artifact).count()
    with pytest.raises(Invalid, match=word) as refused:
        register(scope, **changed)
    assert list(refused.value.fields) == [field]
    assert scope.of(Artifact).count() == before


def test_all_wrong_values_are_told_at_once(scope):
    with pytest.raises(Invalid) as refused:
        register(scope, url="nonsense", name="", kind="", scenario="")
    assert set(refused.value.fields) == {"url", "name", "kind", "scenario"}


def test_names_with_markup_and_accents_are_names(scope, data):
    name = '<b>größe</b> & "co" (v1.2) 100%'
    assert register(scope, name=name).name == name


def test_an_upload_becomes_a_folder_of_its_own(scope, red):
    made = artifacts.upload(
        scope,
        kind="dataset",
        name="uploaded",
        files=[("données 1.csv", [b"a,", b"b\n"]), ("sub/x#y.txt", iter([b"z"]))],
        scenario=factories.SCENARIO,
    )
    assert [(file.path, file.size_bytes) for file in artifact_files.files(scope, made)] == [
        ("données 1.csv", 4),
        ("sub/x#y.txt", 1),
    ]
    assert b"".join(artifact_files.content(scope, made, "sub/x#y.txt")) == b"z"
    assert artifact_files.check(scope, made).state == "ok"
    for missing in ("absent", "../secret", "sub"):
        with pytest.raises(NotFound):
            artifact_files.content(scope, made, missing)


@pytest.mark.parametrize("files", [[], ["a", "a"], ["../a"], ["/etc/x"], ["a\0"], [""], ["a", "a/b"]])
def test_an_upload_that_cannot_be_stored_leaves_nothing(scope, red, files):
    before = set(storage.open_store(red).top())
    with pytest.raises((Invalid, artifacts.Conflict)):
        artifacts.upload(
            scope,
            kind="dataset",
            name="uploaded",
            files=[(name, [b"x"]) for name in files],
            scenario=factories.SCENARIO,
        )
    assert set(storage.open_store(red).top()) == before


def test_an_upload_that_breaks_off_leaves_nothing(scope, red):
    def chunks():
        yield b"half"
        raise ConnectionResetError("gone")

    before = scope.of(Artifact).count(), storage.open_store(red).top()
    with pytest.raises(ConnectionResetError):
        artifacts.upload(
            scope,
            kind="dataset",
            name="uploaded",
            files=[("a", [b"whole"]), ("b", chunks())],
            scenario=factories.SCENARIO,
        )
    assert (scope.of(Artifact).count(), storage.open_store(red).top()) == before


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_cannot_be_registered_leaves_nothing(editor, red):
    scope = open_scope(editor, "north", "red")
    scenario = scope.of(Scenario).create(workspace=red.workspace, slug="short-lived", name="Gone soon")

    def chunks():
        scenario.delete()
        yield b"x"

    with pytest.raises(IntegrityError):
        artifacts.upload(scope, kind="dataset", name="x", files=[("a", chunks())], scenario="short-lived")
    assert not scope.of(Artifact).exists()
    assert storage.open_store(red).top() == []


def test_another_groups_artifacts_are_not_there(scope, blue):
    theirs = factories.artifact(blue, name="secret plans", description="secret")
    with pytest.raises(NotFound):
        artifacts.get(scope, theirs.pk)
    with pytest.raises(NotFound):
        artifacts.get(scope, "no-uuid")
    assert theirs not in artifact_search.search(scope)
    assert not artifact_search.search(scope, q="secret").exists()
    assert not artifacts.versions(scope, theirs).exists()
    with pytest.raises(Invalid):
        artifact_files.files(scope, theirs)


def test_search_by_kind_words_and_scenario_newest_first(scope, red):
    older = factories.artifact(red, name="Wide petals")
    newer = factories.artifact(red, name="narrow", description="all PETALS")
    factories.artifact(red, name="petals", kind="model")
    assert list(artifact_search.search(scope, kind="dataset", q="petals")) == [newer, older]
    assert list(artifact_search.search(scope, kind="dataset", q="petals", scenario="another")) == []
    assert not artifact_search.search(scope, scenario="nul\0").exists()
    for words in ("x" * 81, "a~b", "nul\0"):
        with pytest.raises(Invalid, match="80 characters"):
            artifact_search.search(scope, q=words)


def test_a_check_tells_missing_and_changed(scope, data, red):
    made = register(scope)
    store = storage.open_store(red)
    assert artifact_files.check(scope, made).state == "ok"
    store.write("data/b.txt", [b"edit"], overwrite=True)
    assert artifact_files.check(scope, made).state == "changed"
    store.write("data/c.txt", [b"more"])
    assert artifact_files.check(scope, made).state == "changed"
    seen = artifact_files.contents(scope, made)
    assert (seen.state, [file.path for file in seen.files]) == ("changed", ["a.csv", "b.txt", "c.txt"])
    store.delete_prefix("data")
    assert artifact_files.check(scope, made).state == artifact_files.contents(scope, made).state == "missing"


def test_a_single_file_is_listed_and_read_by_its_own_name(scope, data):
    made = register(scope, url="ai://default/data/a.csv")
    assert [file.path for file in artifact_files.files(scope, made)] == ["a.csv"]
    assert b"".join(artifact_files.content(scope, made, "a.csv")).startswith(b"text")
    assert previews.of(scope, made).table.columns == (("text", "text"), ("label", "integer"))
    with pytest.raises(NotFound):
        artifact_files.content(scope, made, "b.txt")


@pytest.mark.parametrize(
    ("name", "body", "kind", "is_cut"),
    [
        ("a.csv", b'x,y\n"1,5",2\n', "table", False),
        ("a.tsv", b"x\ty\n1,5\t2\n", "table", False),
        ("a.csv", b"x,y\n" + b"1,2\n" * 60, "table", True),
        ("a.txt", "größe".encode(), "text", False),
        ("a.txt", "ü".encode() * 40_000, "text", True),
        ("a.txt", b"x" + "ü".encode() * 40_000, "text", True),
        ("a.txt", b"", "text", False),
        ("a.csv", b"", "table", False),
        ("a.bin", b"\xff\xfe\x00", "none", False),
        ("a.txt", b"a\0b", "none", False),
        ("a.txt", b"text then \xff", "none", False),
    ],
)
def test_a_preview_shows_text_and_tables(scope, red, name, body, kind, is_cut):
    made = factories.artifact(red, files={name: body})
    seen = previews.of(scope, made)
    assert (seen.path, seen.kind, seen.is_cut) == (name, kind, is_cut)
    if kind == "table":
        assert len(seen.table.rows) <= previews.ROWS
    if kind == "table" and body:
        assert [column.name for column in seen.table.columns] == ["x", "y"]
        assert seen.table.rows[0] in {("1,5", "2"), ("1", "2")}
    if kind == "text":
        assert body.startswith(seen.text.encode())
        assert len(seen.text.encode()) >= min(len(body), previews.TEXT_BYTES - 1)


def test_a_preview_takes_the_first_readable_file_or_the_one_named(scope, red):
    made = factories.artifact(red, files={"a.bin": b"\0", "b.txt": b"text", "c.txt": b"more"})
    assert previews.of(scope, made).text == "text"
    assert previews.of(scope, made, "c.txt").text == "more"
    with pytest.raises(NotFound):
        previews.of(scope, made, "d.txt")


def test_used_by_tells_configurations_and_their_executions(scope, red):
    bound, other = factories.artifact(red), factories.artifact(red)
    configuration = factories.configuration(red, inputs={"petals": bound})
    execution = factories.execution(configuration)
    seen = artifacts.users_of(scope, bound)
    assert (list(seen.configurations), list(seen.executions)) == ([configuration], [execution])
    assert not artifacts.users_of(scope, other).configurations.exists()


def test_an_executions_outputs_are_artifacts_with_their_source(scope, red):
    execution = factories.execution(factories.configuration(red))
    made = artifacts.add_version(
        system_scope(execution),
        kind="model",
        name="petal-model",
        url="ai://default/x/petal-model",
        inspection=storage.Inspection(1, 1, "0" * 64, is_folder=False),
        scenario=execution.executable_version.executable.scenario,
        execution=execution,
        labels=(Label("ext.ai.sap.com/task", "petals"),),
    )
    assert list(artifacts.outputs(scope, execution)) == [made]
    assert made.labels == [{"key": "ext.ai.sap.com/task", "value": "petals"}]


def test_addresses_at_the_top_of_the_store(scope, data, red):
    storage.open_store(red).write("uploads/registered/already", [b"x"])
    storage.open_store(red).write("e0123456789abcde/model", [b"x"])
    found = artifact_files.addresses(scope)
    assert data in found
    assert not [
        address for address in found if re.search(r"/(\.incoming|uploads|e0123456789abcde)\Z", address)
    ]


@pytest.mark.django_db(transaction=True)
def test_registering_at_once_gives_each_its_own_number(editor, red):
    factories.artifact(red, name="makes the scenario")
    storage.open_store(red).write("parallel/a", [b"a"])
    together = threading.Barrier(6, timeout=120)
    failures: list[BaseException] = []

    def one() -> None:
        try:
            mine = open_scope(editor, "north", "red")
            together.wait()
            register(mine, url="ai://default/parallel", name="parallel")
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    numbers = Artifact.unscoped.filter(name="parallel").values_list("version", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
