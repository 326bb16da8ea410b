"""Pages of scenarios and executables, in a workspace and in its resource groups."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.mlops import factories

IN_WORKSPACE = "/w/north/"
IN_GROUP = "/w/north/g/red/"
MARKUP = '<script>alert("x")</script>'


@pytest.fixture
def version(red):
    """The newest of two versions of the factory's template."""
    factories.catalog_version(red, version="1.0.0")
    return factories.catalog_version(red, version="2.0.0")


def text(response):
    return response.content.decode()


def queries(browser, url):
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


class TestScenarios:
    def test_nothing_yet_says_where_scenarios_come_from(self, red, manager, browse):
        shown = text(browse(manager).get(f"{IN_WORKSPACE}scenarios/"))
        assert "No scenarios yet" in shown
        assert "sync_catalog" in shown

    def test_the_list_counts_executables_and_versions(self, version, manager, browse):
        shown = text(browse(manager).get(f"{IN_WORKSPACE}scenarios/"))
        assert 'href="/w/north/scenarios/petals-tutorial/"' in shown
        assert '<td class="num p1">1</td><td class="num p2">2</td>' in shown

    def test_search_finds_by_name_and_id_and_says_when_nothing_matches(self, version, viewer, browse):
        browser = browse(viewer)
        for q in ("PETALS", "petals-tut"):
            assert "petals-tutorial" in text(browser.get(f"{IN_GROUP}scenarios/", {"q": q}))
        shown = text(browser.get(f"{IN_GROUP}scenarios/", {"q": MARKUP}))
        assert "Nothing matches" in shown
        assert MARKUP not in shown

    def test_costs_the_same_with_one_and_three(self, red, version, viewer, browse):
        browser = browse(viewer)
        one = queries(browser, f"{IN_GROUP}scenarios/")
        for number in (2, 3):
            factories.catalog_version(red, scenario=f"scenario-{number}", executable=f"executable-{number}")
        assert queries(browser, f"{IN_GROUP}scenarios/") == one <= 8

    def test_one_scenario_shows_its_executables_at_their_newest_version(self, version, viewer, browse):
        shown = text(browse(viewer).get(f"{IN_GROUP}scenarios/petals-tutorial/"))
        assert "Train on petals" in shown
        assert "<td>2.0.0</td>" in shown
        assert "<td>1.0.0</td>" not in shown
        assert "petals, base-model → petal-model" in shown

    def test_its_versions_are_all_there(self, version, viewer, browse):
        shown = text(browse(viewer).get(f"{IN_GROUP}scenarios/petals-tutorial/?tab=versions"))
        assert shown.index("?version=2") < shown.index("?version=1")

    def test_only_editors_in_a_group_are_offered_to_create(self, version, editor, viewer, manager, browse):
        address = "configurations/create?scenario=petals-tutorial"
        assert address in text(browse(editor).get(f"{IN_GROUP}scenarios/petals-tutorial/"))
        assert address not in text(browse(viewer).get(f"{IN_GROUP}scenarios/petals-tutorial/"))
        shown = text(browse(manager).get(f"{IN_WORKSPACE}scenarios/petals-tutorial/"))
        assert address not in shown
        assert "Choose a resource group" in shown

    def test_an_unknown_one_is_not_found(self, red, viewer, browse):
        assert browse(viewer).get(f"{IN_GROUP}scenarios/no-such/").status_code == 404


class TestExecutable:
    def test_everything_the_template_says_is_shown(self, version, viewer, browse):
        shown = text(browse(viewer).get(f"{IN_GROUP}executables/petals-train/"))
        for part in (
            "EPOCHS",
            "Passes over the data.",
            "Mandatory",
            "fast, exact",
            "petal-model",
            "Deployable",
        ):
            assert part in shown
        assert version.digest in shown
        assert "kind: WorkflowTemplate" in shown

    def test_an_older_version_says_that_a_newer_exists(self, version, viewer, browse):
        browser = browse(viewer)
        assert "A newer version exists" not in text(browser.get(f"{IN_GROUP}executables/petals-train/"))
        shown = text(browser.get(f"{IN_GROUP}executables/petals-train/?version=1"))
        assert "A newer version exists" in shown
        assert "1 of 2" in shown

    @pytest.mark.parametrize("number", ["3", "0", "x", "-1", "9" * 30, "٣", "\x00"])
    def test_a_version_that_is_not_there_is_not_found(self, version, viewer, browse, number):
        response = browse(viewer).get(f"{IN_GROUP}executables/petals-train/", {"version": number})
        assert response.status_code == 404

    def test_markup_in_a_template_is_text(self, red, viewer, browse):
        factories.catalog_version(red, scenario_name="<b>bold</b>", command="echo '<script>'")
        shown = text(browse(viewer).get(f"{IN_GROUP}executables/petals-train/"))
        assert "echo &#x27;&lt;script&gt;" in shown
        assert "<b>bold</b>" not in text(browse(viewer).get(f"{IN_GROUP}scenarios/"))
