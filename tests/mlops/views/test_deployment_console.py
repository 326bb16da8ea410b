"""The console on a deployment's page: the form, the editor, the answer, with and without script."""

import io
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from launchpad.audit.models import AuditEvent
from mlops.domain import trials
from mlops.models import Replica, Trial
from tests.mlops import trying
from tests.mlops.views.pages import body

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LIST = "/w/north/g/red/deployments/"
ANSWER = {"hx-request": "true", "hx-target": "trial-answer"}
RING = " ".join(["0"] * 64)


@pytest.fixture
def deployment(red):
    """A deployment of digits whose server answers."""
    made = trying.served(trying.configuration(red))
    with trying.answering(trying.digits) as address:
        trying.answer_at(made, address)
        yield made


@pytest.fixture
def browser(viewer, browse):
    """A viewer's: whoever may see a deployment may try it."""
    return browse(viewer)


def send(browser, deployment, *, status=200, fragment=False, **data):
    url = f"{LIST}{deployment.pk}/trials/send"
    return body(browser.post(url, data, headers=ANSWER if fragment else {}), status)


def test_a_form_is_sent_and_its_answer_read_without_script(deployment, browser):
    shown = send(browser, deployment, mode="form", values=RING, top="16")
    assert "<h1>digits-serve</h1>" in shown
    assert re.search(r"<b [^>]*>0</b><progress value=\"93.00\" max=\"100\"", shown)
    assert "93.0%" in shown and "200 in" in shown and "answered by revision 1" in shown
    # What was filled in stays, and links lead from the page itself.
    assert f">{RING}</textarea>" in shown
    assert f'href="{LIST}{deployment.pk}/?tab=logs"' in shown and 'href="?' not in shown
    trial = Trial.unscoped.get()
    assert (trial.user.username, trial.method, trial.path, trial.status) == (
        "viewer",
        "POST",
        "/v1/predict",
        200,
    )


def test_with_script_only_the_answer_comes(deployment, browser):
    shown = send(browser, deployment, fragment=True, mode="form", values=RING)
    assert shown.lstrip().startswith('<div class="stack snug" id="trial-answer"')
    assert "<html" not in shown and "Send request" not in shown
    assert "&quot;predictions&quot;" in shown and "Your last calls (1)" in shown


def test_a_picture_is_brought_to_the_size_of_the_model(deployment, browser):
    file = io.BytesIO()
    Image.new("L", (30, 30), 255).save(file, "PNG")
    file.seek(0)
    file.name = "white.png"
    shown = send(browser, deployment, fragment=True, mode="form", picture=file, top="16")
    assert "77.0%" in shown
    assert json.loads(Trial.unscoped.get().request) == {"rows": [[16] * 64]}


def test_what_is_filled_in_wrongly_is_told_beside_it_and_not_sent(deployment, browser):
    shown = send(browser, deployment, status=422, mode="form", values="1 2")
    assert shown.count("Row 1 has 2 values, it needs 64.") == 1 or "Row 1 has 2 values" in shown
    assert ">1 2</textarea>" in shown
    fragment = send(browser, deployment, status=422, fragment=True, mode="form", values="")
    assert "Choose a picture, or write its values." in fragment
    assert not Trial.unscoped.exists()


def test_the_editor_sends_any_call(deployment, browser):
    call = {"mode": "json", "method": "GET", "path": "/nowhere", "body": ""}
    shown = send(browser, deployment, fragment=True, **call)
    assert "404 in" in shown and "The server says: There is nothing at this address." in shown
    for wrong, says in (
        ({"body": '{"a": }'}, "This is no JSON: Expecting value: line 1 column 7"),
        ({"body": "[" * 100_000}, "nested too deeply"),
        ({"path": "nowhere"}, "A path begins with /"),
        ({"method": "TRACE"}, "One of POST, GET"),
    ):
        assert says in send(browser, deployment, status=422, fragment=True, **call | wrong)
    assert Trial.unscoped.count() == 1


