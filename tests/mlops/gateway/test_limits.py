"""How much, how long, how many: what the gateway refuses by itself, and what the server hears of it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mlops.models import TrafficBucket
from tests.mlops.gateway import serving
from tests.mlops.gateway.raw import Raw
from tests.mlops.serving import Server
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def strict(django_db_setup, tmp_path_factory):
    """A web server with narrow limits of its own."""
    narrow = {"GATEWAY_BODY_MIB": "1", "GATEWAY_WAIT_SECONDS": "0.3", "BODY_SILENCE_SECONDS": "0.3"}
    server = Server(tmp_path_factory.mktemp("strict"), **narrow)
    yield server
    server.close()


@pytest.fixture
def rated(transactional_db, tmp_path):
    """A web server that passes on five requests a second."""
    server = Server(tmp_path, GATEWAY_REQUESTS_PER_SECOND="5")
    yield server
    server.close()


def path(row, rest=""):
    return f"{serving.PREFIX}{row.pk}{rest}"


def message(head, client):
    """What the envelope after a head says."""
    return client.rest() if b"connection: close" in head else client.until(b"}}")


def test_a_body_that_says_it_is_too_large_is_refused_unread(strict, red, model):
    row = serving.deployment(red, model.address)
    client = Raw(strict.port)
    client.head("POST", path(row, f"/mirror?word={row.pk}"), serving.bearer(red), length=MIB + 1)
    head = client.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"at most 1 MiB" in message(head, client)
    client.close()
    assert not TrafficBucket.unscoped.filter(deployment=row).exists()


def test_a_body_that_grows_too_large_is_cut_and_the_server_is_let_go(strict, red, model, scripted):
    met = []

    def script(made, number):
        met.append(serving.read_head(made))
        while made.recv(65536):
            met.append("more")
        met.append("end")

    row = serving.deployment(red, scripted(script).address)
    client = Raw(strict.port)
    client.head("POST", path(row), serving.bearer(red))
    for _ in range(17):
        client.chunk(b"x" * 65536)
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    until(lambda: "end" in met)
    client.close()


def test_a_body_of_just_that_size_passes(strict, red, model):
    row = serving.deployment(red, model.address)
    body = b"x" * MIB
    with httpx.Client(base_url=strict.url, headers=serving.bearer(red), timeout=120) as client:
        assert client.post(path(row, "/echo"), content=body).json()["size"] == MIB
        assert client.post(path(row, "/echo"), content=iter([body])).json()["size"] == MIB


def test_a_client_that_falls_silent_amid_its_body_is_told_so(strict, red, model):
    row = serving.deployment(red, model.address)
    for parts in ([], [b"one!"]):
        client = Raw(strict.port)
        client.head("POST", path(row, f"/echo?word={row.pk}"), serving.bearer(red))
        for part in parts:
            client.chunk(part)
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 408 ")
        client.close()


def test_a_server_that_is_silent_for_too_long_is_not_waited_for(ask, red, model):
    row = serving.deployment(red, model.address, seconds=1)
    found = ask("GET", row, f"/hold?word={row.pk}&silent=1", headers=serving.bearer(red))
    assert found.status_code == 504
    assert "silent for 1 s" in found.json()["error"]["message"]
    until(lambda: model.seen(row.pk) == ["holding", "left"])


def test_an_answer_that_stops_for_too_long_is_cut(ask, red, model):
    row = serving.deployment(red, model.address, seconds=1)
    with pytest.raises(httpx.RemoteProtocolError):
        ask("GET", row, f"/hold?word={row.pk}", headers=serving.bearer(red))
    until(lambda: model.seen(row.pk) == ["holding", "left"])


def test_what_finds_no_place_in_time_is_sent_away_with_a_hint(strict, red, model):
    row = serving.deployment(red, model.address, at_once=1)
    headers = serving.bearer(red)
    holding = Raw(strict.port)
    holding.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    holding.until(b"first\n")
    with httpx.Client(base_url=strict.url, headers=headers, timeout=120) as client:
        found = client.post(path(row), content=b"body")
        assert (found.status_code, found.headers["retry-after"]) == (429, "1")
        assert "are busy" in found.json()["error"]["message"]
        model.open(row.pk)
        holding.until(b"last\n")
        assert client.post(path(row), content=b"body").status_code == 200
    holding.close()


def test_who_waits_for_a_place_gets_it_in_turn_and_with_its_body(connect, web, red, model):
    row = serving.deployment(red, model.address, at_once=1)
    headers = serving.bearer(red)
    holding = connect()
    holding.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    holding.until(b"first\n")
    sizes = []

    def work(size):
        with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:
            sizes.append((size, client.post(path(row), content=b"x" * size).json()["size"]))

    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 1000, 300_000)]
    for thread in threads:
        thread.start()
    until(lambda: any(one.busy >= 4 for one in TrafficBucket.unscoped.filter(deployment=row)))
    model.open(row.pk)
    for thread in threads:
        thread.join(120)
    assert sorted(sizes) == [(1, 1), (1000, 1000), (300_000, 300_000)]


def test_who_leaves_while_waiting_takes_no_place(connect, ask, red, model):
    row = serving.deployment(red, model.address, at_once=1)
    headers = serving.bearer(red)
    holding = connect()
    holding.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    holding.until(b"first\n")
    leaving = connect()
    leaving.head("GET", path(row, f"/hold?word=other-{row.pk}"), headers, length=0)
    until(lambda: any(one.busy >= 2 for one in TrafficBucket.unscoped.filter(deployment=row)))
    leaving.close()
    model.open(row.pk)
    holding.until(b"last\n")
    assert ask("GET", row, headers=headers).status_code == 200
    assert model.seen(f"other-{row.pk}") == []


def test_places_are_those_of_all_ready_servers(connect, red, model, short_lived):
    second = short_lived()
    row = serving.deployment(red, model.address, second.address, at_once=1)
    headers = serving.bearer(red)
    holding = [connect(), connect()]
    for client in holding:
        client.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
        client.until(b"first\n")
    assert [one.seen(row.pk) for one in (model, second)] == [["holding"], ["holding"]]
    for one in (model, second):
        one.open(row.pk)


def test_requests_beyond_the_rate_are_refused_until_there_is_room_again(rated, red, model):
    row = serving.deployment(red, model.address)
    with httpx.Client(base_url=rated.url, headers=serving.bearer(red), timeout=120) as client:
        # At once, as one after the other they may be slower than the rate by themselves.
        with ThreadPoolExecutor(60) as pool:
            codes = list(pool.map(lambda _: client.get(path(row)).status_code, range(60)))
        assert set(codes) == {200, 429}
        assert codes.count(200) >= 5
        found = until(lambda: client.get(path(row)).status_code == 200)
        assert found
