"""Servers that die, hang up, move or say odd things: what clients see of it, and what they do not."""

import threading
import time

import httpx
import pytest

from launchpad.access import system_scope
from mlops.domain import deployments, replicas
from mlops.lifecycle import Status
from mlops.models import Deployment, Replica
from tests.mlops.gateway import serving
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Crowd:
    """Clients that ask without a pause until `end`. answers: (status, word of the server) of each request."""

    def __init__(self, url, path, headers, clients=6):
        self.answers = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(url, path, headers)) for _ in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, url, path, headers):
        with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
            while not self._ended.is_set():
                try:
                    found = client.post(path, content=b"x" * 2000)
                    word = found.json().get("server", "") if found.status_code == 200 else found.text
                    self.answers.append((found.status_code, word))
                except httpx.TransportError as error:
                    self.answers.append((0, repr(error)))

    def until(self, condition):
        """Wait until the answers are such."""
        until(lambda: condition(list(self.answers)))

    def end(self):
        """Stop asking; the answers that were none."""
        self._ended.set()
        for thread in self._threads:
            thread.join(120)
        return [answer for answer in self.answers if answer[0] != 200]


def path(row, rest="/"):
    return f"{serving.PREFIX}{row.pk}{rest}"


def words(answers):
    return {word for status, word in answers if status == 200}


def test_requests_go_to_the_server_with_the_fewest_and_in_turn_among_equals(ask, red, short_lived):
    servers = {word: short_lived(word) for word in ("a", "b")}
    row = serving.deployment(red, *(server.address for server in servers.values()))
    headers = serving.bearer(red)
    got = [ask("GET", row, headers=headers).json()["server"] for _ in range(10)]
    assert got in (["a", "b"] * 5, ["b", "a"] * 5)


def test_a_busy_server_is_passed_over(ask, connect, red, short_lived):
    servers = {word: short_lived(word) for word in ("a", "b")}
    row = serving.deployment(red, *(server.address for server in servers.values()))
    headers = serving.bearer(red)
    holding = connect()
    holding.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    holding.until(b"first\n")
    (busy,) = (word for word, server in servers.items() if server.seen(row.pk))
    got = {ask("GET", row, headers=headers).json()["server"] for _ in range(10)}
    assert got == {"a", "b"} - {busy}
    servers[busy].open(row.pk)


def test_a_server_killed_under_load_costs_no_more_than_the_requests_it_held(web, red, short_lived):
    lives, dies = short_lived("lives"), short_lived("dies")
    row = serving.deployment(red, lives.address, dies.address)
    crowd = Crowd(web.url, path(row), serving.bearer(red))
    crowd.until(lambda answers: words(answers) == {"lives", "dies"})
    dies.kill()
    before = len(crowd.answers)
    crowd.until(lambda answers: len(answers) > before + 200)
    lost = crowd.end()
    # Each client has one request at a time, and no more than that was with the server that died.
    assert len(lost) <= 6
    assert {status for status, _ in lost} <= {0, 502}


def test_one_server_that_is_gone_is_said_to_be_unreachable_and_comes_back(ask, red, short_lived):
    model = short_lived()
    row = serving.deployment(red, model.address)
    headers = serving.bearer(red)
    assert ask("GET", row, headers=headers).status_code == 200
    model.kill()
    found = ask("GET", row, headers=headers)
    assert found.status_code == 503
    assert "No server of this deployment can be reached" in found.json()["error"]["message"]
    model.start()
    until(lambda: ask("GET", row, headers=headers).status_code == 200)


def test_an_update_under_load_costs_nothing(web, red, short_lived):
    old, new = short_lived("old"), short_lived("new")
    row = serving.deployment(red, old.address)
    crowd = Crowd(web.url, path(row), serving.bearer(red))
    crowd.until(lambda answers: words(answers) == {"old"})
    bound = serving.configuration(red, word="new")
    deployments.update(system_scope(red), row.pk, configuration=bound.pk)
    serving.get_ready(row, new.address)
    crowd.until(lambda answers: "new" in words(answers))
    # All that begins after the take-over is half a second old goes to the new one.
    began = time.monotonic()
    crowd.until(lambda answers: words(answers[-50:]) == {"new"} and time.monotonic() > began)
    old.kill()
    before = len(crowd.answers)
    crowd.until(lambda answers: len(answers) > before + 100)
    assert crowd.end() == []


