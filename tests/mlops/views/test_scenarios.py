"""Pages of scenarios and executables, in a workspace and in its resource groups."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops.domain import flags
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

    def test_open_flags_of_the_group_stand_beside_the_name(self, version, red, blue, viewer, manager, browse):
        slug = version.executable.scenario.slug
        for group in (red, blue, blue):
            flags.create(system_scope(group), kind="scenarios", key=slug, text="Odd.")
        shown = text(browse(viewer).get(f"{IN_GROUP}scenarios/"))
        assert f'href="{IN_GROUP}scenarios/{slug}/?tab=discussion" aria-label="1 open flag on' in shown
        # Flags belong to a group.
        assert 'title="Open flags"' not in text(browse(manager).get(f"{IN_WORKSPACE}scenarios/"))

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

    def test_executables_are_grouped_by_kind_and_filtered(self, red, version, viewer, browse):
        factories.catalog_version(red, executable="petals-other", version="3.0.0")
        browser = browse(viewer)
        address = f"{IN_GROUP}scenarios/petals-tutorial/"
        shown = text(browser.get(address))
        assert "Workflow executables" in shown and "Serving executables" not in shown
        for query, there in (
            ({"q": "OTHER"}, {"petals-other"}),
            ({"version": "1.0.0"}, {"petals-train"}),
            ({"version": "3.0.0"}, {"petals-other"}),
            ({"kind": "workflow"}, {"petals-other", "petals-train"}),
            ({"kind": "nonsense"}, {"petals-other", "petals-train"}),
            ({"kind": "serving"}, set()),
            ({"q": MARKUP, "version": "\x00"}, set()),
        ):
            part = text(
                browser.get(address, query, headers={"HX-Request": "true", "HX-Target": "executable-table"})
            )
            assert part.strip().startswith('<div class="stack" id="executable-table"')
            found = {slug for slug in ("petals-other", "petals-train") if f"executables/{slug}/" in part}
            assert found == there, query
            assert bool(there) != ("Nothing matches" in part)

    def test_uses_are_counted_in_the_group_and_lead_to_their_lists(self, red, blue, viewer, manager, browse):
        bound = factories.configuration(red)
        for _ in range(2):
            factories.execution(bound)
        factories.execution(factories.configuration(blue))
        shown = text(browse(viewer).get(f"{IN_GROUP}scenarios/petals-tutorial/"))
        assert 'configurations/?executable=petals-train">1</a>' in shown
        assert 'executions/?executable=petals-train">2</a>' in shown
        versions = text(browse(viewer).get(f"{IN_GROUP}scenarios/petals-tutorial/?tab=versions"))
        assert '<td class="num p1">1</td><td class="num">2</td>' in versions
        assert "By version" in versions
        outside = text(browse(manager).get(f"{IN_WORKSPACE}scenarios/petals-tutorial/?tab=versions"))
        assert "Executions</th>" not in outside

    def test_its_page_costs_the_same_with_one_and_three(self, red, version, viewer, browse):
        browser = browse(viewer)
        addresses = [f"{IN_GROUP}scenarios/petals-tutorial/{tab}" for tab in ("", "?tab=versions")]
        one = [queries(browser, address) for address in addresses]
        for number in (2, 3):
            factories.catalog_version(red, executable=f"executable-{number}")
        assert [queries(browser, address) for address in addresses] == one
        assert max(one) <= 12


class TestUseCase:
    ADDRESS = f"{IN_GROUP}scenarios/petals-tutorial/use-case"

    def test_is_said_shown_and_changed(self, version, editor, viewer, manager, browse):
        page = f"{IN_GROUP}scenarios/petals-tutorial/"
        assert "Nobody has said yet" in text(browse(editor).get(page))
        assert "Use case" not in text(browse(viewer).get(page))
        sent = {"goal": MARKUP, "owner": "Desk", "indicator_0": "Returns", "target_0": "2%", "number": "0"}
        response = browse(editor).post(self.ADDRESS, sent)
        assert (response.status_code, response["Location"]) == (303, page)
        for person, address in ((viewer, page), (manager, f"{IN_WORKSPACE}scenarios/petals-tutorial/")):
            shown = text(browse(person).get(address))
            assert "&lt;script&gt;" in shown and MARKUP not in shown
            assert "Returns" in shown and "target 2%" in shown and "by editor" in shown
            assert "use-case" not in shown
        form = text(browse(editor).get(self.ADDRESS))
        assert 'value="Returns"' in form and 'name="indicator_3"' in form
        at_workspace = text(browse(editor).get(f"{IN_WORKSPACE}scenarios/petals-tutorial/"))
        assert f'href="{self.ADDRESS}"' in at_workspace

    def test_the_second_is_shown_what_the_first_wrote(self, version, editor, superuser, browse):
        first = {"goal": "From the first", "indicator_0": "A", "number": "0"}
        assert browse(editor).post(self.ADDRESS, first).status_code == 303
        second = {"goal": "From the second", "number": "0"}
        response = browse(superuser).post(self.ADDRESS, second)
        shown = text(response)
        assert response.status_code == 409
        assert "editor changed this use case meanwhile" in shown
        assert "From the first" in shown and "From the second" in shown
        assert 'name="number" value="1"' in shown
        assert browse(superuser).post(self.ADDRESS, second | {"number": "1"}).status_code == 303

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({"goal": "x" * 5001}, "at most 5000"),
            ({"goal": "\x00"}, "Null characters are not allowed"),
            ({"target_0": "95%"}, "Say what “95%” is the target of."),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_kept(self, version, editor, browse, sent, sentence):
        response = browse(editor).post(self.ADDRESS, sent | {"number": "0"})
        assert response.status_code == 422
        assert sentence in text(response)
        assert "Nobody has said yet" in text(browse(editor).get(f"{IN_GROUP}scenarios/petals-tutorial/"))

    @pytest.mark.parametrize("number", ["", "x", "99999999999999999999", "-3"])
    def test_a_number_that_cannot_be_is_refused(self, version, editor, browse, number):
        assert browse(editor).post(self.ADDRESS, {"goal": "a", "number": number}).status_code in (409, 422)


class TestDifferences:
    ADDRESS = f"{IN_GROUP}executables/petals-train/differences"

    def test_side_by_side_and_escaped(self, red, viewer, manager, browse):
        factories.catalog_version(red, version="1.0.0")
        factories.catalog_version(red, version="2.0.0", command="echo <b>two</b> > /app/model")
        for person, address in ((viewer, self.ADDRESS), (manager, self.ADDRESS.replace("g/red/", ""))):
            shown = text(browse(person).get(address))
            assert "<del>    ai.sap.com/version: &quot;1.0.0&quot;</del>" in shown
            assert "<ins>    ai.sap.com/version: &quot;2.0.0&quot;</ins>" in shown
            assert "&lt;b&gt;two" in shown and "<b>two" not in shown
            assert "2 lines added, 2 removed" in shown
            assert "equal lines" in shown

    def test_any_two_versions_are_compared(self, red, viewer, browse):
        for number in (1, 2, 3):
            factories.catalog_version(red, version=f"{number}.0.0")
        browser = browse(viewer)
        shown = text(browser.get(self.ADDRESS, {"from": "1", "to": "3"}))
        assert '<option value="1" selected>1.0.0 (1)</option>' in shown
        assert '<option value="3" selected>3.0.0 (3)</option>' in shown
        assert "Choose two versions to compare." in text(browser.get(self.ADDRESS, {"from": "2", "to": "2"}))

    @pytest.mark.parametrize("query", [{"from": "9"}, {"to": "x"}, {"from": "\x00"}, {"to": "9" * 40}])
    def test_a_version_that_is_not_there_is_not_found(self, version, viewer, browse, query):
        assert browse(viewer).get(self.ADDRESS, query).status_code == 404


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
