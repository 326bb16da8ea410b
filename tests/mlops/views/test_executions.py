"""Pages of executions."""

import html
import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import attempts, enactments, executions, metrics
from mlops.domain.log_writers import LogWriter
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact, Execution, StepRun, Worker
from tests.mlops import factories

LIST = "/w/north/g/red/executions/"


@pytest.fixture
def bound(red):
    """A configuration in red."""
    return factories.configuration(red)


@pytest.fixture
def running(red, bound):
    """An execution whose only step is running."""
    row = executions.create(system_scope(red), configuration=bound.pk)
    enactments.transition(row.pk, Status.RUNNING, actor="worker", attempt=0, next_attempt=1)
    step = StepRun.unscoped.get(execution=row)
    enactments.move_step(step.pk, Status.PENDING, attempt=1)
    enactments.move_step(step.pk, Status.RUNNING, attempt=1, started_at=timezone.now())
    return Execution.unscoped.get(pk=row.pk)


def page(browser, row, tab="", **headers):
    return browser.get(f"{LIST}{row.pk}/", {"tab": tab} if tab else {}, headers=headers)


def text(response):
    return response.content.decode()


def say(row, *lines):
    writer = LogWriter(row.pk, row.attempt, 0)
    for line in lines:
        writer.say(line)
    assert writer.flush(force=True)


