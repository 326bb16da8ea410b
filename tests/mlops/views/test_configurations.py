"""Pages of configurations and the wizard that makes one."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import open_scope, system_scope
from mlops.domain import configurations, executions
from mlops.lifecycle import Status
from mlops.models import Artifact, Configuration, ConfigurationDraft
from tests.mlops import factories

HERE = "/w/north/g/red/configurations/"
WIZARD = f"{HERE}create"
EXECUTABLE = factories.EXECUTABLE


def text(response):
    return response.content.decode()


def queries(browser, url):
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


@pytest.fixture
def browser(editor, browse):
    """The editor's browser."""
    return browse(editor)


@pytest.fixture
def version(red):
    """The template with EPOCHS (a default), OWNER (none), MODE (of two); a dataset, perhaps a model."""
    return factories.catalog_version(red)


@pytest.fixture
def dataset(red):
    """A dataset to bind."""
    return factories.artifact(red)


@pytest.fixture
def begun(version, browser):
    """The address of a draft's second step."""
    sent = {"name": "ten epochs", "executable": EXECUTABLE, "action": "next"}
    return browser.post(WIZARD, sent)["Location"]


def draft():
    return ConfigurationDraft.unscoped.get().data


def step(address, name):
    return re.sub("step=[a-z]+", f"step={name}", address)


class TestIndex:
    def test_an_empty_group_offers_the_next_step(self, red, browser, viewer, browse):
        assert WIZARD in text(browser.get(HERE))
        shown = text(browse(viewer).get(HERE))
        assert "No configurations yet" in shown
        assert WIZARD not in shown

    def test_rows_tell_what_is_bound_and_how_often_it_ran(self, red, viewer, browse):
        bound = factories.configuration(red, name="<b>three</b> epochs")
        for _ in range(2):
            factories.execution(bound)
        shown = text(browse(viewer).get(HERE))
        assert "&lt;b&gt;three&lt;/b&gt; epochs" in shown and "<b>three" not in shown
        row = shown[shown.index(f'id="c-{bound.pk}"') :]
        assert re.findall(r'<td class="num p[12]">(\d+)</td>', row)[:3] == ["3", "1", "2"]
        assert f"{EXECUTABLE} <span" in row

    def test_filters_by_name_and_scenario(self, red, viewer, browse):
        factories.configuration(red, name="alpha")
        factories.configuration(red, name="beta")
        browser = browse(viewer)
        shown = text(browser.get(HERE, {"q": "ALPHA"}))
        assert "alpha" in shown and "beta" not in shown
        shown = text(browser.get(HERE, {"scenario": factories.SCENARIO}))
        assert "beta" in shown and "Remove filter Scenario" in shown
        assert "Nothing matches" in text(browser.get(HERE, {"scenario": "other"}))
        assert "Nothing matches" in text(browser.get(HERE, {"executable": "other"}))

    def test_costs_the_same_with_one_and_three(self, red, version, browser, begun):
        factories.configuration(red, name="one of three")
        addresses = (HERE, f"{HERE}?q=three", f"{HERE}?filter=1&scenario={factories.SCENARIO}&version=1.0.0")
        one = [queries(browser, address) for address in addresses]
        for _ in range(2):
            factories.execution(factories.configuration(red, name="another of three"))
        assert [queries(browser, address) for address in addresses] == one
        assert max(one) <= 8

    def test_drafts_are_their_authors_own(self, red, begun, browser, viewer, superuser, browse):
        factories.configuration(red)
        assert "Your drafts" in text(browser.get(HERE))
        assert "ten epochs" in text(browser.get(HERE))
        for other in (viewer, superuser):
            assert "ten epochs" not in text(browse(other).get(HERE))

    def test_a_page_of_many_stays_small(self, red, version, dataset, browser):
        scope = system_scope(red)
        for number in range(60):
            configurations.create(
                scope,
                name=f"sweep {number}",
                version=version,
                parameters={"OWNER": "Ada"},
                artifacts={"petals": str(dataset.pk)},
            )
        response = browser.get(HERE)
        assert len(response.content) < 100_000
        assert "60 configurations" in text(response)
        older = html.unescape(re.search(r'rel="next" href="([^"]+)"', text(response))[1])
        assert text(browser.get(HERE + older)).count('<tr id="c-') == 10


