"""Metrics are stored once each, summarised truly, and shown without losing a spike."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain import metrics
from mlops.domain.metric_limits import Point, TooMuch
from mlops.lifecycle import Status
from mlops.models import Execution, MetricPoint, MetricSeries
from tests.mlops import running

pytestmark = pytest.mark.database
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def run(db):
    row = running.execution(running.group())
    return system_scope(row, actor="run"), row


def at(seconds):
    return START + timedelta(seconds=seconds)


def test_points_accumulate_and_the_summary_follows_the_highest_step(run):
    scope, row = run
    assert (
        metrics.record(scope, row.pk, metrics=[Point("loss", 0.9, 2, at(2)), Point("loss", 0.5, 1, at(1))])
        == 2
    )
    assert metrics.record(scope, row.pk, metrics=[Point("loss", 0.7, 3, at(3))]) == 1
    (series,) = metrics.series(scope, row)
    assert (series.last, series.last_step, series.last_at) == (0.7, 3, at(3))
    assert (series.minimum, series.maximum, series.count, series.nan_count) == (0.5, 0.9, 3, 0)


def test_repeats_are_counted_once(run):
    scope, row = run
    points = [Point("loss", 0.9, 1, at(1)), Point("loss", 0.9, 1, at(1)), Point("loss", 0.8, 1, at(1))]
    assert metrics.record(scope, row.pk, metrics=points) == 2
    assert metrics.record(scope, row.pk, metrics=points) == 0
    assert metrics.series(scope, row)[0].count == 2


def test_a_point_without_step_is_another_than_one_with_step_zero(run):
    scope, row = run
    assert (
        metrics.record(scope, row.pk, metrics=[Point("f1", 0.9, 0, at(1)), Point("f1", 0.9, None, at(1))])
        == 2
    )


def test_labels_make_series_whatever_their_order(run):
    scope, row = run
    forth, back = (("fold", "1"), ("split", "test")), (("split", "test"), ("fold", "1"))
    metrics.record(
        scope, row.pk, metrics=[Point("f1", 0.1, 1, at(1), forth), Point("f1", 0.2, 2, at(2), back)]
    )
    metrics.record(scope, row.pk, metrics=[Point("f1", 0.3, 1, at(1), (("fold", "2"),))])
    assert [(one.title, one.count) for one in metrics.series(scope, row)] == [
        ("f1 (fold=1, split=test)", 2),
        ("f1 (fold=2)", 1),
    ]


def test_nan_and_infinities_are_kept_apart_from_the_summary(run):
    scope, row = run
    values = [0.5, math.nan, math.inf, -math.inf, -2.0]
    metrics.record(
        scope, row.pk, metrics=[Point("loss", value, step, at(step)) for step, value in enumerate(values)]
    )
    (series,) = metrics.series(scope, row)
    assert (series.last, series.minimum, series.maximum) == (-2.0, -2.0, 0.5)
    assert (series.count, series.nan_count) == (5, 3)
    (drawn,) = metrics.points(scope, row, [series.id])
    assert drawn.pairs == [(0, 0.5), (1, None), (2, None), (3, None), (4, -2.0)]
    assert sorted(scope.of(MetricPoint).values_list("kind", flat=True)) == ["", "", "-inf", "inf", "nan"]


def test_a_series_of_nothing_but_nan_has_no_last_value(run):
    scope, row = run
    metrics.record(scope, row.pk, metrics=[Point("loss", math.nan, 1)])
    (series,) = metrics.series(scope, row)
    assert (series.last, series.minimum, series.count) == (None, None, 1)


def test_tags_and_custom_info_are_set_by_name_and_leave_metrics_alone(run):
    scope, row = run
    metrics.record(scope, row.pk, metrics=[Point("loss", 1.0)], tags=[("stage", "a"), ("stage", "b")])
    metrics.record(scope, row.pk, tags=[("stage", "c"), ("data", "x")], custom_info=[("report", "one")])
    metrics.record(scope, row.pk, custom_info=[("report", "two")])
    assert metrics.tags(scope, row) == [("data", "x"), ("stage", "c")]
    assert metrics.custom_info(scope, row) == [("report", "two")]
    assert metrics.series(scope, row)[0].count == 1


@pytest.mark.parametrize(
    ("report", "error", "words"),
    [
        ({"metrics": [Point("loss", 1.0)] * 1001}, TooMuch, "1000 metrics"),
        ({"metrics": [Point("loss", 1.0, labels=(("a", "b"),) * 21)]}, TooMuch, "20 labels"),
        ({"tags": [("a", "b")] * 101}, TooMuch, "100 tags"),
        ({"custom_info": [("a", "b")] * 101}, TooMuch, "100 custom info"),
        ({"custom_info": [("a", "é" * (5 * 1024 * 1024 // 2 + 1))]}, TooMuch, "5 MB"),
        ({"metrics": [Point("", 1.0)]}, Invalid, "name"),
        ({"metrics": [Point("§ !", 1.0)]}, Invalid, "name"),
        ({"metrics": [Point("x" * 257, 1.0)]}, Invalid, "256"),
        ({"metrics": [Point("loss", 1.0, -1)]}, Invalid, "step of loss"),
        ({"metrics": [Point("loss", 1.0, 2**63)]}, Invalid, "step of loss"),
        ({"metrics": [Point("loss", 1.0, labels=(("a", ""),))]}, Invalid, "label"),
        ({"metrics": [Point("lo\x00ss", 1.0)]}, Invalid, "NUL"),
        ({"metrics": [Point("loss", 1.0, 1, datetime(1, 1, 1, tzinfo=UTC))]}, Invalid, "timestamp"),
        ({"tags": [("", "b")]}, Invalid, "tag"),
        ({"tags": [("a", "b" * 257)]}, Invalid, "256"),
        ({"tags": [("a", "\ud800")]}, Invalid, "Unicode"),
        ({"custom_info": [("a", "")]}, Invalid, "empty"),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(run, report, error, words):
    scope, row = run
    with pytest.raises(error, match=words):
        metrics.record(scope, row.pk, **{"metrics": [Point("good", 1.0)], **report})
    assert not metrics.series(scope, row)


@pytest.mark.parametrize("name", ["Error Rate", "f1[macro]", "a", "-"])
def test_metric_names_are_searched_not_matched(run, name):
    scope, row = run
    metrics.record(scope, row.pk, metrics=[Point(name, 1.0)])
    assert metrics.series(scope, row)[0].name == name


def test_a_replaced_attempt_reports_no_more(run):
    scope, row = run
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    with pytest.raises(Conflict, match="replaced by attempt 2"):
        metrics.record(scope, row.pk, metrics=[Point("loss", 1.0)], attempt=1)
    assert metrics.record(scope, row.pk, metrics=[Point("loss", 1.0)], attempt=2) == 1


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.DEAD, Status.STOPPED, Status.PENDING])
def test_an_ended_run_reports_no_more(db, status):
    row = running.execution(running.group(), status=status)
    with pytest.raises(Conflict, match=status.lower()):
        metrics.record(system_scope(row), row.pk, metrics=[Point("loss", 1.0)], attempt=1)
    assert not MetricSeries.unscoped.exists()


def test_a_stopping_run_may_still_report(db):
    row = running.execution(running.group(), status=Status.STOPPING)
    assert metrics.record(system_scope(row), row.pk, metrics=[Point("loss", 1.0)], attempt=1) == 1


def test_another_groups_execution_does_not_exist(run):
    scope, row = run
    metrics.record(scope, row.pk, metrics=[Point("loss", 1.0)], tags=[("a", "b")])
    stranger = system_scope(running.group("blue"))
    with pytest.raises(NotFound):
        metrics.record(stranger, row.pk, metrics=[Point("loss", 1.0)])
    (series,) = metrics.series(scope, row)
    assert metrics.series(stranger, row) == metrics.tags(stranger, row) == []
    with pytest.raises(NotFound):
        metrics.points(stranger, row, [series.id])


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_lose_and_double_nothing():
    row = running.execution(running.group())
    scope = system_scope(row)
    together = threading.Barrier(4)

    def write(writer):
        together.wait()
        # Every second point is one that all writers send.
        for step in range(20):
            points = [Point("loss", writer, step, at(step)), Point("loss", 9, step, at(step))]
            metrics.record(scope, row.pk, metrics=points)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    (series,) = metrics.series(scope, row)
    assert series.count == MetricPoint.unscoped.count() == 20 * 5
    assert (series.minimum, series.maximum) == (0, 9)


def fill(row, count, name="loss", value=lambda step: math.sin(step / 50)):
    series = MetricSeries.unscoped.create(
        resource_group=row.resource_group,
        execution=row,
        name=name,
        labels_digest=name,
        last_step=count,
        count=count,
    )
    MetricPoint.unscoped.bulk_create(
        [
            MetricPoint(series=series, step=step, has_step=True, recorded_at=at(step), value=value(step))
            for step in range(count)
        ],
        batch_size=5000,
    )
    return series


@pytest.mark.parametrize("x", ["step", "time"])
def test_thinning_keeps_every_spike_at_its_true_place(run, x):
    scope, row = run
    spikes = {3_333: 50.0, 17_171: -50.0, 19_999: 7.0}
    series = fill(row, 20_000, value=lambda step: spikes.get(step, math.sin(step / 50)))
    (drawn,) = metrics.points(scope, row, [series.pk], x=x, buckets=100)
    assert drawn.total == 20_000
    assert drawn.shown == len(drawn.pairs) <= 200
    place = {step: (at(step).timestamp() * 1000 if x == "time" else step) for step in spikes}
    assert {(place[step], value) for step, value in spikes.items()} <= set(drawn.pairs)
    assert drawn.pairs == sorted(drawn.pairs)


def test_a_long_series_is_thinned_once_until_it_grows(run, django_assert_num_queries):
    scope, row = run
    series = fill(row, 5000)
    (first,) = metrics.points(scope, row, [series.pk], buckets=100)
    with django_assert_num_queries(1):
        (again,) = metrics.points(scope, row, [series.pk], buckets=100)
    assert again == first
    metrics.record(scope, row.pk, metrics=[Point("other", 1.0)])
    MetricPoint.unscoped.create(series=series, step=5000, has_step=True, recorded_at=at(0), value=99.0)
    MetricSeries.unscoped.filter(pk=series.pk).update(count=5001, maximum=99.0)
    (grown,) = metrics.points(scope, row, [series.pk], buckets=100)
    assert (5000, 99.0) in grown.pairs


def test_thinning_leaves_gaps_where_values_are_not_finite(run):
    scope, row = run
    series = fill(row, 1000, value=lambda step: 1.0)
    series.points.filter(step__range=(500, 520)).update(kind="nan", value=0)
    MetricSeries.unscoped.filter(pk=series.pk).update(nan_count=21)
    (drawn,) = metrics.points(scope, row, [series.pk], buckets=100)
    assert [x for x, y in drawn.pairs if y is None] == [500, 510, 520]
    assert {y for _x, y in drawn.pairs} == {None, 1.0}


def test_one_value_ever_is_one_point_a_bucket(run):
    scope, row = run
    series = fill(row, 1000, value=lambda step: 0.0)
    (drawn,) = metrics.points(scope, row, [series.pk], buckets=10)
    assert [x for x, _y in drawn.pairs] == list(range(0, 1000, 100))


def test_of_an_extreme_that_comes_often_the_first_place_is_drawn(run):
    scope, row = run
    series = fill(row, 3000, value=lambda step: float(step // 7 % 5))
    series.points.update(step=F("step") * 9 - 13_500)
    (drawn,) = metrics.points(scope, row, [series.pk], buckets=10)
    found = {}
    for step in range(3000):
        # 26,992 steps in 40 parts of 675.
        found.setdefault((step * 9 // 675 // 4, step // 7 % 5), step * 9 - 13_500)
    expected = {(place, float(value)) for (_, value), place in found.items() if value in (0, 4)}
    assert set(drawn.pairs) == expected


def test_huge_steps_are_thinned_too(run):
    scope, row = run
    series = fill(row, 300)
    series.points.filter(step=299).update(step=2**63 - 1)
    (drawn,) = metrics.points(scope, row, [series.pk], buckets=10)
    assert drawn.pairs[-1][0] == 2**63 - 1


def test_a_series_without_steps_is_drawn_by_time(run):
    scope, row = run
    metrics.record(scope, row.pk, metrics=[Point("f1", 0.1, None, at(1)), Point("f1", 0.2, None, at(2))])
    (drawn,) = metrics.points(scope, row, [metrics.series(scope, row)[0].id])
    assert (drawn.axis, drawn.pairs) == (
        "time",
        [(at(1).timestamp() * 1000, 0.1), (at(2).timestamp() * 1000, 0.2)],
    )


def test_one_chart_takes_fifty_series(run):
    scope, row = run
    with pytest.raises(Invalid, match="50"):
        metrics.points(scope, row, list(range(51)))


CELLS = [
    {"Predicted": "no", "Actual": "no", "value": 8},
    {"Predicted": "yes", "Actual": "no", "value": 2},
    {"Predicted": "yes", "Actual": "yes", "value": 5},
]


@pytest.mark.parametrize("text", [str(CELLS), str(CELLS).replace("'", '"'), f"\n {CELLS} "])
def test_a_confusion_matrix_is_read_from_json_and_python(text):
    matrix = metrics.confusion_matrix(text)
    assert matrix == metrics.Matrix(("no", "yes"), ((8, 2), (0, 5)))
    assert (matrix.total, matrix.hits) == (15, 13)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        "[1, 2]",
        "[]",
        "[[" * 5000,
        "[__import__('os').getcwd()]",
        str([{"Predicted": "a", "Actual": "b", "value": "many"}]),
        str([{"Predicted": "a", "Actual": "a", "value": 3}]),
        str([{"Predicted": str(n), "Actual": "a", "value": 1} for n in range(101)]),
        str(CELLS) + " " * 300_000,
    ],
)
def test_any_other_text_is_no_confusion_matrix(text):
    assert metrics.confusion_matrix(text) is None
