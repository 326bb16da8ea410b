"""Boards: kept comparisons with charts, one's own or shared in the group."""

import html
import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import Role
from launchpad.grants import grant
from mlops.domain import boards
from mlops.domain.boards import Chart
from mlops.models import Board
from tests.mlops import factories
from tests.mlops.views.comparing import EXECUTIONS, ask, run

pytestmark = pytest.mark.django_db

BOARDS = "/w/north/g/red/boards/"


@pytest.fixture
def other(red):
    """Another viewer of red."""
    user = User.objects.create_user("other")
    grant(Role.VIEWER, user, red)
    return user


def text(response):
    return html.unescape(response.content.decode())


def save(browser, rows, **fields):
    """Save a board from the comparison's form; the board."""
    sent = {"of": "executions", "name": "ours", "id": [row.pk for row in rows], "kind": "bars"} | fields
    response = browser.post(f"{BOARDS}create", sent)
    board = Board.unscoped.latest("created_at")
    assert (response.status_code, response["Location"]) == (303, f"{BOARDS}{board.pk}/")
    return board


def send(browser, verb, board, **fields):
    sent = {"board": board.pk, "version": board.version} | fields
    if verb == "arrange":
        sent["board"] = f"{board.pk} {board.version}"
    response = browser.post(f"{BOARDS}{verb}", sent)
    board.refresh_from_db()
    return response


def kinds(board):
    return [one["kind"] for one in board.charts]


class TestOwn:
    def test_a_viewer_keeps_a_comparison_with_its_chart(self, three, viewer, browse):
        browser = browse(viewer)
        assert "Save as a board" in text(ask(browser, three, chart="bars"))
        board = save(browser, three, metric="loss")
        assert (board.items, kinds(board), board.is_shared) == ([row.pk for row in three], ["bars"], False)
        shown = text(browser.get(f"{BOARDS}{board.pk}/"))
        assert "loss, last values: longer is best with 0.200" in shown
        assert "only you" in text(browser.get(BOARDS)) and "ours" in text(browser.get(BOARDS))

    @pytest.mark.database
    def test_the_direction_a_person_changed_is_kept(self, three, viewer, browse):
        browser = browse(viewer)
        shown = ask(browser, three, chart="bars", metric="loss", higher="loss", lower=["accuracy", "nothing"])
        form = text(shown).partition('id="keep-title"')[2].partition("</form>")[0]
        told = re.findall(r'name="(lower|higher)" value="([^"]*)"', form)
        assert told == [("lower", "accuracy"), ("higher", "loss")]
        board = save(browser, three, metric="loss", **dict(told))
        assert "loss, last values: other is best with 0.400" in text(browser.get(f"{BOARDS}{board.pk}/"))
        # A chart of a metric turned later joins; what nothing is said of stays.
        more = {"action": "add", "kind": "bars", "metric": "accuracy"}
        send(browser, "arrange", board, **more, higher="accuracy")
        shown = text(browser.get(f"{BOARDS}{board.pk}/"))
        assert "loss, last values: other is best with 0.400" in shown
        assert "accuracy, last values: longer is best with 0.900" in shown
        send(browser, "arrange", board, action="up:1")
        assert boards.directions(board) == {"accuracy": "higher", "loss": "higher"}
        again = re.search(r'href="([^"]*)">[^>]*(<svg.*?</svg>)?Open the comparison', shown, re.DOTALL)[1]
        opened = text(browser.get(again))
        assert "loss: higher is better" in opened and "accuracy: higher is better" in opened

    def test_directions_that_are_none_are_not_kept(self, three, viewer, browse):
        board = save(browse(viewer), three, lower=["x" * 301, "", *(f"m{n}" for n in range(250))])
        assert boards.directions(board)["m0"] == "lower" and "m249" not in board.directions
        assert len(board.directions) == boards.DIRECTIONS_LIMIT
        for told in ([], {"a": ["lower"]}, {"loss": "sideways"}):
            Board.unscoped.filter(pk=board.pk).update(directions=told)
            assert browse(viewer).get(f"{BOARDS}{board.pk}/").status_code == 200

    def test_nobody_else_finds_it(self, three, viewer, other, editor, browse):
        board = save(browse(viewer), three)
        for who in (other, editor):
            browser = browse(who)
            assert browser.get(f"{BOARDS}{board.pk}/").status_code == 404
            assert "ours" not in text(browser.get(BOARDS))
            for verb, fields in (
                ("rename", {"name": "mine"}),
                ("arrange", {"action": "add"}),
                ("delete", {}),
            ):
                assert send(browser, verb, board, **fields).status_code == 404
        assert send(browse(editor), "share", board, shared="1").status_code == 404
        assert board.name == "ours"

    def test_charts_are_added_changed_moved_and_removed(self, three, viewer, browse):
        browser = browse(viewer)
        board = save(browser, three)
        send(browser, "arrange", board, action="add", kind="heatmap")
        send(browser, "arrange", board, action="add", kind="scatter", against="parameter:EPOCHS")
        assert kinds(board) == ["bars", "heatmap", "scatter"]
        send(browser, "arrange", board, action="up:2")
        assert kinds(board) == ["bars", "scatter", "heatmap"]
        send(browser, "arrange", board, action="down:0")
        assert kinds(board) == ["scatter", "bars", "heatmap"]
        send(browser, "arrange", board, action="change:1", kind="curves", smooth="0.8", x="time")
        assert boards.charts(board)[1] == Chart("curves", "", "", "time", 0.8, "linear")
        send(browser, "arrange", board, action="remove:0")
        assert kinds(board) == ["curves", "heatmap"]
        for action in ("remove:7", "up:-1", "up:x", "explode:0", "", "change:" + "9" * 50):
            assert send(browser, "arrange", board, action=action).status_code == 422
        assert kinds(board) == ["curves", "heatmap"]

    def test_is_renamed_and_deleted(self, three, viewer, browse):
        browser = browse(viewer)
        board = save(browser, three)
        send(browser, "rename", board, name="<b>best</b>")
        assert "&lt;b&gt;best&lt;/b&gt;" in browser.get(f"{BOARDS}{board.pk}/").content.decode()
        for name in ("", "\x00", "W" * 257, "two\nlines"):
            assert send(browser, "rename", board, name=name).status_code == 422
        sent = {"board": board.pk, "version": board.version}
        assert browser.post(f"{BOARDS}delete", sent).status_code == 303
        assert not Board.unscoped.exists()

    def test_needs_two_that_exist(self, three, viewer, browse):
        for items in ([], [three[0].pk], [three[0].pk, "e0", "\x00"]):
            sent = {"of": "executions", "name": "few", "id": items}
            assert browse(viewer).post(f"{BOARDS}create", sent).status_code == 422
        sent = {"of": "trees", "name": "few", "id": [row.pk for row in three]}
        assert browse(viewer).post(f"{BOARDS}create", sent).status_code == 422
        assert not Board.unscoped.exists()

    def test_holds_at_most_twenty_charts(self, three, viewer, browse):
        browser = browse(viewer)
        board = save(browser, three)
        Board.unscoped.filter(pk=board.pk).update(charts=[{"kind": "bars"}] * 20)
        assert send(browser, "arrange", board, action="add").status_code == 422