class TestDetail:
    def test_tells_defaults_changes_inputs_and_uses(self, red, viewer, browse):
        bound = factories.configuration(red, parameters={"EPOCHS": "7", "OWNER": "<i>Ada</i>"})
        run = factories.execution(bound, status=Status.DEAD)
        shown = text(browse(viewer).get(f"{HERE}{bound.pk}/"))
        assert "1 of 3 changed" in shown
        assert "<b>7</b>" in shown and "&lt;i&gt;Ada" in shown
        assert "petals:1" in shown
        assert run.pk in shown and 'data-status="DEAD"' in shown
        assert f"executables/{EXECUTABLE}/?version=1" in shown

    def test_costs_the_same_with_one_use_and_three(self, red, editor, browser):
        bound = factories.configuration(red)
        scope = open_scope(editor, "north", "red")
        executions.create(scope, configuration=bound.pk)
        one = queries(browser, f"{HERE}{bound.pk}/")
        for _ in range(2):
            executions.create(scope, configuration=bound.pk)
        assert queries(browser, f"{HERE}{bound.pk}/") == one

    def test_only_editors_are_offered_to_run_and_duplicate(self, red, browser, viewer, browse):
        bound = factories.configuration(red)
        for word in ("Create execution</button>", "Duplicate</button>"):
            assert word in text(browser.get(f"{HERE}{bound.pk}/"))
            assert word not in text(browse(viewer).get(f"{HERE}{bound.pk}/"))

    def test_runs_with_one_click(self, red, browser):
        bound = factories.configuration(red)
        shown = text(browser.get(f"{HERE}{bound.pk}/"))
        action = re.search(r'action="([^"]+executions/create)"', shown)[1]
        response = browser.post(action, {"configuration": str(bound.pk)})
        assert response.status_code == 303
        run = configurations.uses(system_scope(red), bound).get()
        assert run.pk in response["Location"]

    def test_a_newer_version_is_told_and_can_be_taken(self, red, browser):
        bound = factories.configuration(red, parameters={"EPOCHS": "7"})
        assert "A newer version" not in text(browser.get(f"{HERE}{bound.pk}/"))
        factories.catalog_version(red, version="2.0.0")
        assert "A newer version" in text(browser.get(f"{HERE}{bound.pk}/"))
        response = browser.post(f"{HERE}{bound.pk}/duplicate", {"version": "2"})
        assert response.status_code == 303
        assert draft()["version"] == 2
        assert draft()["parameters"]["EPOCHS"] == "7"

    def test_a_duplicate_starts_with_the_same_values(self, red, browser):
        bound = factories.configuration(red, name="first", parameters={"MODE": "exact"})
        address = browser.post(f"{HERE}{bound.pk}/duplicate")["Location"]
        assert "first" in text(browser.get(address))
        response = browser.post(f"{address}&step=review")
        made = Configuration.unscoped.exclude(pk=bound.pk).get()
        assert response["Location"] == f"{HERE}{made.pk}/"
        assert dict(made.parameters.values_list("key", "value")) == {
            "EPOCHS": "3",
            "OWNER": "Ada",
            "MODE": "exact",
        }
        assert made.inputs.get().artifact == bound.inputs.get().artifact


