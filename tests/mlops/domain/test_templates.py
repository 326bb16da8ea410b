"""Templates brought along: told as by a sync, added by administrators, never over those of an application."""

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid
from mlops import storage
from mlops.domain import catalog, templates
from mlops.domain.intakes import tree_path
from mlops.domain.templates import State
from mlops.models import ExecutableVersion, Source
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(workspace):
    return system_scope(workspace)


def files(**fields):
    return [("train.yaml", factories.template(**fields).encode())]


def owned(scope, text):
    """The template as a sync of a git application takes it."""
    source = factories.application(factories.repository(scope.workspace, name="team"), name="team-app")
    factories.catalog_version(factories.place(scope.workspace.pk), text=text)
    version = catalog.version(scope, factories.EXECUTABLE)
    ExecutableVersion.unscoped.filter(pk=version.pk).update(source=source)
    told = [{"name": factories.EXECUTABLE, "kind": "WorkflowTemplate", "status": "Synced", "message": ""}]
    Source.unscoped.filter(pk=source.pk).update(resources=told)


def test_says_what_a_sync_of_the_same_file_says(scope, tmp_path):
    text = factories.template().replace("entrypoint: train", "entrypoint: nowhere") + "---\na: [1,\n"
    (tmp_path / "train.yaml").write_text(text)
    review = templates.check(scope, [("train.yaml", text.encode())])
    assert review.findings == catalog.lint(tmp_path) and len(review.errors) > 1
    assert review.outcomes == () and not review.may_be_added


def test_says_whether_it_is_new_changed_or_the_same_and_stores_nothing(scope, red):
    (new,) = templates.check(scope, files()).outcomes
    assert (new.state, new.number, new.newest, new.is_new_scenario) == (State.NEW, 1, None, True)
    assert not catalog.scenarios(scope).exists() and not Source.unscoped.exists()
    version = factories.catalog_version(red)
    (same,) = templates.check(scope, files()).outcomes
    assert (same.state, same.number) == (State.SAME, 1)
    (changed,) = templates.check(scope, files(version="2.0.0")).outcomes
    assert (changed.state, changed.number, changed.newest) == (State.CHANGED, 2, version)
    assert not changed.is_new_scenario


def test_a_new_one_is_added_with_its_files_as_source_code(scope, workspace):
    report = templates.add(scope, files())
    (version,) = report.added
    assert (version.number, version.source.kind, version.file) == (1, Source.Kind.UPLOAD, "train.yaml")
    assert storage.open_source_trees(workspace).exists(tree_path(version.source_tree.digest))
    event = AuditEvent.unscoped.get(verb="templates.add")
    assert factories.EXECUTABLE in event.detail["intake"]
    assert templates.add(scope, files()).added == ()


def test_one_that_is_there_keeps_its_code(scope, red):
    before = factories.catalog_version(red)
    (version,) = templates.add(scope, files(version="2.0.0")).added
    assert (version.number, version.source_tree_id) == (2, before.source_tree_id)
    assert catalog.describe(version).version == "2.0.0"


def test_an_id_of_an_application_is_refused_with_its_owner(scope, red, viewer):
    owned(scope, factories.template())
    review = templates.check(scope, files(version="2.0.0"))
    assert review.outcomes[0].state is State.REFUSED
    assert "belongs to the application team-app (https://git.example/team.git" in review.errors[0].reason
    # Where it lies is for administrators to know.
    shown = templates.check(open_scope(viewer, "north", "red"), files(version="2.0.0")).errors[0].reason
    assert "belongs to the application team-app," in shown
    with pytest.raises(Conflict, match="team-app"):
        templates.add(scope, files(version="2.0.0"))
    assert ExecutableVersion.unscoped.count() == 1
    # The very same is no trouble, and one that the application gave up is free.
    assert templates.check(scope, files()).outcomes[0].state is State.SAME
    Source.unscoped.filter(name="team-app").update(resources=[])
    assert len(templates.add(scope, files(version="2.0.0")).added) == 1


def test_all_or_nothing(scope, red):
    factories.catalog_version(red, scenario="other-scenario", executable="petals-other")
    both = [*files(), ("other.yaml", factories.template(executable="petals-other").encode())]
    with pytest.raises(Conflict, match="other-scenario"):
        templates.add(scope, both)
    with pytest.raises(Invalid, match=r"broken\.yaml, line"):
        templates.add(scope, [*files(), ("broken.yaml", b"a: [1,\n")])
    assert ExecutableVersion.unscoped.count() == 1


def test_only_administrators_of_the_workspace_add(red, editor, manager):
    for scope in (open_scope(editor, "north", "red"), open_scope(manager, "north")):
        assert templates.check(scope, files()).may_be_added
        with pytest.raises(Forbidden):
            templates.add(scope, files())


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9))
    for letter in range(ord("b"), ord("i"))
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB, "more than 20,000 values"),
        (b"[" * 60_000, "nested more than 50 deep"),
        (b"a: &a {b: *a}\n", "an alias inside its own anchor"),
        (b"a: !!python/object/apply:os.system [id]\n", "YAML tag"),
        (b"a: \xff\xfe", "is not UTF-8 text"),
        (b"a: \x00", "U+0000 is not allowed"),
        (b"", "holds no template"),
    ],
)
def test_hostile_yaml_is_refused_in_words(scope, content, told):
    review = templates.check(scope, [("a.yaml", content)])
    assert any(told in one.reason for one in review.errors), review.errors
    assert not review.outcomes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "Paste a template"),
        ([("a.yaml", b"x" * (templates.BYTES_LIMIT + 1))], "larger than 128 KiB"),
        ([(f"{n}.yaml", b"") for n in range(11)], "at most 10"),
        ([("a.yaml", b""), ("A.yaml", b"")], "same name"),
        ([("../a.yaml", b"")], "without slashes"),
        ([(".a.yaml", b"")], "without a dot"),
        ([("a\x00.yaml", b"")], "can be printed"),
        ([("a.txt", b"")], "ends in .yaml"),
    ],
)
def test_too_much_and_odd_names_are_refused(scope, given, told):
    with pytest.raises(Invalid, match=told):
        templates.check(scope, given)
    with pytest.raises(Invalid, match=told):
        templates.add(scope, given)


def test_too_many_templates_are_refused(scope):
    one = factories.template()
    text = "---\n".join(one.replace(factories.EXECUTABLE, f"petals-{n}") for n in range(21))
    with pytest.raises(Invalid, match="21 templates"):
        templates.check(scope, [("a.yaml", text.encode())])


def test_a_sync_after_it_takes_the_executable_over(scope, red):
    templates.add(scope, files())
    version = factories.catalog_version(red, version="2.0.0")
    assert (version.number, version.source.kind) == (2, Source.Kind.FOLDER)
