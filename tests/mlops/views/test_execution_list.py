"""The list of executions: filters, order, columns, and what is said of values that cannot be read."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops import paging
from mlops.domain import executions, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories

LIST = "/w/north/g/red/executions/"


@pytest.fixture
def bound(red):
    """A configuration in red."""
    return factories.configuration(red, name="petals, slowly")


def text(response):
    return response.content.decode()


def keys(browser, **query):
    """What the list shows, in its order."""
    response = browser.get(LIST, query)
    assert response.status_code == 200
    return re.findall(r'<tr id="x-(\w+)"', text(response))


def told(browser, **query):
    return text(browser.get(LIST, query))


def measured(red, row, **values):
    now = timezone.now()
    points = [Point(name, value, step=1, recorded_at=now) for name, value in values.items()]
    metrics.record(system_scope(red), row.pk, metrics=points)


@pytest.fixture
def three(bound):
    """Completed executions, the one made last first: aged 0, 1 and 2 days, with 3, 1 and 2 minutes."""
    now = timezone.now()
    return [
        factories.execution(
            bound,
            status=Status.COMPLETED,
            created_at=now - timedelta(days=age),
            took=timedelta(minutes=minutes),
            name=name,
        ).pk
        for age, minutes, name in ((0, 3, "Öl"), (1, 1, ""), (2, 2, "alpha"))
    ]


def test_text_is_found_in_name_notes_labels_configuration_and_key(red, bound, three, viewer, browse):
    scope, browser = system_scope(red), browse(viewer)
    executions.edit(scope, three[1], notes="Über 100 % of_it", labels=[("team", "Vision")])
    assert keys(browser, q="ÖL") == [three[0]]
    assert keys(browser, q="über") == keys(browser, q="100 %") == keys(browser, q="team=vis") == [three[1]]
    assert keys(browser, q="of%it") == []
    assert keys(browser, q="SLOWLY") == three
    assert keys(browser, q=three[2][:10]) == [three[2]]
    assert keys(browser, q="ph") == [three[2]]


def test_a_frequent_text_reads_the_newest_and_says_so(three, viewer, browse, monkeypatch):
    browser = browse(viewer)
    monkeypatch.setattr("mlops.domain.execution_filters.HITS", 1)
    monkeypatch.setattr(paging, "WINDOW", 2)
    assert keys(browser, q="slowly") == three[:2]
    monkeypatch.setattr(paging, "COUNT_CAP", 2)
    assert "Looked for in the newest" in told(browser, q="slowly")


def test_days_are_those_of_the_zone(bound, viewer, browse):
    at = timezone.now().replace(year=2026, month=6, day=17, hour=22, minute=30)
    row = factories.execution(bound, status=Status.DEAD, created_at=at).pk
    browser, day = browse(viewer), {"from": "2026-06-18", "to": "2026-06-18"}
    assert keys(browser, **day) == []
    assert keys(browser, **day, zone="Europe/Berlin") == [row]
    assert keys(browser, **{"from": "2026-06-17", "to": "2026-06-17"}) == [row]


def test_the_last_days(three, viewer, browse):
    assert keys(browse(viewer), within="24h") == three[:1]
    assert keys(browse(viewer), within="7d") == three


def test_scenario_executable_and_version(red, bound, three, viewer, browse):
    browser = browse(viewer)
    source = {"scenario": factories.SCENARIO, "executable": factories.EXECUTABLE}
    assert keys(browser, **source) == keys(browser, **source, version="1.0.0") == three
    assert keys(browser, scenario="other") == keys(browser, version="9") == []
    shown = told(browser, filter="source")
    assert f"<option>{factories.SCENARIO}</option>" in shown and 'id="f-executable"' not in shown
    shown = told(browser, filter="source", scenario=factories.SCENARIO)
    assert f"<option>{factories.EXECUTABLE}</option>" in shown and "<option>1.0.0</option>" in shown


def test_who_started_it(bound, editor, viewer, browse):
    browse(editor).post(f"{LIST}create", {"configuration": str(bound.pk)})
    (row,) = Execution.unscoped.values_list("pk", flat=True)
    assert keys(browse(viewer), by="editor") == [row]
    assert keys(browse(viewer), by="@me") == keys(browse(viewer), by="nobody") == []
    assert keys(browse(editor), by="@me") == [row]


def test_labels_by_equal_and_unequal(red, three, viewer, browse):
    scope, browser = system_scope(red), browse(viewer)
    executions.edit(scope, three[0], labels=[("team", "a"), ("stage", "gold")])
    executions.edit(scope, three[1], labels=[("team", "b")])
    assert keys(browser, label="team=a") == [three[0]]
    assert keys(browser, label=["team!=a"]) == three[1:]
    assert keys(browser, label=["stage=gold", "team!=a"]) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("accuracy > 0.9", [0]),
        ("accuracy>=0.9", [0, 1]),
        ("accuracy < 0.95", [1, 2]),
        ("accuracy <= .5", [2]),
        ("accuracy = 9e-1", [1]),
        ("accuracy != 0.9", [0, 2]),
        ("precision > 0", []),
    ],
)
def test_metrics_by_every_operator(red, three, viewer, browse, condition, found):
    for key, value in zip(three, (0.97, 0.9, 0.5), strict=True):
        measured(red, Execution.unscoped.get(pk=key), accuracy=value)
    assert keys(browse(viewer), metric=condition) == [three[place] for place in found]


def test_sorted_by_a_metric_shows_each_once_with_its_highest_value(red, three, viewer, browse):
    now = timezone.now()
    for key, values in zip(three, ((0.2, 0.4), (0.3,), ()), strict=True):
        points = [Point("f1", value, 1, now, (("fold", str(n)),)) for n, value in enumerate(values)]
        metrics.record(system_scope(red), key, metrics=points)
    browser = browse(viewer)
    assert keys(browser, sort="metric:f1") == three[:2]
    assert keys(browser, sort="-metric:f1") == three[1::-1]
    assert keys(browser, sort="metric:f1", metric="f1 < 0.35") == [three[1], three[0]]
    shown = told(browser, sort="metric:f1")
    assert "only executions that report f1" in shown
    assert re.findall(r'<td class="num p2">([\d.]+)</td>', shown) == ["0.400", "0.300"]


@pytest.mark.parametrize(
    ("sort", "places"),
    [
        ("", [0, 1, 2]),
        ("-created", [2, 1, 0]),
        ("duration", [0, 2, 1]),
        ("-duration", [1, 2, 0]),
        ("name", [2, 0]),
        ("-name", [0, 2]),
        ("status", [0, 1, 2]),
        ("-status", [2, 1, 0]),
    ],
)
def test_sorted(three, viewer, browse, sort, places):
    assert keys(browse(viewer), sort=sort) == [three[place] for place in places]


@pytest.mark.parametrize(
    "sort", ["-created", "duration", "-duration", "name", "status", "-status", "metric:f1", "-metric:f1"]
)
def test_pages_of_every_order_show_each_row_once_both_ways(red, bound, viewer, browse, sort):
    for number in range(103):
        row = factories.execution(
            bound,
            status=(Status.DEAD, Status.COMPLETED)[number % 2],
            took=timedelta(seconds=number // 3),
            name=f"n{number // 4:03}.{number % 2}",
        )
        measured(red, row, f1=number // 5 / 7)
    browser, seen, query = browse(viewer), [], f"?sort={sort}"
    while True:
        shown = text(browser.get(LIST + query))
        seen.append(re.findall(r'<tr id="x-(\w+)"', shown))
        older = re.search(r'rel="next" href="([^"]+)"', shown)
        if not older:
            break
        query = older[1].replace("&amp;", "&")
    assert [len(one) for one in seen] == [50, 50, 3]
    assert len({key for one in seen for key in one}) == 103
    back = re.search(r'rel="prev" href="([^"]+)"', shown)[1].replace("&amp;", "&")
    assert re.findall(r'<tr id="x-(\w+)"', text(browser.get(LIST + back))) == seen[1]


def test_a_configuration_is_chosen_by_its_name_without_script(red, blue, bound, three, viewer, browse):
    other = factories.configuration(red, name="petals, <b>fast</b>")
    fast = factories.execution(other).pk
    theirs = factories.configuration(blue, name="petals of blue")
    browser = browse(viewer)
    assert "filter=configuration" in told(browser)

    def offered(**query):
        return set(re.findall(r'name="configuration" value="([^"]+)"', told(browser, **query)))

    assert offered(filter="configuration") == {str(bound.pk), str(other.pk)}
    assert offered(filter="configuration", find="FAST") == {str(other.pk)}
    for nothing in ("rose", str(theirs.pk), "\x00<i>"):
        assert not offered(filter="configuration", find=nothing)
    # As the form sends it.
    shown = told(browser, find="fast", configuration=str(other.pk), sort="name")
    assert keys(browser, find="fast", configuration=str(other.pk)) == [fast]
    assert 'aria-label="Remove filter Configuration petals, &lt;b&gt;fast' in shown
    assert f'value="{other.pk}" checked' in told(browser, filter="configuration", configuration=str(other.pk))
    # One without executions, and one of others, of which nothing is told.
    idle = factories.configuration(red, name="idle one").pk
    assert "Configuration <b>idle one</b>" in told(browser, configuration=str(idle))
    shown = told(browser, configuration=str(theirs.pk))
    assert f"Configuration <b>{str(theirs.pk)[:8]}</b>" in shown and "of blue" not in shown


def test_configurations_to_choose_from_are_few_and_cost_one_query(red, bound, three, viewer, browse):
    browser = browse(viewer)

    def cost(**query):
        with CaptureQueriesContext(connection) as captured:
            told(browser, **query)
        return len(captured)

    plain = cost(configuration=str(bound.pk))
    assert plain <= 8
    assert cost(filter="configuration", configuration=str(bound.pk)) == plain + 1
    version = bound.executable_version
    artifact = bound.inputs.get().artifact
    for number in range(21):
        factories.configuration(
            red,
            name=f"many {number}",
            version=version,
            parameters={"OWNER": "Ada"},
            inputs={"petals": artifact},
        )
    shown = told(browser, filter="configuration", find="many")
    assert shown.count('type="radio" name="configuration"') == 20 and "The newest 20 of them" in shown
    assert cost(filter="configuration", configuration=str(bound.pk)) == plain + 1


def test_archived_ones_leave_the_list(red, three, viewer, browse):
    executions.archive(system_scope(red), three[1])
    browser = browse(viewer)
    assert keys(browser) == [three[0], three[2]]
    assert keys(browser, archived="1") == [three[1]]
    assert keys(browser, q="slowly") == [three[0], three[2]]


def test_columns_are_chosen_and_kept(red, three, viewer, browse):
    measured(red, Execution.unscoped.get(pk=three[0]), loss=0.25)
    shown = told(browse(viewer), column=["by", "labels"], measure=["loss", ""], status="COMPLETED")
    assert "<th>Configuration</th>" not in shown and ">Labels</th>" in shown and "0.250" in shown
    assert 'name="column" value="labels"' in shown
    assert "?status=COMPLETED&amp;column=by&amp;column=labels&amp;measure=loss&amp;sort=status" in shown


BAD = {
    "status": ["nothing", "<b>", "\x00"],
    "from": ["x", "0001-01-01", "9999-12-31", "\x00", "2026-13-01"],
    "to": ["9999-12-31", "<i>"],
    "zone": ["Mars/Base", "../../etc/passwd", "\x00", "Europe"],
    "within": ["1e9d", "\x00"],
    "configuration": ["no-uuid", "\x00"],
    "by": ["n" * 300, "a\x00b"],
    "scenario": ["s" * 300, "\x00"],
    "label": ["novalue", "=x", "a\x00=b", "k" * 900],
    "metric": ["accuracy", "accuracy >", "> 1", "accuracy > big", "accuracy > 1e999", "a\x00 > 1", "m" * 999],
    "measure": ["m" * 300],
    "sort": ["size", "metric:\x00", "-"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_what_cannot_be_read_is_left_out_and_said(three, viewer, browse, name, value):
    response = browse(viewer).get(LIST, {name: value})
    assert response.status_code == 200
    shown = text(response)
    assert re.findall(r'<tr id="x-(\w+)"', shown) == three
    assert '<div class="note" data-kind="warn">' in shown
    assert "<b>" not in shown.partition('class="note"')[2].partition("</div>")[0]


def test_a_wrong_metric_says_what_is_wrong(three, viewer, browse):
    assert "big is not a number." in told(browse(viewer), metric="accuracy > big")
    assert "no number follows &gt;." in told(browse(viewer), metric="accuracy >")
    assert "it has none of the operators" in told(browse(viewer), metric="accuracy")


@pytest.mark.parametrize(
    "kind", ["status", "created", "source", "by", "label", "metric", "archived", "none", "\x00"]
)
def test_every_filter_has_a_form_that_keeps_the_others(three, viewer, browse, kind):
    shown = told(browse(viewer), filter=kind, metric="a>0", sort="name")
    known = kind not in ("none", "\x00")
    assert ("Apply filter" in shown) is known
    if known:
        form = shown.partition('aria-label="Filter by')[2].partition("</form>")[0]
        assert 'name="sort" value="name"' in form and 'name="metric" value="a &gt; 0"' in form


def test_tabs_count_and_show_the_current_one(bound, three, viewer, browse):
    factories.execution(bound, status=Status.RUNNING)
    tabs = (
        told(browse(viewer), status="COMPLETED")
        .partition('aria-label="Saved views"')[2]
        .partition("</nav>")[0]
    )
    counts = dict(re.findall(r">([A-Z][a-z]+) <span class=\"count\">(\d+)<", tabs))
    assert counts == {"All": "4", "Active": "1", "Mine": "0", "Completed": "3", "Dead": "0", "Archived": "0"}
    assert re.search(r'href="\?status=COMPLETED" aria-current="page">Completed', tabs)


def test_the_worst_address_costs_no_more_queries(red, bound, three, editor, browse):
    browser = browse(editor)
    query = {
        "q": "slowly",
        "metric": "f1 > 0",
        "sort": "metric:f1",
        "label": "a!=b",
        "by": "editor",
        "scenario": factories.SCENARIO,
        "version": "1.0.0",
        "measure": ["loss", "f2"],
        "status": ["COMPLETED", "DEAD"],
        "within": "30d",
    }
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(LIST, query).status_code == 200
    assert len(queries) <= 8, [one["sql"][:80] for one in queries]


def test_a_full_page_of_every_column_is_small(red, bound, editor, browse):
    for _ in range(50):
        row = factories.execution(bound, status=Status.COMPLETED, name="n" * 60)
        executions.edit(
            system_scope(red), row.pk, name="n" * 200, labels=[("k", "v" * 200), ("l", "w" * 200)]
        )
    names = [
        "configuration",
        "executable",
        "duration",
        "created",
        "changed",
        "target",
        "by",
        "labels",
        "outputs",
    ]
    query = {"column": names, "measure": ["a", "b", "c"]}
    shown = browse(editor).get(LIST, query).content
    assert len(shown) < 150_000


def test_several_statuses_are_counted_together(bound, viewer, browse):
    for status in (Status.DEAD, Status.DEAD, Status.STOPPED, Status.COMPLETED):
        factories.execution(bound, status=status)
    browser = browse(viewer)
    assert "<span>3 executions</span>" in told(browser, status=["DEAD", "STOPPED"])
    assert "<span>3 executions</span>" in told(browser, status=["DEAD", "STOPPED"], sort="status")
    assert "<span>2 executions</span>" in told(browser, status="DEAD", sort="duration")