class TestFilters:
    def test_narrow_from_scenario_over_version_to_executable(self, red, viewer, browse):
        factories.configuration(red, name="first")
        factories.catalog_version(red, scenario="tulips", executable="tulips-train", version="7.0.0")
        browser = browse(viewer)
        shown = text(browser.get(HERE, {"filter": "1", "scenario": "tulips"}))
        assert re.findall(r"<option(?: selected)?>([^<]+)</option>", shown) == [
            factories.SCENARIO,
            "tulips",
            "7.0.0",
            "tulips-train",
        ]
        shown = text(browser.get(HERE, {"version": "1.0.0", "executable": EXECUTABLE, "q": "FIRST"}))
        assert "first" in shown and "Remove filter Version" in shown and "Remove filter Executable" in shown
        shown = text(browser.get(HERE, {"version": "7.0.0", "q": "<b>"}))
        assert "No configuration has version 7.0.0 and “&lt;b&gt;” in its name or ID." in shown

    def test_an_id_is_found(self, red, viewer, browse):
        bound = factories.configuration(red, name="wanted")
        factories.configuration(red, name="other")
        shown = text(browse(viewer).get(HERE, {"q": str(bound.pk)[:8]}))
        assert "wanted" in shown and ">other<" not in shown

    @pytest.mark.parametrize(
        "query", [{"version": "\x00"}, {"scenario": "\x00"}, {"before": "9" * 99}, {"archived": "x"}]
    )
    def test_odd_values_find_nothing_or_everything_but_do_no_harm(self, red, viewer, browse, query):
        factories.configuration(red)
        assert browse(viewer).get(HERE, query).status_code == 200


class TestKeeping:
    def test_archived_restored_and_told(self, red, browser):
        bound = factories.configuration(red, name="old sweep")
        page = f"{HERE}{bound.pk}/"
        assert browser.post(f"{page}archive")["Location"] == page
        assert '<span class="tag">Archived</span>' in text(browser.get(page))
        assert "old sweep" not in text(browser.get(HERE))
        shown = text(browser.get(HERE, {"archived": "1"}))
        assert "old sweep" in shown and '<a href="?archived=1" aria-current="page">Archive</a>' in shown
        browser.post(f"{page}restore")
        assert "old sweep" in text(browser.get(HERE))
        assert "The archive is empty" in text(browser.get(HERE, {"archived": "1"}))

    def test_deleted_when_nothing_uses_it_else_told_what_does(self, red, browser, viewer, browse):
        bound = factories.configuration(red, name="unused")
        page = f"{HERE}{bound.pk}/"
        assert "Delete configuration" in text(browser.get(page))
        assert "Delete configuration" not in text(browse(viewer).get(page))
        run = factories.execution(bound)
        shown = text(browser.get(page))
        assert "Delete configuration" not in shown and "can only be archived" in shown
        refused = browser.post(f"{page}delete")
        assert refused.status_code == 409 and f"is used by execution {run.pk}." in text(refused)
        run.delete()
        assert browser.post(f"{page}delete")["Location"] == HERE
        assert not Configuration.unscoped.filter(pk=bound.pk).exists()

    def test_parameters_and_inputs_are_searched(self, red, viewer, browse):
        bound = factories.configuration(red, parameters={"OWNER": "Ada <Lovelace>"})
        browser = browse(viewer, **{"HX-Request": "true", "HX-Target": "configuration-bindings"})
        shown = text(browser.get(f"{HERE}{bound.pk}/", {"q": "LOVE"}))
        assert shown.strip().startswith('<div class="stack" id="configuration-bindings"')
        assert "Ada &lt;Lovelace&gt;" in shown and ">EPOCHS<" not in shown
        assert "No input has “LOVE”" in shown
        assert "petals:1" in text(browser.get(f"{HERE}{bound.pk}/", {"q": "petals"}))


