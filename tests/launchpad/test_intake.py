"""Bodies are whole before a thread reads them, queries are ASCII, and nobody is waited for for ever."""

import asyncio
import json

import pytest

from launchpad import intake

LIMIT = intake.GATHERED_BYTES


def take(*parts, path="/v2/lm/artifacts", headers=(), query=b"", ends=True):
    """What becomes of a request whose body comes in parts: its scope, parts read from it, and its refusal.

    ends: whether the client sends the end of its body; else it is silent after the parts.
    """
    scope = {"type": "http", "path": path, "headers": list(headers), "query_string": query}
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if ends and coming:
        coming[-1]["more_body"] = False
    sent = []

    async def receive():
        if coming:
            return coming.pop(0)
        if ends:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    async def run():
        request = await intake.take(scope, receive, send)
        if request is None:
            return None, [], sent
        read = [{"body": request.body}] if request.rest is None else [await request.rest()]
        while read[-1].get("more_body", False):
            read.append(await request.rest())
        return request.scope, read, sent

    return asyncio.run(run())


def length(size):
    return [(b"content-length", str(size).encode())]


CHUNKED = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]


def test_a_body_is_gathered_before_anyone_reads_it():
    fitted, read, _ = take(b"ab", b"", b"cd", headers=length(4))
    assert [one["body"] for one in read] == [b"abcd"]
    assert fitted["headers"] == length(4)


def test_a_chunked_body_gets_its_length():
    fitted, read, _ = take(b"ab", b"cd", headers=CHUNKED, path="/w/local/g/red/x")
    assert [one["body"] for one in read] == [b"abcd"]
    assert dict(fitted["headers"]) == {b"content-length": b"4", b"content-type": b"application/json"}


def test_a_chunked_body_that_is_too_large_for_an_api_is_cut_and_told_larger():
    part = b"x" * (LIMIT // 2 + 1)
    fitted, read, _ = take(part, part, part, headers=CHUNKED)
    assert int(dict(fitted["headers"])[b"content-length"]) > LIMIT
    assert len(read) == 1


def test_a_declared_body_that_is_too_large_for_an_api_is_not_waited_for():
    fitted, read, _ = take(b"x", headers=length(LIMIT + 1))
    assert fitted["headers"] == length(LIMIT + 1)
    assert [one["body"] for one in read] == [b"x"]


@pytest.mark.parametrize("path", ["/w/local/g/red/datasets/register", "/v2/lm/dataset/files/default/a.csv"])
def test_an_upload_begins_with_what_was_gathered_and_goes_on(path):
    part = b"x" * (LIMIT // 2 + 1)
    _, read, _ = take(part, part, part, path=path, headers=length(3 * len(part)))
    assert [len(one["body"]) for one in read] == [2 * len(part), len(part)]


def test_a_client_that_left_is_not_answered():
    fitted, _, sent = take(headers=length(4))
    assert (fitted, sent) == (None, [])


def test_a_client_that_falls_silent_is_told(settings):
    settings.BODY_SILENCE_SECONDS = 0.05
    fitted, _, (start, body) = take(b"ab", headers=length(4), ends=False)
    assert fitted is None
    assert start["status"] == 408
    error = json.loads(body["body"])["error"]
    assert (error["code"], "without pauses" in error["message"]) == ("01010408", True)
    assert error["requestId"].encode() == dict(start["headers"])[b"x-request-id"]


def test_without_a_body_nothing_is_waited_for(settings):
    settings.BODY_SILENCE_SECONDS = 0.05
    for headers in ([], length(0), [(b"content-length", b"x")]):
        scope = {"type": "http", "path": "/v2/lm/scenarios", "headers": headers, "query_string": b""}
        assert asyncio.run(intake.take(scope, None, None)) == intake.Request(scope)


def test_a_query_is_ascii():
    fitted, _, _ = take(b"x", headers=length(1), query=b"a=\xc3\xa9&b=%20")
    assert fitted["query_string"] == b"a=%C3%A9&b=%20"


def test_what_all_hold_together_is_bounded(monkeypatch):
    monkeypatch.setattr(intake, "ALL_GATHERED_BYTES", 3)
    _, read, _ = take(b"ab", b"cd", b"ef", headers=length(6))
    assert [one["body"] for one in read] == [b"abcd", b"ef"]


def test_what_was_held_is_given_back():
    take(b"ab", b"cd", headers=length(4))
    take(b"ab", headers=length(4))
    assert intake._held_bytes == 0