class TestIndex:
    def test_empty_group_offers_the_first_one_to_editors_only(self, red, editor, viewer, browse):
        assert "Create execution" in text(browse(editor).get(LIST))
        shown = text(browse(viewer).get(LIST))
        assert "No executions yet" in shown
        assert "Create execution" not in shown

    def test_newest_first_with_configuration_and_outputs(self, red, bound, viewer, browse):
        old = factories.execution(
            bound, status=Status.COMPLETED, created_at=timezone.now() - timedelta(hours=1)
        )
        new = factories.execution(bound, status=Status.DEAD)
        made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
        Artifact.unscoped.filter(pk=made.pk).update(execution=old)
        shown = text(browse(viewer).get(LIST))
        assert shown.index(f'id="x-{new.pk}"') < shown.index(f'id="x-{old.pk}"')
        assert "petal-model:1" in shown
        assert bound.name in shown

    def test_filters_by_several_statuses_and_text(self, bound, viewer, browse):
        rows = {
            status: factories.execution(bound, status=status)
            for status in (Status.DEAD, Status.STOPPED, Status.COMPLETED)
        }
        shown = text(browse(viewer).get(LIST, {"status": ["DEAD", "STOPPED"]}))
        assert f"x-{rows[Status.DEAD].pk}" in shown and f"x-{rows[Status.STOPPED].pk}" in shown
        assert f"x-{rows[Status.COMPLETED].pk}" not in shown
        found = text(browse(viewer).get(LIST, {"q": rows[Status.COMPLETED].pk[:8]}))
        assert re.findall(r'<tr id="x-(\w+)"', found) == [rows[Status.COMPLETED].pk]
        nothing = text(browse(viewer).get(LIST, {"q": "no such thing <b>"}))
        assert "Nothing matches" in nothing and "&lt;b&gt;" in nothing and "Clear filters" in nothing

    def test_polls_only_while_something_moves(self, bound, viewer, browse):
        factories.execution(bound, status=Status.COMPLETED)
        assert 'hx-trigger="every 5s"' not in text(browse(viewer).get(LIST))
        factories.execution(bound, status=Status.RUNNING)
        for fragment in ("execution-list", "execution-table"):
            shown = text(browse(viewer).get(LIST, headers={"hx-request": "true", "hx-target": fragment}))
            assert shown.lstrip().startswith(f'<div class="stack" id="{fragment}"')
        assert 'hx-trigger="every 5s"' in shown

    def test_pages_of_fifty_go_both_ways(self, bound, viewer, browse):
        start = timezone.now()
        rows = [
            factories.execution(bound, status=Status.DEAD, created_at=start - timedelta(minutes=n // 2))
            for n in range(120)
        ]
        expected = [row.pk for row in sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)]
        browser, seen, query = browse(viewer), [], ""
        while True:
            shown = text(browser.get(LIST + query))
            seen.append(re.findall(r'<tr id="x-(\w+)"', shown))
            older = re.search(r'rel="next" href="([^"]+)"', shown)
            if not older:
                break
            query = older[1].replace("&amp;", "&")
        assert [key for one in seen for key in one] == expected
        assert [len(one) for one in seen] == [50, 50, 20]
        back = re.search(r'rel="prev" href="([^"]+)"', shown)[1].replace("&amp;", "&")
        assert re.findall(r'<tr id="x-(\w+)"', text(browser.get(LIST + back))) == seen[1]

    def test_costs_the_same_with_one_row_and_three(self, bound, viewer, browse):
        browser = browse(viewer)
        counts = []
        for more in (1, 2):
            for _ in range(more):
                factories.execution(bound, status=Status.RUNNING)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                browser.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 8

    def test_a_full_page_is_small(self, bound, editor, browse):
        for _ in range(50):
            factories.execution(bound, status=Status.RUNNING)
        assert len(browse(editor).get(LIST).content) <= 100_000

    def test_a_full_page_with_a_metric_outputs_and_names_is_small(self, red, bound, editor, browse):
        scope, took = system_scope(red), timedelta(minutes=3)
        for number in range(50):
            row = factories.execution(bound, status=Status.COMPLETED, took=took, name=f"number {number}")
            metrics.record(scope, row.pk, metrics=[Point("accuracy", number / 64)])
            made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
            Artifact.unscoped.filter(pk=made.pk).update(execution=row)
        response = browse(editor).get(f"{LIST}?measure=accuracy&sort=metric:accuracy")
        assert text(response).count(">petal-model:") == 50 and ">0.766<" in text(response)
        assert len(response.content) <= 100_000

    def test_shows_nothing_of_a_neighbour(self, blue, red, bound, viewer, browse):
        theirs = factories.execution(factories.configuration(blue))
        assert theirs.pk not in text(browse(viewer).get(LIST))
        assert browse(viewer).get(f"{LIST}{theirs.pk}/").status_code == 404


class TestCreate:
    def test_posting_a_configuration_runs_it(self, red, bound, editor, browse):
        response = browse(editor).post(f"{LIST}create", {"configuration": str(bound.pk)})
        row = Execution.unscoped.get()
        assert response.status_code == 303
        assert response["Location"] == f"{LIST}{row.pk}/"
        assert row.created_by == editor

    def test_nothing_chosen_is_said_and_nothing_starts(self, bound, editor, browse):
        response = browse(editor).post(f"{LIST}create", {})
        assert response.status_code == 422
        assert "Choose a configuration first" in text(response)
        assert not Execution.unscoped.exists()

    def test_preselects_and_previews(self, bound, editor, browse):
        shown = text(browse(editor).get(f"{LIST}create", {"configuration": str(bound.pk)}))
        assert re.search(rf'value="{bound.pk}" checked', shown)
        assert "Ada" in shown

    def test_a_viewer_may_not(self, bound, viewer, browse):
        assert browse(viewer).post(f"{LIST}create", {"configuration": str(bound.pk)}).status_code == 403
        assert not Execution.unscoped.exists()

    def test_a_neighbours_configuration_is_not_there(self, blue, editor, browse):
        theirs = factories.configuration(blue)
        assert browse(editor).post(f"{LIST}create", {"configuration": str(theirs.pk)}).status_code == 404
        assert not Execution.unscoped.exists()


class TestDetail:
    def test_pending_says_why_and_offers_stop(self, red, bound, editor, browse):
        row = executions.create(system_scope(red), configuration=bound.pk)
        shown = text(page(browse(editor), row))
        assert "No worker is running" in shown
        assert f"{LIST}{row.pk}/stop" in shown
        assert 'hx-trigger="execution-changed from:body"' in shown
        assert "petal-model" in shown and "expected" in shown

    def test_viewers_get_no_buttons(self, running, viewer, browse):
        shown = text(page(browse(viewer), running))
        assert "Stop execution" not in shown and "Run again" not in shown

    def test_log_lines_are_text(self, running, viewer, browse):
        say(running, "<script>alert(1)</script>", "\x1b[31mred\x1b[0m", "ERROR it broke & burnt")
        for tab in ("", "logs"):
            shown = text(page(browse(viewer), running, tab))
            assert "<script>alert" not in shown
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
            assert 'data-level="ERROR"' in shown

    def test_log_search_marks_and_escapes(self, running, viewer, browse):
        say(running, "one <b>needle</b>", "hay")
        shown = text(browse(viewer).get(f"{LIST}{running.pk}/", {"tab": "logs", "find": "NEEDLE"}))
        assert "one &lt;b&gt;<mark>needle</mark>&lt;/b&gt;" in shown
        assert "1 line found" in shown
        assert re.search(r'title="20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC" data-seconds', shown)

    def test_log_download(self, running, viewer, browse):
        say(running, "first", "<second>")
        response = browse(viewer).get(f"{LIST}{running.pk}/log")
        assert response["Content-Type"].startswith("text/plain")
        assert "attachment" in response["Content-Disposition"]
        log = b"".join(response.streaming_content).decode()
        assert "first\n" in log and "<second>\n" in log

    def test_dead_names_step_cause_and_first_error(self, red, running, viewer, browse):
        say(running, "INFO begins", "Traceback (most recent call last):", "ValueError: <no> labels")
        step = StepRun.unscoped.get(execution=running)
        enactments.move_step(
            step.pk,
            Status.DEAD,
            attempt=1,
            ended_at=timezone.now(),
            exit_code=3,
            cause="exit",
            message="The command ended with exit code 3.",
        )
        attempts.finish(
            running.pk,
            1,
            Status.DEAD,
            actor="worker",
            reason="Step train failed.",
            evidence={"host": "node-1"},
        )
        shown = text(page(browse(viewer), running))
        assert "Step train failed: user code failed" in shown
        assert "The command ended with exit code 3." in shown
        assert "ValueError: &lt;no&gt; labels" in shown
        assert "node-1" in shown
        assert "Duplicate the configuration" in shown
        assert "execution-changed from:body" not in shown

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            (("usage: train.py [-h]", "train.py: error: argument --rate: not 'abc'"), "not &#x27;abc&#x27;"),
            (("INFO begins", "the reader gave up", " "), "the reader gave up"),
        ],
    )
    def test_dead_names_what_the_code_said_last(self, running, viewer, browse, lines, told):
        message = "The command ended with exit code 2."
        say(running, *lines, f"ERROR {message}")
        step = StepRun.unscoped.get(execution=running)
        enactments.move_step(
            step.pk,
            Status.DEAD,
            attempt=1,
            ended_at=timezone.now(),
            exit_code=2,
            cause="exit",
            message=message,
        )
        attempts.finish(running.pk, 1, Status.DEAD, actor="worker", reason="Step train failed.", evidence={})
        note = text(page(browse(viewer), running, "events")).partition('class="note"')[2].partition("<ol")[0]
        assert told in note
        assert note.count(message) == 1

    def test_metrics_as_chart_table_and_matrix(self, red, running, viewer, browse):
        points = [Point("loss", 1 / (step + 1), step=step, recorded_at=timezone.now()) for step in range(5)]
        matrix = (
            '[{"Predicted": "a", "Actual": "a", "value": 7}, {"Predicted": "b", "Actual": "a", "value": 2}]'
        )
        metrics.record(
            system_scope(red),
            running.pk,
            metrics=points,
            tags=[("kind", "<i>")],
            custom_info=[("confusion", matrix)],
        )
        shown = text(page(browse(viewer), running, "metrics"))
        assert 'class="plot"' in shown
        data = json.loads(
            html.unescape(re.search(r'<div id="chart-metric-0-data" hidden>(.*?)</div>', shown)[1])
        )
        assert data["data"][0]["y"] == [1 / (step + 1) for step in range(5)]
        assert '<td class="num hot">7</td>' in shown
        assert "&lt;i&gt;" in shown
        assert "loss" in text(page(browse(viewer), running))

    def test_events_tell_who_and_why(self, running, viewer, browse):
        shown = text(page(browse(viewer), running, "events"))
        assert "Submitted." in shown and "worker" in shown and "from pending" in shown

    def test_events_hold_what_was_recorded_of_each_step(self, running, viewer, browse):
        facts = {"cause": "exit", "exit_code": 0, "message": "<i>odd"}
        StepRun.unscoped.filter(execution=running).update(**facts)
        details = text(page(browse(viewer), running, "events")).partition('id="details-title"')[2]
        assert '<td class="p1 mono">exit</td><td class="num p1">0</td>' in details
        assert "&lt;i&gt;odd" in details and "<i>odd" not in details

    @pytest.mark.parametrize(
        ("fragment", "tab"),
        [
            ("execution-head", ""),
            ("execution-steps", ""),
            ("execution-metrics", ""),
            ("execution-facts", ""),
            ("execution-lineage", ""),
            ("log-panel", ""),
            ("log-panel", "logs"),
            ("execution-charts", "metrics"),
            ("execution-artifacts", "artifacts"),
            ("execution-events", "events"),
        ],
    )
    def test_fragments_carry_their_name(self, running, viewer, browse, fragment, tab):
        shown = text(page(browse(viewer), running, tab, **{"hx-request": "true", "hx-target": fragment}))
        assert re.match(rf'\s*<\w+ [^>]*id="{fragment}"', shown)
        assert "<html" not in shown

    def test_completed_shows_its_outputs_and_polls_no_more(self, red, bound, viewer, browse):
        row = factories.execution(bound, status=Status.COMPLETED)
        made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
        Artifact.unscoped.filter(pk=made.pk).update(execution=row)
        shown = text(page(browse(viewer), row))
        assert "petal-model:1" in shown and "expected" not in shown
        assert "execution-changed" not in shown

    def test_of_several_failures_the_one_that_was_not_overlooked_is_told(self, running, viewer, browse):
        for index, name in ((1, "loud"), (2, "late")):
            StepRun.unscoped.create(
                execution=running, attempt=1, index=index, name=name, status=Status.DEAD, cause="memory"
            )
        attempts.finish(running.pk, 1, Status.DEAD, actor="worker", reason="Step late: It broke.")
        assert "Step late failed: out of memory" in text(page(browse(viewer), running))

    def test_cost_does_not_grow_with_steps_and_lines(self, running, viewer, browse):
        browser = browse(viewer)
        counts = []
        for _ in range(2):
            say(running, *[f"line {number}" for number in range(20)])
            known = StepRun.unscoped.filter(execution=running).count()
            StepRun.unscoped.bulk_create(
                StepRun(
                    execution=running,
                    attempt=1,
                    index=known + number,
                    name=f"group{known}.{number}" if number else f"group{known}",
                    kind="leaf" if number else "dag",
                    parent=known if number else None,
                    status=Status.UNKNOWN,
                )
                for number in range(4)
            )
            with CaptureQueriesContext(connection) as queries:
                page(browser, running)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 30

    def test_an_impossible_key_is_nothing_here(self, red, viewer, browse):
        for key in ("%00", "e" * 300, "..", "%F0%9F%98%80"):
            assert browse(viewer).get(f"{LIST}{key}/").status_code == 404