class TestMoves:
    def test_a_newer_version_is_filled_with_what_fits_and_says_what_does_not(self, red, browser):
        bound = factories.configuration(red, name="<i>mine</i>", parameters={"MODE": "exact"})
        newer = factories.template(version="2.0.0").replace("[fast, exact]", "[fast, slow]")
        factories.catalog_version(red, text=newer)
        page = text(browser.get(f"{HERE}{bound.pk}/"))
        assert "Move to version 2.0.0" in page
        assert "differences?from=1&amp;to=2" in page
        address = browser.post(f"{HERE}{bound.pk}/duplicate", {"version": "2"})["Location"]
        shown = text(browser.get(address))
        assert "On the way to version 2.0.0" in shown
        assert "MODE cannot be “exact” any more; it is one of: fast, slow." in shown
        assert f'Started from <a href="{HERE}{bound.pk}/">&lt;i&gt;mine&lt;/i&gt;</a>' in shown
        assert draft()["parameters"] == {"EPOCHS": "3", "OWNER": "Ada"}
        sent = {"name": "kept", "executable": EXECUTABLE, "version": f"{EXECUTABLE}:1"}
        shown = text(browser.get(browser.post(address, sent)["Location"]))
        assert "On the way to" not in shown and "Started from" in shown


class TestWizard:
    def test_from_scenario_to_configuration(self, red, begun, dataset, browser):
        assert "step=parameters" in begun
        sent = {"parameters.EPOCHS": "10", "parameters.OWNER": "Ada", "parameters.MODE": "exact"}
        inputs = browser.post(begun, sent)["Location"]
        assert "step=inputs" in inputs
        assert "newest" in text(browser.get(inputs))
        review = browser.post(inputs, {"artifacts.petals": str(dataset.pk)})["Location"]
        assert "step=review" in review
        shown = html.unescape(text(browser.get(review)))
        assert f'"artifactId"</span>: <span class="s">"{dataset.pk}"' in shown
        response = browser.post(review, {"action": "next"})
        made = Configuration.unscoped.get()
        assert response["Location"] == f"{HERE}{made.pk}/"
        assert made.name == "ten epochs"
        assert dict(made.parameters.values_list("key", "value"))["EPOCHS"] == "10"
        assert not ConfigurationDraft.unscoped.exists()

    def test_links_choose_where_to_begin(self, red, version, browser):
        factories.catalog_version(red, version="2.0.0")
        query = {"scenario": factories.SCENARIO, "executable": EXECUTABLE, "version": "1"}
        shown = text(browser.get(WIZARD, query))
        assert f'value="{EXECUTABLE}" checked' in shown
        assert f'value="{EXECUTABLE}:1" selected' in shown

    def test_the_version_chosen_is_kept_and_another_executable_starts_at_its_newest(
        self, red, version, browser
    ):
        factories.catalog_version(red, version="2.0.0")
        factories.catalog_version(red, executable="petals-other")
        sent = {"name": "a", "executable": EXECUTABLE, "version": f"{EXECUTABLE}:1"}
        address = browser.post(WIZARD, sent)["Location"]
        assert draft()["version"] == 1
        sent = {"name": "a", "executable": "petals-other", "version": f"{EXECUTABLE}:2"}
        browser.post(step(address, "basics"), sent)
        assert (draft()["executable"], draft()["version"]) == ("petals-other", 1)

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({"name": "kept", "executable": ""}, "Choose what to run."),
            ({"name": "", "executable": EXECUTABLE}, "Give it a name."),
            ({"name": " ", "executable": ""}, "Give it a name."),
            ({"name": " ", "executable": ""}, "Choose what to run."),
            ({"name": "x" * 257, "executable": EXECUTABLE}, "at most 256"),
            ({"name": "kept é\u200b", "executable": EXECUTABLE}, "other characters are not allowed"),
        ],
    )
    def test_a_bad_first_step_keeps_what_was_typed_and_makes_no_draft(self, version, browser, sent, sentence):
        response = browser.post(WIZARD, sent)
        assert response.status_code == 422
        assert sentence in text(response)
        assert f'value="{sent["name"]}"' in text(response)
        assert not ConfigurationDraft.unscoped.exists()

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({"parameters.OWNER": ""}, "OWNER needs a value"),
            ({"parameters.OWNER": "Ada", "parameters.MODE": "slow"}, "MODE is one of: fast, exact."),
            ({"parameters.OWNER": "x" * 5001}, "at most 5000"),
        ],
    )
    def test_a_bad_value_is_said_at_its_field_and_kept(self, begun, browser, sent, sentence):
        response = browser.post(begun, {"parameters.EPOCHS": "55", **sent})
        shown = text(response)
        assert response.status_code == 422
        assert sentence in shown and 'aria-invalid="true"' in shown
        assert 'value="55"' in shown
        assert draft()["parameters"]["EPOCHS"] == "55"

    def test_back_and_save_keep_everything_however_wrong(self, begun, browser):
        for action, wanted in (("back", "step=basics"), ("save", "step=parameters")):
            sent = {"parameters.EPOCHS": f"of {action}", "parameters.OWNER": "", "action": action}
            assert wanted in browser.post(begun, sent)["Location"]
            assert f'value="of {action}"' in text(browser.get(begun))

    def test_reset_gives_the_default_back_and_keeps_the_rest(self, begun, browser):
        sent = {"parameters.EPOCHS": "55", "parameters.OWNER": "Ada"}
        browser.post(begun, sent | {"action": "reset:EPOCHS"})
        assert draft()["parameters"] == {"OWNER": "Ada"}
        browser.post(begun, sent | {"action": "reset"})
        assert draft()["parameters"] == {}
        assert 'value="3"' in text(browser.get(begun))

    def test_an_artifact_is_asked_for_and_must_be_of_the_group_and_kind(
        self, red, blue, begun, dataset, browser
    ):
        inputs = step(begun, "inputs")
        browser.post(begun, {"parameters.OWNER": "Ada", "action": "save"})
        response = browser.post(inputs, {})
        assert response.status_code == 422
        assert "Choose a dataset for petals." in text(response)
        foreign = factories.artifact(blue, name="secret of blue")
        assert "secret of blue" not in text(browser.get(inputs))
        model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="m")
        for wrong, sentence in (
            (foreign.pk, "no such artifact"),
            (model.pk, "takes a dataset"),
            ("x", "no such"),
        ):
            response = browser.post(inputs, {"artifacts.petals": str(wrong)})
            assert response.status_code == 422
            assert sentence in text(response)

    def test_the_newest_comes_first_and_is_marked_once_a_name(self, red, begun, browser):
        first, second = factories.artifact(red), factories.artifact(red)
        shown = text(browser.get(step(begun, "inputs")))
        assert shown.index(f'value="{second.pk}"') < shown.index(f'value="{first.pk}"')
        assert shown.count('<span class="tag tag-accent">newest</span>') == 1

    def test_registering_a_dataset_leads_there_and_back(self, red, begun, browser):
        inputs = step(begun, "inputs")
        address = browser.post(inputs, {"action": "register:dataset"})["Location"]
        assert address.startswith("/w/north/g/red/datasets/register?scenario=petals-tutorial&next=")
        others = [factories.artifact(red, name=name) for name in ("a", "b")]
        shown = text(browser.get(f"{inputs}&registered={others[0].pk}"))
        assert f'value="{others[0].pk}" checked' in shown
        assert f'value="{others[1].pk}" checked' not in shown

    def test_what_is_typed_is_kept_on_the_way_and_previewed(self, begun, browser):
        headers = {"HX-Request": "true", "HX-Target": "wizard-request"}
        sent = {"parameters.EPOCHS": "<b>", "parameters.OWNER": "", "action": "keep"}
        response = browser.post(begun, sent, headers=headers)
        assert response.status_code == 200
        assert text(response).strip().startswith('<aside class="stack snug" id="wizard-request"')
        assert "&quot;&lt;b&gt;&quot;" in text(response)
        assert draft()["parameters"]["EPOCHS"] == "<b>"

    def test_choosing_an_executable_shows_its_versions_without_a_draft(self, version, browser):
        headers = {"HX-Request": "true", "HX-Target": "wizard"}
        response = browser.post(WIZARD, {"executable": EXECUTABLE, "action": "keep"}, headers=headers)
        assert response.status_code == 200
        assert f'value="{EXECUTABLE}:1" selected' in text(response)
        assert not ConfigurationDraft.unscoped.exists()

    def test_a_review_that_became_wrong_goes_back_to_the_step_at_fault(self, begun, browser):
        response = browser.post(step(begun, "review"))
        assert response.status_code == 422
        assert "OWNER needs a value" in text(response)
        assert "Step 2 of 4" in text(response)
        assert not Configuration.unscoped.exists()

    def test_drafts_of_others_are_not_found(self, begun, superuser, neighbour, browse):
        for other, status in ((superuser, 404), (neighbour, 404)):
            assert browse(other).get(begun).status_code == status
            assert browse(other).post(begun, {"action": "save"}).status_code == status
        pk = ConfigurationDraft.unscoped.get().pk
        assert browse(superuser).post(f"{HERE}discard", {"draft": str(pk)}).status_code == 404
        assert ConfigurationDraft.unscoped.exists()

    @pytest.mark.parametrize("name", ["x", "\x00", "0" * 36])
    def test_a_draft_that_is_not_there_is_not_found(self, red, browser, name):
        assert browser.get(WIZARD, {"draft": name}).status_code == 404

    def test_a_draft_can_be_discarded(self, begun, browser):
        pk = ConfigurationDraft.unscoped.get().pk
        assert browser.post(f"{HERE}discard", {"draft": str(pk)})["Location"] == HERE
        assert not ConfigurationDraft.unscoped.exists()

    def test_a_value_of_several_lines_comes_through_whole(self, red, begun, browser):
        browser.post(begun, {"parameters.EPOCHS": "\r\nfirst\r\nsecond", "action": "save"})
        assert draft()["parameters"]["EPOCHS"] == "\nfirst\nsecond"
        assert "<textarea" in text(browser.get(begun))

    def test_values_that_are_not_of_the_defaults_type_are_doubted_not_refused(self, red, begun, browser):
        sent = {"parameters.OWNER": "Ada", "parameters.EPOCHS": "three"}
        browser.post(begun, sent | {"action": "save"})
        shown = text(browser.get(begun))
        assert "The default is a whole number, this is not." in shown
        assert "Default 3, a whole number" in shown and 'inputmode="numeric"' in shown
        assert "step=inputs" in browser.post(begun, sent)["Location"]

    def test_many_optional_parameters_are_folded_until_they_are_changed(self, red, browser):
        more = "".join(f'      - name: extra-{number}\n        default: "0.5"\n' for number in range(8))
        text_ = factories.template(executable="petals-many").replace(
            "    parameters:\n", f"    parameters:\n{more}", 1
        )
        factories.catalog_version(red, text=text_)
        address = browser.post(WIZARD, {"name": "a", "executable": "petals-many"})["Location"]
        shown = text(browser.get(address))
        assert "10 optional parameters" in shown
        folded = shown[shown.index("<details id=") :]
        assert 'name="parameters.OWNER"' not in folded and 'name="parameters.extra-3"' in folded
        browser.post(address, {"parameters.extra-3": "0.7", "action": "save"})
        shown = text(browser.get(address))
        assert shown.index('name="parameters.extra-3"') < shown.index("9 optional parameters")

    def test_artifacts_are_found_by_name(self, red, begun, browser):
        for number in range(7):
            factories.artifact(red, name=f"petals {number}")
        inputs = step(begun, "inputs")
        assert 'name="find"' in text(browser.get(inputs))
        address = browser.post(inputs, {"find": "petals 4", "action": "find"})["Location"]
        assert address == f"{inputs}&find=petals+4"
        shown = text(browser.get(address))
        assert "petals 4:1" in shown and "petals 5:1" not in shown
        assert not re.search(r'name="artifacts.petals"[^>]*checked', shown), (
            "the only match is not chosen by itself"
        )
        odd = text(browser.get(f"{inputs}&find=%3Cb%3E%00"))
        assert "No dataset has “&lt;b&gt;” in its name." in odd
