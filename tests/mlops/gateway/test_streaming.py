"""Bodies stream both ways as they come; whoever breaks off in the middle is understood by the other side."""

import hashlib
import threading

import httpx
import pytest

from mlops.models import TrafficBucket
from tests.mlops.gateway import serving
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def row(red, model):
    return serving.deployment(red, model.address)


@pytest.fixture
def headers(red):
    return serving.bearer(red)


def path(row, rest):
    return f"{serving.PREFIX}{row.pk}{rest}"


def counted(row, **columns):
    """Whether the table comes to these sums."""

    def reached():
        rows = TrafficBucket.unscoped.filter(deployment=row)
        return {name: sum(getattr(one, name) for one in rows) for name in columns} == columns

    until(reached)
    return True


def test_the_beginning_of_an_answer_arrives_before_its_end_is_made(connect, model, row, headers):
    client = connect()
    client.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    client.until(b"first\n")
    model.open(row.pk)
    client.until(b"last\n")
    client.until(b"0\r\n\r\n")


@pytest.mark.parametrize("length", [None, 12])
def test_parts_of_a_body_come_back_before_the_rest_is_sent(connect, row, headers, length):
    client = connect()
    client.head("POST", path(row, f"/mirror?word={row.pk}"), headers, length=length)
    for part in (b"one!", b"two!", b"six!"):
        client.send(part) if length else client.chunk(part)
        client.until(part)
    if not length:
        client.chunk(b"")
    client.until(b"0\r\n\r\n")


def test_a_large_body_in_chunks_and_one_with_a_length_arrive_whole(ask, row, headers):
    body = bytes(range(256)) * 20_000
    parts = [body[at : at + 70_001] for at in range(0, len(body), 70_001)]
    for content in (body, iter(parts)):
        told = ask("PUT", row, "/echo", headers=headers, content=content).json()
        assert (told["size"], told["digest"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_body_in_chunks_that_is_at_hand_goes_on_with_its_length(connect, row, headers):
    client = connect()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path(row, '/echo')} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{lines}\r\n"
    client.send(head.encode() + b"3\r\nabc\r\n0\r\n\r\n")
    client.until(b'["content-length", "3"]')


def test_a_large_answer_arrives_whole(ask, row, headers):
    found = ask("GET", row, "/many?bytes=30000000", headers=headers)
    assert (len(found.content), set(found.content[-9:])) == (30_000_000, {ord("x")})


def test_a_server_is_not_read_further_ahead_than_its_client_reads(connect, model, row, headers):
    client = connect()
    client.head("GET", path(row, f"/many?bytes=300000000&word={row.pk}"), headers, length=0)
    client.until(b"\r\n\r\n")
    sent = []

    def stands_still():
        sent.append(len(model.seen(row.pk)))
        return len(sent) > 10 and len(set(sent[-10:])) == 1

    until(stands_still)
    # Sockets' buffers hold some MiB; the answer has 300 MB in 4,578 parts.
    assert sent[-1] < 1_000


def test_a_client_that_asks_first_sends_its_body_when_told_to(connect, row, headers):
    client = connect()
    client.head("POST", path(row, "/echo"), headers | {"Expect": "100-continue"}, length=3)
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    client.send(b"abc")
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert b'"size": 3' in client.until(b'"size": 3')


def test_a_client_that_asks_first_and_is_refused_is_not_told_to_go_on(connect, row):
    client = connect()
    client.head("POST", path(row, "/echo"), {"Expect": "100-continue"}, length=3)
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("silent", ["", "&silent=1"])
def test_a_client_that_leaves_takes_its_request_from_the_server_and_is_counted(
    connect, model, row, headers, silent
):
    client = connect()
    client.head("GET", path(row, f"/hold?word={row.pk}{silent}"), headers, length=0)
    until(lambda: model.seen(row.pk) == ["holding"])
    client.close()
    until(lambda: model.seen(row.pk) == ["holding", "left"])
    assert counted(row, requests=1, ok=0 if silent else 1, failed=1 if silent else 0)


def test_a_client_that_leaves_amid_its_body_takes_its_request_from_the_server(connect, model, row, headers):
    client = connect()
    client.head("POST", path(row, f"/mirror?word={row.pk}"), headers)
    client.chunk(b"one!")
    client.until(b"one!")
    client.close()
    until(lambda: model.seen(row.pk) == ["left"])


def test_an_answer_that_breaks_off_does_not_look_whole(ask, short_lived, red, headers):
    dying = short_lived()
    row = serving.deployment(red, dying.address)
    with pytest.raises(httpx.RemoteProtocolError):
        ask("GET", row, "/die", headers=headers)
    assert counted(row, requests=1, ok=0, failed=1)


def test_an_answer_without_a_length_that_breaks_off_does_not_look_whole(connect, scripted, red, headers):
    def script(made, number):
        serving.read_head(made)
        made.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    row = serving.deployment(red, scripted(script).address)
    client = connect()
    client.head("GET", path(row, "/"), headers, length=0)
    whole = client.rest()
    assert b"3\r\nabc\r\n" in whole
    assert b"0\r\n\r\n" not in whole


def test_requests_on_one_connection_do_not_wait_for_the_end_of_others(connect, model, row, headers):
    held = connect()
    held.head("GET", path(row, f"/hold?word={row.pk}"), headers, length=0)
    held.until(b"first\n")
    client = connect()
    for _ in range(3):
        client.head("GET", path(row, "/text"), headers, length=0)
        client.until(b"\r\n\r\n")
        client.until(b"0\r\n\r\n")
    model.open(row.pk)
    held.until(b"last\n")


def test_many_at_once_get_each_their_own_answer(web, row, headers):
    wrong = []

    def work(number):
        with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:
            for turn in range(30):
                body = f"{number}-{turn}-".encode() * (1 + turn * 97)
                told = client.post(path(row, f"/echo?n={number}"), content=body).json()
                if told["digest"] != hashlib.sha256(body).hexdigest() or told["query"] != f"n={number}":
                    wrong.append((number, turn, told))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 40",
        "Content-Length: 3, 40",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Content-Length: -3",
        "Content-Length: +3",
    ],
)
def test_a_body_with_two_ends_brings_no_second_request_to_the_server(connect, model, row, headers, framing):
    client = connect()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    hidden = f"GET /hidden?word={row.pk}hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    framing += "\r\nConnection: close"
    head = f"POST {path(row, '/echo')} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n{lines}\r\n"
    client.send(head.encode(), f"3\r\nabc\r\n0\r\n\r\n{hidden}".encode())
    answer = client.rest()
    assert b"hidden" not in answer
    assert model.seen(f"{row.pk}hidden") == []


def test_a_body_that_is_encoded_for_the_way_is_not_passed_on_as_if_it_were_not(connect, model, row, headers):
    client = connect()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    framing = "Transfer-Encoding: gzip, chunked\r\nConnection: close"
    head = f"POST {path(row, f'/echo?word={row.pk}encoded')} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n"
    client.send(f"{head}{lines}\r\n".encode(), b"3\r\nabc\r\n0\r\n\r\n")
    assert client.rest().startswith(b"HTTP/1.1 501 ")
    assert model.seen(f"{row.pk}encoded") == []
