"""The catalog: good templates become immutable versions, bad ones are told by file and line."""

import threading

import pytest
from django.db import connection

from launchpad.access import open_scope, system_scope
from launchpad.errors import Forbidden, NotFound
from mlops import storage
from mlops.domain import catalog
from mlops.models import Executable, ExecutableVersion, Scenario, Source, SourceTree
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(workspace):
    return system_scope(workspace)


@pytest.fixture
def folder(tmp_path):
    """A folder with one good template and its code."""
    home = tmp_path / "templates"
    (home / "train").mkdir(parents=True)
    (home / "train" / "train.yaml").write_text(factories.template())
    (home / "train" / "train.py").write_text("print('trained')\n")
    return home


def sync(scope, folder, name="folder"):
    return catalog.sync(scope, folder, kind=Source.Kind.FOLDER, name=name)


def test_a_template_becomes_a_scenario_an_executable_and_a_version(scope, folder):
    report = sync(scope, folder)
    assert not report.errors
    (version,) = report.added
    assert (version.number, version.label, version.file) == (1, "1.0.0", "train/train.yaml")
    (scenario,) = catalog.scenarios(scope)
    assert (scenario.slug, scenario.name, scenario.executable_count, scenario.version_count) == (
        factories.SCENARIO,
        "Petals",
        1,
        1,
    )
    (executable,) = catalog.executables(scope, scenario)
    assert (executable.slug, executable.name) == (factories.EXECUTABLE, "Train on petals")
    assert (executable.newest_number, executable.newest_label, executable.version_count) == (1, "1.0.0", 1)
    assert executable.newest_at == version.created_at
    told = catalog.describe(catalog.version(scope, factories.EXECUTABLE))
    assert [parameter.name for parameter in told.parameters] == ["EPOCHS", "OWNER", "MODE"]
    assert [(slot.name, slot.kind, slot.optional) for slot in told.inputs] == [
        ("petals", "dataset", False),
        ("base-model", "model", True),
    ]
    assert [step.template.name for step in catalog.outline(version)] == ["train"]
    assert version.template == factories.template()
    assert report.source.synced_at is not None


def test_the_same_again_changes_nothing(scope, folder):
    (version,) = sync(scope, folder).added
    again = sync(scope, folder)
    assert (again.added, again.unchanged) == ((), (version,))
    assert SourceTree.unscoped.count() == Source.unscoped.count() == 1


def test_a_comment_makes_no_version_but_code_and_fields_do(scope, folder):
    sync(scope, folder)
    (folder / "notes.txt").write_text("beside the tree")
    assert not sync(scope, folder).added
    (folder / "train" / "train.py").write_text("print('better')\n")
    (second,) = sync(scope, folder).added
    (folder / "train" / "train.yaml").write_text(factories.template(version="1.1.0", scenario_name="Flowers"))
    (third,) = sync(scope, folder).added
    assert [second.number, third.number] == [2, 3]
    assert [version.label for version in catalog.versions(scope, third.executable)] == [
        "1.1.0",
        "1.0.0",
        "1.0.0",
    ]
    assert catalog.version(scope, factories.EXECUTABLE, 1).label == "1.0.0"
    assert catalog.scenario(scope, factories.SCENARIO).name == "Flowers"


def test_a_scenarios_newest_versions_and_all_of_them(scope, folder):
    (folder / "other.yaml").write_text(factories.template(executable="petals-other"))
    sync(scope, folder)
    (folder / "other.yaml").write_text(factories.template(executable="petals-other", version="2.0.0"))
    sync(scope, folder)
    scenario = catalog.scenario(scope, factories.SCENARIO)
    newest = [(row.executable.slug, row.label) for row in catalog.newest_versions(scope, scenario)]
    assert newest == [("petals-other", "2.0.0"), (factories.EXECUTABLE, "1.0.0")]
    everything = [(row.executable.slug, row.number) for row in catalog.snapshots(scope, scenario=scenario)]
    assert everything[0] == ("petals-other", 2)
    assert sorted(everything) == [("petals-other", 1), ("petals-other", 2), (factories.EXECUTABLE, 1)]
    alone = catalog.snapshots(scope, executable=catalog.executable(scope, "petals-other"))
    assert [row.number for row in alone] == [2, 1]


def test_good_templates_come_in_beside_bad_ones_and_old_versions_stay(scope, folder):
    (first,) = sync(scope, folder).added
    (folder / "train" / "train.yaml").write_text(
        factories.template().replace("entrypoint: train", "entrypoint: x")
    )
    (folder / "other.yaml").write_text(factories.template(executable="petals-other"))
    (folder / "broken.yaml").write_text("a: [1,\n")
    report = sync(scope, folder)
    assert [version.executable.slug for version in report.added] == ["petals-other"]
    assert {error.file for error in report.errors} == {"train/train.yaml", "broken.yaml"}
    assert catalog.version(scope, factories.EXECUTABLE) == first
    kept = Source.unscoped.get().findings
    assert [entry["file"] for entry in kept] == [finding.file for finding in report.findings]
    assert set(kept[0]) == {"severity", "file", "line", "field", "reason"}


def test_of_two_templates_with_one_id_the_first_stays(scope, folder):
    (folder / "zz.yaml").write_text(factories.template(version="9.9.9"))
    report = sync(scope, folder)
    (error,) = report.errors
    assert (error.file, error.field) == ("zz.yaml", "metadata.name")
    assert "train/train.yaml" in error.reason
    assert [version.label for version in report.added] == ["1.0.0"]