def test_a_server_that_drains_or_is_not_ready_gets_no_new_requests(ask, red, short_lived):
    first, second = short_lived("first"), short_lived("second")
    row = serving.deployment(red, first.address, second.address)
    headers = serving.bearer(red)

    def answering():
        return {ask("GET", row, headers=headers).json()["server"] for _ in range(6)}

    assert answering() == {"first", "second"}
    Replica.unscoped.filter(address=first.address).update(draining_at=serving.timezone.now())
    until(lambda: answering() == {"second"})
    Replica.unscoped.filter(address=first.address).update(draining_at=None)
    until(lambda: answering() == {"first", "second"})
    replica = Replica.unscoped.get(address=second.address)
    replicas.tell_unready(replica, replica.attempt, message="It does not answer.")
    until(lambda: answering() == {"first"})


def test_a_deployment_that_is_stopped_answers_no_more_within_a_second(ask, red, model):
    row = serving.deployment(red, model.address)
    headers = serving.bearer(red)
    assert ask("GET", row, headers=headers).status_code == 200
    deployments.stop(system_scope(red), row.pk)
    until(lambda: ask("GET", row, headers=headers).status_code == 404)
    assert Deployment.unscoped.get(pk=row.pk).status == Status.STOPPING


def test_what_a_kept_connection_lost_is_sent_again_once_on_a_fresh_one(ask, red, scripted):
    got = []

    def script(made, number):
        got.append(serving.read_request(made))
        made.sendall(OK)
        if number == 0:
            # The second request on it is read, and never answered.
            got.append(serving.read_request(made))

    row = serving.deployment(red, scripted(script).address)
    headers = serving.bearer(red)
    for body in (b"first", b"second"):
        found = ask("POST", row, headers=headers, content=body)
        assert (found.status_code, found.content) == (200, b"ok")
    assert got == [b"first", b"second", b"second"]


def test_a_large_body_is_not_sent_again(ask, red, scripted):
    got = []

    def script(made, number):
        got.append(len(serving.read_request(made)))
        made.sendall(OK)
        if number == 0:
            got.append(len(serving.read_request(made)))

    row = serving.deployment(red, scripted(script).address)
    headers = serving.bearer(red)
    assert ask("POST", row, headers=headers, content=b"x").status_code == 200
    found = ask("POST", row, headers=headers, content=b"x" * (1024 * 1024 + 1))
    assert found.status_code == 502
    assert got == [1, 1024 * 1024 + 1]


def test_a_fresh_connection_that_breaks_is_no_reason_to_ask_twice(ask, red, scripted):
    got = []

    def script(made, number):
        got.append(serving.read_request(made))

    row = serving.deployment(red, scripted(script).address)
    found = ask("POST", row, headers=serving.bearer(red), content=b"once")
    assert found.status_code == 502
    assert "gave no answer. The server hung up." in found.json()["error"]["message"]
    assert got == [b"once"]


def test_a_connection_that_was_closed_while_idle_costs_nothing(ask, red, scripted):
    closed = threading.Event()

    def script(made, number):
        serving.read_request(made)
        made.sendall(OK)
        if number == 0:
            made.close()
            closed.set()
        else:
            serving.read_request(made)

    server = scripted(script)
    row = serving.deployment(red, server.address)
    headers = serving.bearer(red)
    assert ask("GET", row, headers=headers).content == b"ok"
    assert closed.wait(120)
    assert ask("GET", row, headers=headers).content == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200",
        b"",
    ],
)
def test_what_is_no_answer_is_told_as_such(ask, red, scripted, said):
    def script(made, number):
        serving.read_request(made)
        made.sendall(said)

    row = serving.deployment(red, scripted(script).address)
    found = ask("GET", row, headers=serving.bearer(red))
    assert found.status_code == 502
    assert found.json()["error"]["code"] == "01010502"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", b"abc"),
    ],
)
def test_answers_that_are_framed_in_every_way_arrive_whole(ask, red, scripted, said, body):
    def script(made, number):
        serving.read_request(made)
        made.sendall(said)

    row = serving.deployment(red, scripted(script).address)
    headers = serving.bearer(red)
    for _ in range(2):
        found = ask("GET", row, headers=headers)
        assert (found.status_code, found.content) == (200, body)
        assert "link" not in found.headers


def test_bytes_after_an_answer_are_nobodys(ask, red, scripted):
    def script(made, number):
        serving.read_request(made)
        made.sendall(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        serving.read_request(made)

    server = scripted(script)
    row = serving.deployment(red, server.address)
    headers = serving.bearer(red)
    assert [ask("GET", row, headers=headers).content for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 3


def test_an_answer_before_the_end_of_the_body_is_passed_on(connect, red, scripted):
    def script(made, number):
        serving.read_head(made)
        made.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")

    row = serving.deployment(red, scripted(script).address)
    client = connect()
    client.head("POST", path(row), serving.bearer(red))
    client.chunk(b"one!")
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    client.until(b"big")