class TestStopAndDelete:
    def test_stop_leads_to_the_page(self, red, bound, editor, browse):
        row = executions.create(system_scope(red), configuration=bound.pk)
        response = browse(editor).post(f"{LIST}{row.pk}/stop")
        assert (response.status_code, response["Location"]) == (303, f"{LIST}{row.pk}/")
        row.refresh_from_db()
        assert row.status == Status.STOPPED

    def test_stop_from_the_list_gives_the_table(self, running, editor, browse):
        response = browse(editor).post(
            f"{LIST}{running.pk}/stop",
            headers={
                "hx-request": "true",
                "hx-target": "execution-table",
                "hx-current-url": f"http://testserver{LIST}",
            },
        )
        assert response.status_code == 200
        assert 'data-status="STOPPING"' in text(response) and "<html" not in text(response)

    def test_delete_leads_to_the_list(self, bound, editor, browse):
        row = factories.execution(bound, status=Status.DEAD)
        response = browse(editor).post(f"{LIST}{row.pk}/delete")
        assert (response.status_code, response["Location"]) == (303, LIST)
        row.refresh_from_db()
        assert row.status == Status.DELETING

    def test_a_running_one_is_not_deleted(self, running, editor, browse):
        assert browse(editor).post(f"{LIST}{running.pk}/delete").status_code == 409
        running.refresh_from_db()
        assert running.status == Status.RUNNING

    def test_viewers_may_neither(self, running, viewer, browse):
        for verb in ("stop", "delete"):
            assert browse(viewer).post(f"{LIST}{running.pk}/{verb}").status_code == 403


@pytest.mark.parametrize(
    ("slots", "ahead", "told"),
    [
        (1, 0, "The only slot is in use, here by {run}; it is next here."),
        (1, 1, "The only slot is in use, here by {run}; 1 of this group waits before it."),
        (2, 0, "A free worker is about to take it."),
    ],
)
def test_pending_says_what_it_waits_for(bound, running, viewer, browse, slots, ahead, told):
    now = timezone.now()
    Worker.unscoped.create(host="h", pid=1, slots=slots, started_at=now, seen_at=now)
    rows = [factories.execution(bound) for _ in range(ahead + 1)]
    assert told.format(run=running.pk) in text(page(browse(viewer), rows[-1]))
