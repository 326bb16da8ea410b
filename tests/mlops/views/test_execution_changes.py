"""Tabs that tell what changed since the last success and what an execution ran in."""

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import metrics, run_environments
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Environment, StepRun
from tests.mlops import factories
from tests.mlops.domain.test_log_search import write

LIST = "/w/north/g/red/executions/"


def page(browser, row, tab, **headers):
    response = browser.get(f"{LIST}{row.pk}/", {"tab": tab}, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def runs(red):
    """A good one, then a bad one with another parameter whose text is markup."""
    good = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    bound = factories.configuration(
        red,
        version=good.executable_version,
        parameters={"OWNER": "<b>Bob</b>"},
        inputs={"petals": factories.artifact(red)},
    )
    return good, factories.execution(bound, status=Status.DEAD)


def test_what_changed_leads_to_the_last_success(red, runs, viewer, browse):
    good, bad = runs
    for row, value in ((good, 2.0), (bad, 0.5)):
        metrics.record(system_scope(red), row.pk, metrics=[Point("loss", value, 1, timezone.now(), ())])
    browser = browse(viewer)
    assert 'href="?tab=changes">See what changed since the last success' in page(browser, bad, "")
    shown = page(browser, bad, "changes")
    assert f'href="{LIST}{good.pk}/"' in shown
    assert "≠ OWNER" in shown and "&lt;b&gt;Bob&lt;/b&gt;" in shown and "<b>Bob" not in shown
    assert "≠ EPOCHS" not in shown
    assert "−1.500" in shown
    assert "Nothing to compare with" in page(browser, good, "changes")


def test_the_environment_is_shown_as_recorded(red, runs, viewer, browse):
    _good, bad = runs
    browser = browse(viewer)
    assert "were not recorded" in page(browser, bad, "environment")
    run_environments.record(system_scope(red), bad, 1, python_env=None, mode="plain")
    Environment.unscoped.update(packages=[["numpy", "2.1.0"], ["<i>", "1"]], system="Linux-6.1")
    shown = page(browser, bad, "environment")
    assert "numpy" in shown and "2.1.0" in shown and "&lt;i&gt;" in shown
    assert "Linux-6.1" in shown and "without a sandbox" in shown and "CPython 3." in shown


@pytest.mark.parametrize("tab", ["changes", "environment"])
def test_fragments_carry_their_name(runs, viewer, browse, tab):
    fragment = f"execution-{tab}"
    shown = page(browse(viewer), runs[1], tab, **{"hx-request": "true", "hx-target": fragment})
    assert shown.lstrip().startswith(f'<div class="stack" id="{fragment}"') and "<html" not in shown


def test_the_cause_is_found_however_much_was_said_after_it(runs, viewer, browse):
    _good, bad = runs
    StepRun.unscoped.create(
        execution=bad, attempt=1, index=0, name="train", status=Status.DEAD, cause="exit", message="It broke."
    )
    write(bad, "begins", "ValueError: <no> labels", *["goes on"] * 900, "ERROR It broke.")
    shown = page(browse(viewer), bad, "")
    assert "ValueError: &lt;no&gt; labels" in shown
    assert "?tab=logs&amp;at=1.0.2#L1-0-2" in shown