class TestShared:
    def test_everyone_sees_it_and_editors_alone_change_it(self, three, viewer, editor, browse):
        board = save(browse(editor), three)
        assert send(browse(editor), "share", board, shared="1").status_code == 303
        browser = browse(viewer)
        shown = text(browser.get(f"{BOARDS}{board.pk}/"))
        assert "shared in the group" in shown
        for offered in ("Rename board", "Delete board", "Add a chart", "Stop sharing"):
            assert offered not in shown
            assert offered in text(browse(editor).get(f"{BOARDS}{board.pk}/"))
        for verb, fields in (("rename", {"name": "x"}), ("arrange", {"action": "add"}), ("delete", {})):
            assert send(browser, verb, board, **fields).status_code == 403
        assert board.name == "ours" and kinds(board) == ["bars"]

    def test_viewers_do_not_share_theirs(self, three, viewer, browse):
        board = save(browse(viewer), three)
        assert send(browse(viewer), "share", board, shared="1").status_code == 403
        assert "Share in the group" not in text(browse(viewer).get(f"{BOARDS}{board.pk}/"))

    def test_the_second_editor_is_told_and_changes_nothing(self, three, editor, superuser, browse):
        board = save(browse(editor), three)
        send(browse(editor), "share", board, shared="1")
        seen = board.version
        send(browse(superuser), "rename", board, name="theirs")
        for verb, fields in (
            ("rename", {"name": "mine", "board": board.pk}),
            ("arrange", {"action": "add", "board": f"{board.pk} {seen}"}),
            ("share", {"shared": "0", "board": board.pk}),
            ("delete", {"board": board.pk}),
        ):
            response = browse(editor).post(f"{BOARDS}{verb}", fields | {"version": seen})
            assert response.status_code == 409
            assert "Somebody changed this board meanwhile" in text(response)
        board.refresh_from_db()
        assert board.name == "theirs" and kinds(board) == ["bars"]

    def test_a_neighbour_s_board_is_not_found(self, blue, three, neighbour, editor, browse):
        theirs = Board.unscoped.create(
            resource_group=blue, name="secret", kind="executions", is_shared=True, author=neighbour
        )
        browser = browse(editor)
        assert browser.get(f"{BOARDS}{theirs.pk}/").status_code == 404
        assert "secret" not in text(browser.get(BOARDS))
        for verb, fields in (("rename", {"name": "x"}), ("arrange", {"action": "add"}), ("delete", {})):
            assert send(browser, verb, theirs, **fields).status_code == 404


