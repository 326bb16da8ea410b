"""Trials: what is sent, what comes back, what goes wrong, and whose they are."""

import socket
import threading

import pytest

from launchpad.access import Role, open_scope
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.grants import grant
from mlops.domain import trials
from mlops.domain.trials import Call
from mlops.models import Replica, Trial
from tests.mlops import trying

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def deployment(red):
    """One that serves nowhere yet."""
    return trying.served(trying.configuration(red))


@pytest.fixture
def scope(viewer):
    """A viewer's."""
    return open_scope(viewer, "north", "red")


def post(body="{}", path="/v1/predict"):
    return Call("POST", path, body)


def test_the_call_arrives_as_it_was_written_and_the_answer_comes_back(scope, deployment):
    seen = []

    def respond(*call):
        seen.append(call)
        return 418, {"error": "short and stout"}

    with trying.answering(respond) as address:
        trying.answer_at(deployment, address)
        answer = trials.send(scope, deployment, Call("PUT", "/v9/tea?cups=2", '{"ü": 1}'))
    assert seen == [("PUT", "/v9/tea?cups=2", '{"ü": 1}'.encode())]
    assert (answer.status, answer.text, answer.problem) == (418, '{"error": "short and stout"}', "")
    assert answer.revision == 1 and answer.milliseconds > 0
    assert answer.content_type == "application/json"


def test_no_more_than_a_mebibyte_of_an_answer_is_read(scope, deployment):
    with trying.answering(lambda *call: (200, b"x" * (trials.ANSWER_LIMIT + 5))) as address:
        trying.answer_at(deployment, address)
        answer = trials.send(scope, deployment, post())
    assert (len(answer.body), answer.is_cut) == (trials.ANSWER_LIMIT, True)


def test_a_redirect_is_an_answer_and_not_followed(scope, deployment):
    with trying.answering(lambda *call: (302, {})) as address:
        trying.answer_at(deployment, address)
        assert trials.send(scope, deployment, post()).status == 302


@pytest.mark.parametrize("change", [{"is_ready": False}, {"address": ""}, {"status": "STOPPING"}])
def test_only_a_ready_server_is_asked(scope, deployment, change):
    Replica.unscoped.filter(deployment=deployment).update(**change)
    answer = trials.send(scope, deployment, post())
    assert answer.problem.startswith("No server is ready") and answer.status is None


def test_what_goes_wrong_is_said_in_a_sentence(scope, deployment):
    assert "does not accept connections" in trials.send(scope, deployment, post()).problem
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"
    said_by = {b"": "hung up", b"SSH-2.0\r\n": "no HTTP", short: "hung up", chunk: "hung up"}
    for said, problem in said_by.items():
        with raw(said) as address:
            trying.answer_at(deployment, address)
            assert problem in trials.send(scope, deployment, post()).problem


def test_a_server_that_sends_a_byte_now_and_then_is_left(scope, deployment, monkeypatch):
    monkeypatch.setattr(trials, "SECONDS", 0.5)
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with raw(head, drip=True) as address:
        trying.answer_at(deployment, address)
        # It would drip for ever.
        answer = trials.send(scope, deployment, post())
    assert "did not answer within 0.5 s" in answer.problem


def test_the_fifth_at_once_is_told_to_come_again(scope, deployment):
    held = [trials._room.acquire(blocking=False) for _ in range(trials.AT_ONCE)]
    try:
        assert held == [True] * 4
        assert trials.send(scope, deployment, post()).problem == trials.BUSY
    finally:
        for _ in held:
            trials._room.release()
    assert trials.send(scope, deployment, post()).problem != trials.BUSY


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (Call("TRACE", "/", ""), "method"),
        (Call("POST", "v1/predict", ""), "path"),
        (Call("POST", "/a b", ""), "path"),
        (Call("POST", "/\r\nHost: elsewhere", ""), "path"),
        (Call("POST", "/" + "a" * 1024, ""), "path"),
        (Call("POST", "/", "ü" * 600_000), "body"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_field(scope, deployment, call, field):
    with pytest.raises(Invalid) as refused:
        trials.send(scope, deployment, call)
    assert list(refused.value.fields) == [field]


def test_each_person_keeps_the_last_twenty_of_their_own(red, viewer, scope, deployment, editor):
    other = open_scope(editor, "north", "red")
    trials.record(other, deployment, post('{"mine": 0}'), trials.Answer(status=200, revision=1))
    for number in range(trials.KEPT + 3):
        trials.record(scope, deployment, post(str(number)), trials.Answer("It was late."))
    assert [row.request for row in trials.recent(scope, deployment)] == [str(n) for n in range(22, 2, -1)]
    assert trials.recent(scope, deployment)[0].response == "It was late."
    (theirs,) = trials.recent(other, deployment)
    with pytest.raises(NotFound):
        trials.get(scope, deployment, str(theirs.pk))
    with pytest.raises(NotFound):
        trials.get(scope, deployment, "-1")
    assert Trial.unscoped.count() == trials.KEPT + 1


def test_the_beginning_of_long_texts_is_kept(scope, deployment):
    long = trials.Answer(status=200, body=b"\x00" + b"y" * trials.ANSWER_LIMIT)
    row = trials.record(scope, deployment, post("x" * 100_000), long)
    row.refresh_from_db()
    assert len(row.request) == len(row.response) == trials.KEPT_CHARACTERS
    assert row.response[0] == "\ufffd"


def test_who_only_passed_the_gate_sends_nothing(red, workspace, manager, deployment):
    grant(Role.VIEWER, manager, red)
    scope = open_scope(manager, "north", "red")
    assert trials.send(scope, deployment, post()).status is None
    gate = open_scope(manager, "north")
    with pytest.raises(Forbidden):
        trials.send(gate, deployment, post())


class raw:
    """A server that reads a little and says these bytes; with `drip` it goes on with a byte now and then."""

    def __init__(self, said, *, drip=False):
        self._said, self._drip = said, drip

    def __enter__(self):
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self):
        client, _ = self._socket.accept()
        with client:
            client.recv(65536)
            client.sendall(self._said)
            while self._drip and not self._over.wait(0.05):
                try:
                    client.sendall(b".")
                except OSError:
                    return

    def __exit__(self, *_error):
        self._over.set()
        self._thread.join(120)
        self._socket.close()
