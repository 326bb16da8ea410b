"""Pages that start again: once, with changes, and many."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops import storage
from mlops.domain import sweeps
from mlops.lifecycle import Status
from mlops.models import Configuration, Execution, Sweep
from tests.mlops import factories

pytestmark = pytest.mark.django_db

GROUP = "/w/north/g/red/"


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def old(bound):
    return factories.execution(bound, status=Status.COMPLETED)


def text(response):
    return html.unescape(response.content.decode())


def lose(artifact, group):
    storage.open_store(group).delete_prefix(storage.parse_url(artifact.url).path)


class TestRestart:
    def test_one_click_leads_to_the_new_one(self, old, editor, browse):
        response = browse(editor).post(f"{GROUP}executions/{old.pk}/restart")
        made = Execution.unscoped.get(origin=old)
        assert (response.status_code, response["Location"]) == (303, f"{GROUP}executions/{made.pk}/")
        shown = text(browse(editor).get(response["Location"]))
        assert "Started again from" in shown and old.pk in shown

    def test_a_lost_input_keeps_it_from_starting(self, red, old, bound, editor, browse):
        lose(bound.inputs.get().artifact, red)
        response = browse(editor).post(f"{GROUP}executions/{old.pk}/restart")
        assert response.status_code == 409
        assert "Put them back" in text(response)
        assert Execution.unscoped.count() == 1

    def test_the_page_offers_all_three_to_editors_only(self, old, editor, viewer, browse):
        shown = text(browse(editor).get(f"{GROUP}executions/{old.pk}/"))
        for offered in ("Start again", "Start with changes", "Start many"):
            assert offered in shown
            assert offered not in text(browse(viewer).get(f"{GROUP}executions/{old.pk}/"))


class TestCreate:
    PAGE = f"{GROUP}executions/create"

    def test_shows_the_checks_of_what_is_chosen(self, bound, editor, browse):
        shown = text(browse(editor).get(self.PAGE, {"configuration": bound.pk}))
        assert "Before it starts" in shown
        assert "Input petals" in shown and "No worker is running" in shown
        assert "Start anyway" not in shown
        assert "Before it starts" not in text(browse(editor).get(self.PAGE))

    def test_a_failing_check_is_shown_and_can_be_overruled(self, red, bound, editor, browse):
        lose(bound.inputs.get().artifact, red)
        browser = browse(editor)
        refused = browser.post(self.PAGE, {"configuration": bound.pk})
        assert refused.status_code == 422
        assert "1 check fails" in text(refused) and "Start anyway" in text(refused)
        assert Execution.unscoped.count() == 0
        assert browser.post(self.PAGE, {"configuration": bound.pk, "anyway": "1"}).status_code == 303
        assert Execution.unscoped.count() == 1


class TestWithChanges:
    PAGE = f"{GROUP}variations/create"

    def test_the_form_holds_what_ran(self, old, editor, browse):
        shown = text(browse(editor).get(self.PAGE, {"execution": old.pk}))
        assert 'name="parameters.OWNER" value="Ada"' in shown
        assert re.search(r'<option value="[\w-]+" selected>petals:1', shown)
        assert "Nothing so far" in shown

    def test_what_differs_is_marked_and_told(self, old, editor, browse):
        sent = {"parameters.EPOCHS": "5", "parameters.OWNER": "<b>", "action": "look"}
        response = browse(editor).post(f"{self.PAGE}?execution={old.pk}", sent)
        assert response.status_code == 200
        shown = response.content.decode()
        assert "≠ was 3" in shown and "≠ was Ada" in shown
        assert "&lt;b&gt;" in shown and "<b><b></b>" not in shown
        assert shown.count("≠ was") == 2
        assert Execution.unscoped.count() == 1
        part = browse(editor).post(
            f"{self.PAGE}?execution={old.pk}",
            sent,
            headers={"hx-request": "true", "hx-target": "variation-changes"},
        )
        assert part.content.decode().lstrip().startswith('<section class="card" id="variation-changes"')

    def test_starts_with_the_origin_recorded(self, old, bound, editor, browse):
        sent = {"parameters.EPOCHS": "5", "name": "five", "action": "start"}
        response = browse(editor).post(f"{self.PAGE}?execution={old.pk}", sent)
        made = Execution.unscoped.get(origin=old)
        assert response["Location"] == f"{GROUP}executions/{made.pk}/"
        assert made.configuration.name == "five"

    def test_says_beside_the_field_what_is_wrong(self, bound, editor, browse):
        sent = {"parameters.MODE": "slow", "parameters.OWNER": "", "name": "\x00", "action": "start"}
        response = browse(editor).post(f"{self.PAGE}?configuration={bound.pk}", sent)
        assert response.status_code == 422
        shown = text(response)
        assert "MODE is one of: fast, exact." in shown
        assert "OWNER needs a value" in shown
        assert Configuration.unscoped.count() == 1

    def test_nothing_to_start_from_is_an_empty_page(self, red, editor, browse):
        assert "Nothing to start from" in text(browse(editor).get(self.PAGE))

    @pytest.mark.parametrize(
        "query", ["execution=e0", "configuration=nope", "configuration=%00", "execution=%00"]
    )
    def test_what_is_not_there_is_not_found(self, red, editor, browse, query):
        assert browse(editor).get(f"{self.PAGE}?{query}").status_code == 404


class TestMany:
    PAGE = f"{GROUP}sweeps/create"

    def test_a_table_first_then_the_start(self, old, editor, browse):
        browser = browse(editor)
        assert "Values to try" in text(browser.get(self.PAGE, {"execution": old.pk}))
        sent = {"grid.EPOCHS": "1\r\n2\r\n", "grid.MODE": ["fast", "exact"], "grid.OWNER": "Ada"}
        looked = browser.post(f"{self.PAGE}?execution={old.pk}", sent | {"action": "look"})
        assert looked.status_code == 200
        assert "4 executions" in text(looked) and "Start 4 executions" in text(looked)
        assert Execution.unscoped.count() == 1
        hidden = dict(
            re.findall(r'type="hidden" name="(grid\.\w+)" value="([^"]*)"', looked.content.decode())
        )
        response = browser.post(f"{self.PAGE}?execution={old.pk}", hidden | {"action": "start"})
        made = Sweep.unscoped.get()
        assert response["Location"] == f"{GROUP}sweeps/{made.pk}/"
        assert Execution.unscoped.filter(origin=old, sweep=made).count() == 4
        shown = text(browser.get(response["Location"]))
        assert "4 of 4 executions were started." in shown
        assert f"{GROUP}compare/executions?id=" in shown

    def test_says_what_is_wrong_with_the_grid(self, bound, editor, browse):
        browser = browse(editor)
        for sent, said in (
            ({"grid.EPOCHS": "3"}, "Give at least one parameter two values."),
            ({"grid.EPOCHS": "\n".join(map(str, range(150)))}, "150 combinations"),
            ({"grid.MODE": "fast\nslow"}, "MODE is one of: fast, exact."),
            ({"grid.NONE": "1\n2"}, "no parameter NONE"),
        ):
            for wanted in ("look", "start"):
                response = browser.post(f"{self.PAGE}?configuration={bound.pk}", sent | {"action": wanted})
                assert response.status_code == 422
                assert said in text(response)
        assert Execution.unscoped.count() == 0

    def test_those_that_did_not_start_are_named(self, red, bound, viewer, browse):
        scope = system_scope(red)
        plan = sweeps.plan(scope, bound.pk, {"EPOCHS": ["1", "2"]})
        made = sweeps.start(scope, sweeps.Plan(bound, plan.axes, ({"MODE": "<slow>"}, {"EPOCHS": "2"})))
        shown = browse(viewer).get(f"{GROUP}sweeps/{made.pk}/").content.decode()
        assert "Not started" in shown and "&lt;slow&gt;" in shown
        assert shown.count("<tr id=") == 1

    def test_costs_the_same_with_two_and_ten(self, red, bound, viewer, browse):
        scope, browser, counts = system_scope(red), browse(viewer), []
        for count in (2, 10):
            grid = {"EPOCHS": [str(n) for n in range(count)]}
            made = sweeps.start(scope, sweeps.plan(scope, bound.pk, grid))
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(f"{GROUP}sweeps/{made.pk}/").content.count(b"<tr id=") == count
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 10