def test_an_id_taken_in_another_scenario_is_refused(scope, folder):
    sync(scope, folder)
    (folder / "train" / "train.yaml").write_text(factories.template(scenario="another-scenario"))
    report = sync(scope, folder)
    assert factories.SCENARIO in report.errors[0].reason
    assert not report.added
    assert [scenario.slug for scenario in catalog.scenarios(scope)] == [factories.SCENARIO]


def test_templates_that_disagree_on_their_scenario_are_noticed(scope, folder):
    (folder / "other.yaml").write_text(factories.template(executable="petals-other", scenario_name="Roses"))
    report = sync(scope, folder)
    assert not report.errors
    assert [(finding.severity, finding.file) for finding in report.findings] == [
        ("notice", "train/train.yaml")
    ]


def test_another_source_that_renames_a_scenario_is_noticed(scope, folder, tmp_path):
    sync(scope, folder)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "a.yaml").write_text(
        factories.template(executable="petals-other", scenario_name="Roses")
    )
    report = sync(scope, tmp_path / "second", name="second")
    assert [finding.severity for finding in report.findings] == ["notice"]
    assert catalog.scenario(scope, factories.SCENARIO).name == "Roses"


def test_two_sources_of_one_executable_do_not_take_turns(scope, folder, tmp_path):
    sync(scope, folder)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "a.yaml").write_text(factories.template(version="2.0.0"))
    sync(scope, tmp_path / "second", name="second")
    for _ in range(2):
        assert not sync(scope, folder).added
        assert not sync(scope, tmp_path / "second", name="second").added
    assert catalog.version(scope, factories.EXECUTABLE).label == "2.0.0"


def test_a_folder_that_cannot_be_packed_keeps_its_templates_out(scope, folder):
    (folder / "train" / "link").symlink_to("/etc/passwd")
    report = sync(scope, folder)
    assert not report.added
    assert any("cannot be packed" in error.reason for error in report.errors)


def test_a_source_tree_is_stored_once_and_unpacked_in_a_cache(scope, folder, tmp_path):
    (folder / "train" / "second.yaml").write_text(factories.template(executable="petals-other"))
    first, second = sync(scope, folder).added
    assert first.source_tree == second.source_tree
    cache = tmp_path / "cache"
    unpacked = catalog.materialise(first, cache)
    assert (unpacked / "train.py").read_text() == "print('trained')\n"
    assert catalog.materialise(second, cache) == unpacked
    assert [path for path in cache.iterdir() if path.name.startswith(".fetching")] == []


def test_a_cache_that_has_the_tree_asks_the_store_no_more(scope, folder, tmp_path):
    (version,) = sync(scope, folder).added
    unpacked = catalog.materialise(version, tmp_path / "cache")
    storage.open_source_trees(scope.workspace).delete_prefix(f"{version.source_tree.digest}.tar")
    assert catalog.materialise(version, tmp_path / "cache") == unpacked


def test_workers_unpack_one_tree_at_once(scope, folder, tmp_path):
    (version,) = sync(scope, folder).added
    version.source_tree.workspace  # noqa: B018 (loaded here: the threads then need no database)
    found, together = [], threading.Barrier(4, timeout=120)

    def unpack() -> None:
        together.wait()
        found.append(catalog.materialise(version, tmp_path / "cache"))

    threads = [threading.Thread(target=unpack) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_only_who_may_change_the_workspace_syncs(manager, folder):
    with pytest.raises(Forbidden):
        sync(open_scope(manager, "north"), folder)


def test_another_workspaces_catalog_is_not_there(scope, green):
    theirs = factories.catalog_version(green)
    assert not catalog.scenarios(scope).exists()
    for act in (
        lambda: catalog.scenario(scope, factories.SCENARIO),
        lambda: catalog.executable(scope, factories.EXECUTABLE),
        lambda: catalog.version(scope, factories.EXECUTABLE),
    ):
        with pytest.raises(NotFound):
            act()
    assert not catalog.versions(scope, theirs.executable).exists()
    assert catalog.version(system_scope(green), factories.EXECUTABLE) == theirs
    with pytest.raises(NotFound):
        catalog.version(system_scope(green), factories.EXECUTABLE, 2)


def at_once(*acts) -> list[BaseException]:
    """Run all at the same moment, each in a thread with its own connection; return what they raised."""
    together = threading.Barrier(len(acts), timeout=120)
    failures: list[BaseException] = []

    def one(act) -> None:
        try:
            together.wait()
            act()
        except Exception as error:  # noqa: BLE001 (a thread's error would be lost; the test asserts there is none)
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.django_db(transaction=True)
def test_the_same_folder_synced_at_once_makes_one_version(workspace, folder):
    assert at_once(*[lambda: sync(system_scope(workspace), folder)] * 3) == []
    assert Scenario.unscoped.count() == Executable.unscoped.count() == ExecutableVersion.unscoped.count() == 1


@pytest.mark.django_db(transaction=True)
def test_different_folders_synced_at_once_each_get_a_version(workspace, folder, tmp_path):
    sync(system_scope(workspace), folder)
    names = [f"{number}.0.0" for number in range(2, 8)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(factories.template(version=name))
    failures = at_once(
        *[lambda name=name: sync(system_scope(workspace), tmp_path / name, name=name) for name in names]
    )
    assert failures == []
    made = ExecutableVersion.unscoped.order_by("number").values_list("number", "label")
    assert [number for number, _ in made] == [1, 2, 3, 4, 5, 6, 7]
    assert {label for _, label in made} == {"1.0.0", *names}
