"""Pages that compare executions and models."""

import html
import json
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import comparison_matrices, metrics
from mlops.domain.metric_limits import Point
from mlops.domain.metrics import OUTPUT_LABEL
from mlops.lifecycle import Status
from mlops.models import Artifact, AttemptEnvironment, Environment
from tests.mlops import factories
from tests.mlops.views.comparing import EXECUTIONS, MODELS, ask, run

pytestmark = pytest.mark.django_db


def text(response):
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def cells(response, name):
    """The cells of a row, as text."""
    shown = response.content.decode()
    row = re.search(rf'<th scope="row">(?:≠ )?{re.escape(name)}\b.*?</tr>', shown, re.DOTALL)
    assert row, f"there is no row {name}"
    found = re.findall(r"<td(?:[^>]*)>(.*?)</td>", row[0])
    return [re.sub(r"<[^>]+>", " ", one).split() for one in found]


def matrix(counts):
    """Custom info that is a confusion matrix. counts: (actual, predicted) to how many."""
    cells = [{"Predicted": said, "Actual": true, "value": value} for (true, said), value in counts.items()]
    return json.dumps(cells)


def report(group, row, **infos):
    metrics.record(system_scope(group), row.pk, custom_info=list(infos.items()))


class TestTables:
    def test_says_who_is_ahead_and_at_what_cost(self, three, viewer, browse):
        shown = re.sub(r"<[^>]+>", "", text(ask(browse(viewer), three)))
        assert "longer is ahead on 2 of 2 metrics. It takes 1 min 47 s longer than the baseline." in shown

    def test_marks_the_best_by_the_metric_s_direction_and_tells_how_far(self, three, viewer, browse):
        response = ask(browse(viewer), three)
        assert cells(response, "accuracy") == [["0.800"], ["0.900", "+0.100"], ["0.700", "−0.100"]]
        assert cells(response, "loss") == [["0.400"], ["0.200", "−0.200"], ["0.400", "same"]]
        best = re.findall(r'class="best" title="Best">([^<]*)<', response.content.decode())
        assert best == ["0.900", "0.200", "1 min 00 s", "1 min 00 s"]

    def test_the_reader_may_turn_a_metric_round(self, three, viewer, browse):
        shown = ask(browse(viewer), three).content.decode()
        turn = html.unescape(re.search(r'href="([^"]*lower=accuracy[^"]*)"', shown)[1])
        turned = browse(viewer).get(EXECUTIONS + turn).content.decode()
        assert '<span class="best" title="Best">0.700</span>' in turned
        assert '<span class="best" title="Best">0.900</span>' not in turned
        assert "higher=accuracy" in turned

    def test_only_what_differs_until_all_is_asked_for(self, three, viewer, browse):
        only = ask(browse(viewer), three).content.decode()
        assert cells(ask(browse(viewer), three), "EPOCHS") == [["3"], ["9"], ["3"]]
        assert ">≠ EPOCHS" in only
        for alike in ("OWNER", "MODE", "Executable", "petals"):
            assert f'<th scope="row">{alike}' not in only
        everything = ask(browse(viewer), three, all="1").content.decode()
        for alike in ("OWNER", "MODE", "Executable", "petals", "Host"):
            assert f'<th scope="row">{alike}' in everything

    def test_packages_are_told_where_recorded_environments_differ(self, red, three, viewer, browse):
        for number, row in enumerate(three[:2]):
            ran = Environment.unscoped.create(
                resource_group=red,
                digest=str(number),
                interpreter="CPython 3.11.7",
                packages=[["numpy", f"2.{number}.0"], ["six", "1.17.0"], *([["extra", "1"]] * number)],
            )
            AttemptEnvironment.unscoped.create(execution=row, attempt=1, environment=ran)
        shown = ask(browse(viewer), three, all="1")
        assert cells(shown, "numpy") == [["2.0.0"], ["2.1.0"], ["–"]]
        assert cells(shown, "extra") == [["–"], ["1"], ["–"]]
        for alike in ("six", "Python"):
            assert f'<th scope="row">{alike}' not in shown.content.decode()

    def test_one_is_hidden_and_shown_again_and_another_made_the_baseline(self, three, viewer, browse):
        browser = browse(viewer)
        shown = ask(browser, three).content.decode()
        hide = html.unescape(re.search(r'href="([^"]*)" aria-label="Hide longer"', shown)[1])
        without = browser.get(EXECUTIONS + hide)
        assert "Compare 2 executions" in text(without) and len(cells(without, "accuracy")) == 2
        back = html.unescape(
            re.search(r'href="([^"]*)" aria-label="Show longer again"', without.content.decode())[1]
        )
        assert len(cells(browser.get(EXECUTIONS + back), "accuracy")) == 3
        base = html.unescape(re.search(r'href="([^"]*)" aria-label="Make baseline: other"', shown)[1])
        assert cells(browser.get(EXECUTIONS + base), "accuracy")[0] == ["0.700"]

    def test_what_is_not_finite_is_told_as_such(self, red, three, viewer, browse):
        nan, inf = float("nan"), float("inf")
        rows = [
            run(red, name="broken", epochs="1", accuracy=[nan, -inf], loss=[0.5, inf]),
            three[0],
        ]
        response = ask(browse(viewer), rows)
        assert cells(response, "accuracy")[0] == ["−∞,", "NaN"]
        assert cells(response, "loss")[0] == ["0.500", "(1", "not", "finite)"]
        assert "base is ahead" in re.sub(r"<[^>]+>", "", text(response)) or "base" in text(response)

    def test_executions_of_one_configuration_are_told_apart(self, three, viewer, browse):
        again = factories.execution(three[0].configuration, status=Status.DEAD)
        shown = text(ask(browse(viewer), [three[0], again]))
        assert f"base ({three[0].pk[:8]})" in shown and f"base ({again.pk[:8]})" in shown

    def test_the_same_few_queries_for_two_and_for_ten(self, red, three, viewer, browse):
        browser, counts = browse(viewer), []
        more = [run(red, name=f"more {n}", epochs=str(n), accuracy=[0.1, 0.2]) for n in range(7)]
        for rows in (three[:2], [*three, *more]):
            with CaptureQueriesContext(connection) as queries:
                ask(browser, rows)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 17