def test_an_answer_is_text_whatever_it_holds(red, browser):
    made = trying.served(trying.configuration(red))
    with trying.answering(lambda *call: (200, b"<script>alert(1)</script>")) as address:
        trying.answer_at(made, address)
        shown = send(browser, made, fragment=True, mode="json", method="POST", path="/x", body="{}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and "<script>alert" not in shown


def test_a_sample_and_an_own_call_fill_the_form(deployment, browser):
    page = f"{LIST}{deployment.pk}/"
    sample = body(browser.get(f"{page}?sample=1", headers={"hx-request": "true", "hx-target": "trial-form"}))
    assert sample.lstrip().startswith('<form class="stack snug" id="trial-form"')
    assert "16 16 16" in sample
    send(browser, deployment, mode="json", method="POST", path="/v1/predict", body='{"rows": [[7]]}')
    trial = Trial.unscoped.get()
    shown = body(browser.get(f"{page}?trial={trial.pk}"))
    assert "[[7]]" in shown and 'value="json" id="trial-mode-json" checked' in shown
    assert "The server says: pixels has 1 values, not 64." in shown
    again = send(browser, deployment, fragment=True, trial=trial.pk)
    assert "400 in" in again and Trial.unscoped.count() == 2


def test_nobody_sees_or_repeats_the_calls_of_others(deployment, browser, editor, browse):
    send(browse(editor), deployment, mode="json", method="POST", path="/secret", body="{}")
    trial = Trial.unscoped.get()
    page = f"{LIST}{deployment.pk}/"
    assert "/secret" not in body(browser.get(page))
    assert browser.get(f"{page}?trial={trial.pk}").status_code == 404
    assert browser.post(f"{page}trials/send", {"trial": trial.pk}).status_code == 404


def test_without_a_ready_server_the_page_says_so(deployment, browser):
    assert "The answer appears here." in body(browser.get(f"{LIST}{deployment.pk}/"))
    Replica.unscoped.update(is_ready=False)
    assert "No server is ready now" in body(browser.get(f"{LIST}{deployment.pk}/"))
    shown = send(browser, deployment, fragment=True, mode="form", values=RING)
    assert "No server is ready: nothing was sent." in shown
    assert "no answer" in shown


def test_a_crowd_is_asked_to_come_again_and_nothing_is_kept_of_it(deployment, browser):
    for _ in range(trials.AT_ONCE):
        trials._room.acquire()
    try:
        assert trials.BUSY in send(browser, deployment, fragment=True, mode="form", values=RING)
    finally:
        for _ in range(trials.AT_ONCE):
            trials._room.release()
    assert not Trial.unscoped.exists()


def test_a_trial_leaves_no_audit_event(deployment, browser):
    before = AuditEvent.unscoped.count()
    send(browser, deployment, mode="form", values=RING)
    assert AuditEvent.unscoped.count() == before


def test_nothing_waits_for_a_server_inside_a_transaction(red, browser):
    made = trying.served(trying.configuration(red))
    with trying.answering(trying.digits) as address:
        trying.answer_at(made, address)
        with CaptureQueriesContext(connection) as captured:
            send(browser, made, fragment=True, mode="form", values=RING)
    statements = [query["sql"].split(" ")[0] for query in captured]
    # The one block is that of the command which keeps the call.
    assert statements.count("SAVEPOINT") == 1
    inserted = next(at for at, query in enumerate(captured) if "INSERT INTO" in query["sql"])
    assert statements.index("SAVEPOINT") == inserted - 1


def test_a_server_of_launchpads_own_says_what_it_takes_when_nothing_else_does(red, browser):
    told = {"inputs": [{"name": "X", "datatype": "FP64", "shape": [-1, 2], "features": ["length", "width"]}]}
    asked = []

    def respond(method, path, _body):
        asked.append((method, path))
        return 200, told if path == "/v1/signature" else {"predictions": ["rose"]}

    made = trying.served(trying.configuration(red, served="sklearn", inputs=(), executable="sk-serve"))
    with trying.answering(respond) as address:
        trying.answer_at(made, address)
        page = f"{LIST}{made.pk}/"
        plain = body(browser.get(page))
        assert "Make a form of what the server says it takes" in plain and asked == []
        form = body(browser.get(f"{page}?ask=1", headers={"hx-request": "true", "hx-target": "trial-form"}))
        assert ">length</label>" in form and 'name="ask" value="1"' in form
        answer = {"ask": "1", "mode": "form", "value-0": "1", "value-1": "2.5"}
        assert "rose" in send(browser, made, fragment=True, **answer)
    assert asked == [("GET", "/v1/signature")] * 2 + [("POST", "/v1/predict")]
    assert Trial.unscoped.get().request == '{"rows": [{"length": 1, "width": 2.5}]}'