class TestPage:
    def test_what_was_deleted_is_told(self, three, viewer, browse):
        board = save(browse(viewer), three)
        Board.unscoped.filter(pk=board.pk).update(items=["e0123456789abcde", *board.items])
        shown = text(browse(viewer).get(f"{BOARDS}{board.pk}/"))
        assert "1 of what this board compares was deleted." in shown
        assert "longer is best" in shown

    def test_one_chart_alone_and_one_being_edited(self, three, viewer, browse):
        browser = browse(viewer)
        board = save(browser, three)
        send(browser, "arrange", board, action="add", kind="heatmap")
        assert len(re.findall(r'id="place-\d"', text(browser.get(f"{BOARDS}{board.pk}/")))) == 2
        alone = text(browser.get(f"{BOARDS}{board.pk}/?only=1"))
        assert re.findall(r'id="place-(\d)"', alone) == ["1"]
        assert "Save chart" in text(browser.get(f"{BOARDS}{board.pk}/?edit=0"))
        for bad in ("only=9", "only=-1", "edit=%00", "only=" + "9" * 5000):
            assert len(re.findall(r'id="place-\d"', text(browser.get(f"{BOARDS}{board.pk}/?{bad}")))) == 2

    def test_only_a_board_with_parallel_coordinates_may_make_code(self, three, viewer, browse):
        browser = browse(viewer)
        board = save(browser, three)
        assert "unsafe" not in browser.get(f"{BOARDS}{board.pk}/")["Content-Security-Policy"]
        send(browser, "arrange", board, action="add", kind="parallel")
        assert "'unsafe-eval'" in browser.get(f"{BOARDS}{board.pk}/")["Content-Security-Policy"]
        assert "unsafe" not in browser.get(f"{BOARDS}{board.pk}/?only=0")["Content-Security-Policy"]

    def test_rows_that_say_nonsense_still_draw(self, three, viewer, browse):
        board = save(browse(viewer), three)
        strange = [{"kind": 7, "smooth": "much", "metric": None, "x": []}, {}]
        Board.unscoped.filter(pk=board.pk).update(charts=strange)
        assert browse(viewer).get(f"{BOARDS}{board.pk}/").status_code == 200

    def test_costs_the_same_for_two_and_for_ten(self, red, three, viewer, browse):
        browser, counts = browse(viewer), []
        more = [run(red, name=f"more {n}", epochs=str(n), accuracy=[0.1, 0.2]) for n in range(7)]
        for rows in (three[:2], [*three, *more]):
            board = save(browser, rows, kind="curves")
            with CaptureQueriesContext(connection) as queries:
                browser.get(f"{BOARDS}{board.pk}/")
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 14

    def test_the_list_costs_the_same_for_one_and_three(self, three, viewer, browse):
        browser, counts = browse(viewer), []
        for more in (1, 2):
            for _ in range(more):
                save(browser, three)
            with CaptureQueriesContext(connection) as queries:
                browser.get(BOARDS)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 8


def test_the_file_of_a_comparison_holds_all_of_it(three, viewer, browse):
    query = {"id": [row.pk for row in three]}
    response = browse(viewer).get(f"{EXECUTIONS}.csv", query)
    lines = b"".join(response).decode().splitlines()
    assert lines[0] == "Part,Name,base,longer,other"
    assert lines[1] == f",ID,{three[0].pk},{three[1].pk},{three[2].pk}"
    assert "Metrics,accuracy,0.8,0.9,0.7" in lines
    assert "Parameters and inputs,EPOCHS,3,9,3" in lines
    assert not [line for line in lines if ",OWNER," in line]
    everything = b"".join(browse(viewer).get(f"{EXECUTIONS}.csv", query | {"all": "1"})).decode()
    assert "Parameters and inputs,OWNER,Ada,Ada,Ada" in everything


def test_models_are_chosen_in_their_list(red, viewer, browse):
    made = factories.artifact(red, kind="model", name="petal-model")
    shown = browse(viewer).get("/w/north/g/red/models/").content.decode()
    assert f'type="checkbox" name="id" value="{made.pk}"' in shown
    assert 'action="/w/north/g/red/compare/models"' in shown
    factories.artifact(red, name="data")
    assert 'type="checkbox" name="id"' not in browse(viewer).get("/w/north/g/red/datasets/").content.decode()