@pytest.mark.database
class TestMatrices:
    def test_stand_side_by_side_with_their_labels_in_one_order(self, red, three, viewer, browse):
        report(red, three[0], confusion=matrix({("rose", "rose"): 7, ("rose", "<i>"): 1, ("<i>", "<i>"): 2}))
        report(red, three[2], confusion=matrix({("<i>", "<i>"): 3, ("rose", "<i>"): 4, ("rose", "rose"): 5}))
        report(red, three[1], confusion="no matrix, though Predicted", notes='[{"Predicted": "x"}]')
        shown = ask(browse(viewer), three).content.decode()
        assert shown.count('class="table matrix"') == 2 and "<i>" not in shown
        first, second = (part.partition("</table>")[0] for part in shown.split('class="table matrix"')[1:])
        for part, counts in ((first, ["7", "1", "0", "2"]), (second, ["5", "4", "0", "3"])):
            assert re.findall(r'<th class="num" scope="col">([^<]*)<', part) == ["rose", "&lt;i&gt;"]
            assert re.findall(r'<td class="num[^"]*">([^<]*)<', part) == counts
        titles = re.findall(r'id="(matrix-1-\d)">([^<]*)</h3><span class="meta">([^<]*)<', shown)
        assert titles == [
            ("matrix-1-1", "base", "9 of 10 right"),
            ("matrix-1-3", "other", "8 of 12 right"),
        ]
        assert "Not all confusion matrices" not in shown

    def test_nothing_is_shown_where_none_has_one_nor_of_those_hidden(self, red, three, viewer, browse):
        assert "onfusion" not in text(ask(browse(viewer), three))
        report(red, three[2], confusion=matrix({("a", "a"): 1, ("b", "b"): 1}))
        assert 'class="table matrix"' in text(ask(browse(viewer), three))
        assert "onfusion" not in text(ask(browse(viewer), three, hide=three[2].pk))

    def test_a_neighbour_s_is_not_read(self, red, blue, three):
        report(red, three[0], confusion=matrix({("a", "a"): 1, ("b", "b"): 1}))
        keys = [three[0].pk]
        assert comparison_matrices.read(system_scope(red), keys).named
        assert not comparison_matrices.read(system_scope(blue), keys).named

    def test_too_many_cells_and_too_long_texts_are_left_out_and_it_is_said(self, red, three, viewer, browse):
        wide = matrix({(str(n), str(n)): 1 for n in range(60)})
        report(red, three[0], one=wide, two=wide)
        report(red, three[1], long=matrix({("a" * 70_000, "b"): 1}))
        shown = text(ask(browse(viewer), three))
        assert shown.count('class="table matrix"') == 1
        assert "Not all confusion matrices are shown here" in shown


