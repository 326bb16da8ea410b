"""Traffic and kept predictions on a deployment's page."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import predictions, traffic
from mlops.domain.traffic import Count
from mlops.views.deployment_charts import spark
from tests.mlops import trying
from tests.mlops.views.pages import body

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LIST = "/w/north/g/red/deployments/"


@pytest.fixture
def deployment(red):
    """A deployment that is served."""
    return trying.served(trying.configuration(red))


@pytest.fixture
def browser(viewer, browse):
    """A viewer's."""
    return browse(viewer)


def count(red, deployment, ago, requests, *, failed=0, revision=1, latency=20):
    at = timezone.now() - timedelta(seconds=ago)
    at = at.replace(second=at.second // 10 * 10, microsecond=0)
    row = Count(
        deployment.pk,
        revision,
        at,
        requests,
        requests - failed,
        0,
        0,
        failed,
        1,
        0.1,
        {str(latency): requests},
    )
    traffic.record(system_scope(red), deployment, process=f"p{revision}", counts=[row])


def page(browser, deployment, tab, fragment="", **query):
    headers = {"hx-request": "true", "hx-target": fragment} if fragment else {}
    return body(browser.get(f"{LIST}{deployment.pk}/", {"tab": tab, **query}, headers=headers))


def drawn(shown, key):
    """The data of a chart as the script gets it."""
    text = re.search(rf'<div id="chart-{key}-data" hidden>(.*?)</div>', shown)[1]
    return json.loads(text.replace("&quot;", '"'))["data"]


def axis_of(shown, key):
    """How the vertical axis of a chart is asked for."""
    text = re.search(rf'<div id="chart-{key}-data" hidden>(.*?)</div>', shown)[1]
    return json.loads(text.replace("&quot;", '"'))["layout"]["yaxis"]


def test_requests_latency_and_errors_are_charts_with_tables(red, deployment, browser):
    count(red, deployment, 60, 30, failed=3)
    shown = page(browser, deployment, "traffic", fragment="deployment-charts")
    assert shown.lstrip().startswith('<div class="stack" id="deployment-charts" hx-get=')
    assert 'hx-trigger="every 5s"' in shown and "30 requests" in shown
    (rates,) = drawn(shown, "requests")
    assert max(rates["y"]) == 45  # 30 within a span of 40 s
    assert [one["name"] for one in drawn(shown, "latency")] == ["p50", "p95", "p99"]
    (errors,) = drawn(shown, "errors")
    assert {one for one in errors["y"] if one is not None} == {10}
    assert shown.count("Values as a table") == 3
    assert {axis_of(shown, key)["rangemode"] for key in ("requests", "latency", "errors")} == {"tozero"}


def test_ranges_and_revisions_are_chosen_by_links(red, deployment, browser):
    count(red, deployment, 60, 30)
    count(red, deployment, 3000, 12, revision=2)
    shown = page(browser, deployment, "traffic", range="1h")
    assert [one["name"] for one in drawn(shown, "requests")] == ["Revision 2", "Revision 1"]
    assert re.search(r'range=1h" aria-current="true">1 h<', shown)
    own = page(browser, deployment, "traffic", range="1h", revision="2")
    (rates,) = drawn(own, "requests")
    assert max(rates["y"]) == 72 and "range=1h&amp;revision=2" in own
    near = page(browser, deployment, "traffic", range="15m")
    assert "30 requests" in near and "Revision</span>" not in near
    for nonsense in ({"range": "x"}, {"revision": "x"}, {"revision": "99"}):
        assert "42 requests" in page(browser, deployment, "traffic", **nonsense)


def test_without_requests_the_tab_says_what_would_count(deployment, browser):
    shown = page(browser, deployment, "traffic")
    assert "No requests in this time" in shown and "calls from the console are not" in shown


def test_the_overview_shows_it_in_small(red, deployment, browser):
    count(red, deployment, 60, 240, failed=24)
    shown = page(browser, deployment, "overview", fragment="deployment-traffic")
    assert shown.lstrip().startswith('<div id="deployment-traffic" hx-get=')
    assert "1 / min" in shown and "10.0%" in shown
    assert re.search(r"Latency, p95 in the last 4 h: \d+ ms", shown)
    assert shown.count('<svg class="spark"') == 3


def test_a_small_curve_leaves_gaps():
    drawing = spark([None, 1, 2, None, 4, None])
    assert drawing.line == "M20.00 70.84L40.00 50.00M80.00 8.33h.01"
    assert drawing.band == "M20.00 70.84 40.00 50.00L40.00 100 20.00 100Z"
    assert spark([]).line == "" and spark([None]).line == ""
    assert spark([0, 0]).line == "M0.00 91.67L100.00 91.67"


def kept(number, **changes):
    facts = {
        "deployment": "",
        "revision": 1,
        "at": timezone.now() - timedelta(minutes=number),
        "method": "POST",
        "path": "/v1/predict",
        "status": 200,
        "milliseconds": 12.5,
        "request": f'{{"rows": [[{number}]]}}',
        "response": "<b>rose</b>",
        "is_cut": False,
        "caller": "=evil()",
    }
    return predictions.Kept(**facts | changes)


def test_kept_predictions_are_listed_newest_first_and_taken_away(red, deployment, browser):
    predictions.record(system_scope(red), deployment, kept=[kept(number) for number in (2, 1)])
    shown = page(browser, deployment, "predictions")
    assert shown.index("[[1]]") < shown.index("[[2]]")
    assert "&lt;b&gt;rose&lt;/b&gt;" in shown and "12 ms" in shown
    file = browser.get(f"{LIST}{deployment.pk}/predictions.csv")
    text = b"".join(file.streaming_content).decode()
    head, first, *_ = text.splitlines()
    assert head == "at,revision,method,path,status,milliseconds,caller,request,response,is_cut"
    assert "'=evil()" in first and '""rows"": [[1]]' in first


def test_a_page_of_predictions_leads_to_the_next(red, deployment, browser):
    predictions.record(system_scope(red), deployment, kept=[kept(number) for number in range(60)])
    shown = page(browser, deployment, "predictions")
    older = re.search(r'rel="next" href="(\?tab=predictions[^"]*)"', shown)[1].replace("&amp;", "&")
    second = body(browser.get(f"{LIST}{deployment.pk}/{older}"))
    assert "[[59]]" in second and "[[0]]" not in second


def test_editors_say_whether_and_how_much_is_kept(deployment, browser, editor, browse):
    url = f"{LIST}{deployment.pk}/keep-predictions"
    assert browser.post(url, {"keeps": "on"}).status_code == 403
    assert "An editor can change that." in page(browser, deployment, "predictions")
    own = browse(editor)
    assert 'name="keeps"' in page(own, deployment, "predictions")
    said = own.post(url, {"keeps": "on", "share": "25", "days": "7"})
    assert (said.status_code, said.headers["location"]) == (303, f"{LIST}{deployment.pk}/?tab=predictions")
    deployment.refresh_from_db()
    assert deployment.keeps_predictions
    assert (deployment.prediction_share, deployment.prediction_days) == (25, 7)
    assert "None kept yet" in page(own, deployment, "predictions")
    for wrong in ({"share": "0"}, {"share": "x"}, {"days": "999"}):
        assert own.post(url, {"keeps": "on", "share": "1", "days": "1"} | wrong).status_code == 422
    own.post(url, {"share": "25", "days": "7"})
    deployment.refresh_from_db()
    assert not deployment.keeps_predictions
