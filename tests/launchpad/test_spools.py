"""Long answers are sent from a file: whole, and without a thread that waits for the client."""

import asyncio
import inspect

import pytest
from django.test import RequestFactory

from launchpad import spools
from launchpad.bridge import Bridge
from launchpad.intake import Request

PIECES = [f"{number:07}\n" * 1000 for number in range(100)]
TEXT = "".join(PIECES).encode()


def spooling(environ, start_response):
    """A WSGI application as Django's is: the answer of a view, with its headers."""
    request = RequestFactory().get("/")
    request.META |= {key: environ[key] for key in ("asgi.scope",) if key in environ}
    response = spools.spooled(request, PIECES, content_type="application/json")
    start_response("200 OK", list(response.items()))
    return response


def connection():
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [],
    }


async def there():
    """What a client that stays says: nothing more."""
    await asyncio.Event().wait()


async def answer(scope, send):
    await Bridge(spooling, workers=1)(Request(scope), spools.sender(scope, there, send))


def test_the_whole_text_is_sent_in_pieces():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(answer(connection(), send))
    start, *body = sent
    headers = dict(start["headers"])
    assert headers[b"content-length"] == str(len(TEXT)).encode()
    assert headers[b"content-type"] == b"application/json"
    assert b"".join(message["body"] for message in body) == TEXT
    assert [message.get("more_body", False) for message in body] == [True] * (len(body) - 1) + [False]
    assert max(len(message["body"]) for message in body) <= 256 * 1024


def test_a_slow_client_holds_no_thread():
    """The first answer waits in the middle; the only thread makes the second meanwhile."""

    async def both():
        bridge = Bridge(spooling, workers=1)
        waiting, go_on = asyncio.Event(), asyncio.Event()
        received = []

        async def slow(message):
            received.append(message)
            if len(received) == 2:
                waiting.set()
                await go_on.wait()

        quick = []

        async def send(message):
            quick.append(message)

        scopes = [connection(), connection()]
        first = asyncio.create_task(bridge(Request(scopes[0]), spools.sender(scopes[0], there, slow)))
        await waiting.wait()
        await bridge(Request(scopes[1]), spools.sender(scopes[1], there, send))
        go_on.set()
        await first
        return received, quick

    for messages in asyncio.run(both()):
        assert b"".join(message.get("body", b"") for message in messages) == TEXT


def test_the_file_is_closed_whatever_happens():
    scope = connection()

    async def broken(message):
        if message["type"] == "http.response.body":
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(answer(scope, broken))
    assert inspect.getgeneratorstate(scope["launchpad.spool"]) == inspect.GEN_CLOSED


def test_other_answers_pass_as_they_are():
    sent = []

    async def send(message):
        sent.append(message)

    async def pass_on():
        sending = spools.sender(connection(), there, send)
        await sending({"type": "http.response.start", "status": 204, "headers": []})
        await sending({"type": "http.response.body", "body": b"x"})

    asyncio.run(pass_on())
    assert [message.get("body") for message in sent] == [None, b"x"]


@pytest.mark.django_db
def test_without_such_a_server_it_is_an_ordinary_file():
    response = spools.spooled(RequestFactory().get("/"), PIECES, content_type="application/json")
    assert b"".join(response.streaming_content) == TEXT
    response.close()


def test_a_failure_while_it_is_made_leaves_nothing(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path

    def pieces():
        yield "begun"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        spools.spooled(RequestFactory().get("/"), pieces(), content_type="application/json")
    assert list(tmp_path.iterdir()) == []