class TestAddresses:
    def test_without_two_it_says_how_to_choose(self, three, viewer, browse):
        for rows in ([], three[:1]):
            assert "Choose at least two executions" in text(ask(browse(viewer), rows))
        assert "Choose at least two models" in text(browse(viewer).get(MODELS))

    def test_what_is_gone_or_a_neighbour_s_is_named_and_not_shown(self, blue, three, viewer, browse):
        theirs = run(blue, name="secret name", epochs="3", accuracy=1.0)
        shown = text(ask(browse(viewer), [*three, theirs]))
        assert "Compare 3 executions" in shown and "secret name" not in shown
        assert f"<code>{theirs.pk}</code>" in shown

    def test_lists_may_send_their_own_names_of_fields(self, three, viewer, browse):
        query = {"execution": [row.pk for row in three], "csrfmiddlewaretoken": "never-told"}
        shown = text(browse(viewer).get(EXECUTIONS, query))
        assert "Compare 3 executions" in shown
        own = re.findall(r'href="(\?[^"]*)"', shown)
        assert own and not [one for one in own if "never-told" in one or "execution=" in one]

    def test_of_more_than_fifty_the_first_are_shown(self, three, viewer, browse):
        many = [factories.execution(three[0].configuration, status=Status.DEAD) for _ in range(50)]
        shown = text(ask(browse(viewer), [three[0], *many]))
        assert "Compare 50 executions" in shown and "At most 50 are compared" in shown

    @pytest.mark.parametrize(
        "query",
        [
            "id=%00",
            "id=%ff%fe&id=" + "9" * 5000,
            "chart=nope&smooth=nan&x=%00&scale=<b>",
            "chart=scatter&against=%00&metric=" + "W" * 9000,
            "chart=scatter&against=metric:none&smooth=1e999",
            "hide=<script>&lower=%00&higher=x",
        ],
    )
    def test_bad_values_are_ignored(self, three, viewer, browse, query):
        keys = "&".join(f"id={row.pk}" for row in three)
        shown = browse(viewer).get(f"{EXECUTIONS}?{keys}&{query}")
        assert shown.status_code == 200
        assert "Compare 3 executions" in shown.content.decode()
        assert "<script>" not in shown.content.decode().replace('<script src="', "")
        assert browse(viewer).get(f"{MODELS}?{query}").status_code == 200

    def test_markup_in_names_is_shown_as_text(self, red, viewer, browse):
        rows = [
            run(red, name="<b>one</b>", epochs="</script>", **{"<i>m</i>": [1.0, 2.0]}),
            run(red, name="two", epochs="'\"", **{"<i>m</i>": [1.0, 3.0]}),
        ]
        for chart in ("curves", "bars", "scatter", "heatmap", "parallel"):
            shown = ask(browse(viewer), rows, chart=chart).content.decode()
            assert "<b>one</b>" not in shown and "<i>m</i>" not in shown
            assert "&lt;b&gt;one&lt;/b&gt;" in shown


class TestCharts:
    def figure(self, response):
        shown = response.content.decode()
        return json.loads(html.unescape(re.search(r'-data" hidden>(.*?)</div>', shown)[1]))

    def test_curves_together_by_step(self, three, viewer, browse):
        figure = self.figure(ask(browse(viewer), three))
        assert [(one["name"], one["x"], one["y"]) for one in figure["data"]] == [
            ("base", [1, 2], [0.5, 0.8]),
            ("longer", [1, 2], [0.6, 0.9]),
            ("other", [1, 2], [0.4, 0.7]),
        ]
        shown = text(ask(browse(viewer), three))
        assert "accuracy, 3 curves: longer is best with 0.900" in shown
        assert "Values as a table" in shown

    def test_by_time_since_the_start_smoothed_and_logarithmic(self, three, viewer, browse):
        figure = self.figure(ask(browse(viewer), three, x="time", smooth="0.5", scale="log"))
        assert figure["data"][0]["x"] == pytest.approx([1.0, 2.0], abs=0.01)
        assert figure["data"][0]["y"] == pytest.approx([0.5, 0.7])
        assert figure["layout"]["yaxis"]["type"] == "log"

    def test_bars_hold_the_last_values(self, three, viewer, browse):
        figure = self.figure(ask(browse(viewer), three, chart="bars", metric="loss"))
        assert figure["data"][0] | {"type": "bar"} == {
            "type": "bar",
            "x": ["base", "longer", "other"],
            "y": [0.4, 0.2, 0.4],
        }

    def test_scatter_against_a_parameter_or_a_metric(self, three, viewer, browse):
        figure = self.figure(ask(browse(viewer), three, chart="scatter", against="parameter:EPOCHS"))
        assert (figure["data"][0]["x"], figure["data"][0]["y"]) == ([3.0, 9.0, 3.0], [0.8, 0.9, 0.7])
        words = self.figure(ask(browse(viewer), three, chart="scatter", against="parameter:MODE"))
        assert words["layout"]["xaxis"]["type"] == "category"
        metric = self.figure(ask(browse(viewer), three, chart="scatter", against="metric:loss"))
        assert metric["data"][0]["x"] == [0.4, 0.2, 0.4]

    def test_a_heat_map_shades_the_better_darker(self, three, viewer, browse):
        figure = self.figure(ask(browse(viewer), three, chart="heatmap"))
        shades = dict(zip(figure["data"][0]["y"], figure["data"][0]["z"], strict=True))
        assert shades == {"accuracy": [0.5, 1.0, 0.0], "loss": [0.0, 1.0, 0.0]}

    def test_parallel_coordinates_may_make_code_and_no_other_page_may(self, three, viewer, browse):
        response = ask(browse(viewer), three, chart="parallel")
        axes = self.figure(response)["data"][0]["dimensions"]
        assert [(one["label"], one["values"]) for one in axes] == [
            ("EPOCHS", [3.0, 9.0, 3.0]),
            ("accuracy", [0.8, 0.9, 0.7]),
        ]
        assert "'unsafe-eval'" in response["Content-Security-Policy"]
        for chart in ("curves", "bars", "scatter", "heatmap"):
            assert "unsafe" not in ask(browse(viewer), three, chart=chart)["Content-Security-Policy"]

    def test_extreme_numbers_draw_without_a_complaint(self, red, viewer, browse):
        rows = [
            run(red, name="low", epochs="-1e308", m=[-1.7e308, -1.7e308]),
            run(red, name="high", epochs="1e308", m=[1.7e308, 1.7e308]),
            run(red, name="nan", epochs="nan", m=[float("nan"), float("inf")]),
        ]
        for chart in ("curves", "bars", "scatter", "heatmap", "parallel"):
            for scale in ("linear", "log"):
                assert ask(browse(viewer), rows, chart=chart, scale=scale).status_code == 200

    def test_many_points_keep_their_spike_and_stay_few(self, red, viewer, browse):
        values = [0.5] * 6000
        values[4321] = 99.0
        rows = [run(red, name=f"long {n}", epochs=str(n), m=values) for n in (1, 2)]
        response = ask(browse(viewer), rows)
        figure = self.figure(response)
        assert all(99.0 in one["y"] and len(one["y"]) < 2500 for one in figure["data"])
        assert len(response.content) < 300_000

    def test_without_metrics_it_says_so(self, three, viewer, browse):
        rows = [factories.execution(three[0].configuration, status=Status.DEAD) for _ in range(2)]
        shown = text(ask(browse(viewer), rows))
        assert shown.count("None of them reported a metric.") >= 1


class TestModels:
    def model(self, red, row, **fields):
        made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
        Artifact.unscoped.filter(pk=made.pk).update(execution=row, **fields)
        return made

    def test_side_by_side_with_what_made_them(self, red, three, viewer, browse):
        rows = [self.model(red, three[0], size_bytes=1024), self.model(red, three[1], size_bytes=4096)]
        response = ask(browse(viewer), rows, MODELS)
        assert "Compare 2 models" in text(response)
        assert cells(response, "accuracy") == [["0.800"], ["0.900", "+0.100"]]
        assert cells(response, "EPOCHS") == [["3"], ["9"]]
        assert cells(response, "Made by") == [[three[0].pk], [three[1].pk]]
        assert "leaves 3.0 KiB more than the baseline" in re.sub(r"<[^>]+>", "", text(response))

    def test_what_was_measured_of_the_model_itself_counts(self, red, three, viewer, browse):
        rows = [self.model(red, three[0]), self.model(red, three[1])]
        label = (OUTPUT_LABEL, "petal-model")
        metrics.record(
            system_scope(red),
            three[0].pk,
            metrics=[Point("f1", 0.25, 1, timezone.now(), (label,))],
        )
        response = ask(browse(viewer), rows, MODELS)
        assert cells(response, "f1") == [["0.250"], ["–"]]
        assert cells(response, "accuracy") == [["–"], ["0.900"]]

    def test_a_model_without_an_execution_and_what_is_no_model(self, red, viewer, browse):
        rows = [factories.artifact(red, kind="model", name=name) for name in ("a", "b")]
        other = factories.artifact(red, name="data")
        response = browse(viewer).get(
            MODELS, {"id": [rows[0].pk, rows[1].pk, other.pk, uuid.uuid4(), "x", rows[0].pk]}
        )
        assert "Compare 2 models" in text(response)
        assert str(other.pk) in text(response)
