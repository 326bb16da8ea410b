"""A share of requests and answers is kept where an editor says so: texts, in bounds, without secrets."""

import asyncio
import gzip
import random

import pytest

from launchpad.access import system_scope
from launchpad.accounts.models import ServiceKey
from mlops.domain import deployments, predictions
from mlops.gateway.predictions import Log
from mlops.gateway.requests import PREFIX, Request
from mlops.models import Prediction
from tests.mlops.gateway import serving
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
LIMIT = predictions.BODY_BYTES


@pytest.fixture
def row(red, model):
    made = serving.deployment(red, model.address)
    return deployments.keep_predictions(system_scope(red), made.pk, keeps=True)


@pytest.fixture
def headers(red):
    return serving.bearer(red)


@pytest.fixture
def kept(red, row):
    """`kept(count)`: so many copies, newest first, once there are as many."""

    def found(count):
        rows = predictions.newest(system_scope(red), row)
        until(lambda: rows.count() == count)
        return list(rows.all())

    return found


def test_a_request_and_its_answer_are_kept_with_who_asked(ask, row, headers, kept):
    assert ask(
        "POST", row, "/text?type=application/json&key=s3cret", headers=headers, json={"a": [1]}
    ).is_success
    (one,) = kept(1)
    assert (one.method, one.path, one.status, one.revision) == ("POST", "/text", 200, 1)
    assert (one.request, one.response) == ('{"a":[1]}', '{"a":[1]}')
    assert (one.is_cut, one.milliseconds > 0) == (False, True)
    assert one.caller == ServiceKey.unscoped.get().account.username


def test_no_secret_of_a_request_is_kept(ask, red, row, headers, kept):
    sent = headers | {"Cookie": "sessionid=s3cret", "X-Api-Key": "s3cret"}
    ask(
        "POST",
        row,
        "/text?api_key=s3cret",
        headers=sent,
        content=b"plain",
    )
    (one,) = kept(1)
    told = repr([getattr(one, field.attname) for field in Prediction._meta.concrete_fields])
    assert "s3cret" not in told
    assert headers["Authorization"].removeprefix("Bearer ") not in told


def test_bodies_are_kept_as_far_as_the_limit_and_said_to_be_cut(ask, row, headers, kept):
    text = headers | {"Content-Type": "text/plain"}
    for size in (LIMIT, LIMIT + 1, 300_000):
        assert len(ask("POST", row, "/text", headers=text, content=b"a" * size).content) == size
    cut = {one.is_cut for one in kept(3)[:2]}
    last = kept(3)[-1]
    assert cut == {True}
    assert (last.is_cut, len(last.request), len(last.response)) == (False, LIMIT, LIMIT)
    assert all(len(one.request) == LIMIT for one in kept(3))


def test_bodies_that_are_no_text_are_not_kept(ask, row, headers, kept):
    image = headers | {"Content-Type": "image/png"}
    packed = headers | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    ask("POST", row, "/text?type=image/png", headers=image, content=b"\x89PNG")
    ask("POST", row, "/text?type=image/png", headers=packed, content=gzip.compress(b"{}"))
    assert [(one.request, one.response) for one in kept(2)] == [("", "")] * 2


def test_odd_bytes_are_kept_as_text_that_every_database_holds(ask, row, headers, kept):
    text = headers | {"Content-Type": "text/plain"}
    ask("POST", row, "/text", headers=text, content="å\0b".encode() + b"\xff")
    assert kept(1)[0].request == "åb\ufffd"


def test_a_share_of_all_is_kept_and_a_full_queue_drops_the_rest():
    request = Request({"method": "GET", "raw_path": PREFIX + b"d1/", "query_string": b"", "headers": []})

    async def keep():
        log = Log()
        random.seed(7)
        copies = [log.copy(request, share=30, revision=1, caller="ada") for _ in range(2_000)]
        for copy in filter(None, copies * 2):
            log.add(copy.kept(200, 0.1))
        return sum(copy is not None for copy in copies), log.dropped

    share, dropped = asyncio.run(keep())
    assert 500 < share < 700
    assert dropped == 2 * share - 1_000


def test_what_was_kept_before_an_editor_said_no_is_not_stored(red, row):
    at = serving.timezone.now()
    one = predictions.Kept(row.pk, 1, at, "GET", "/", 200, 1.0, "", "", False, "ada")
    assert predictions.flush([one, one]) == 2
    deployments.keep_predictions(system_scope(red), row.pk, keeps=False)
    assert predictions.flush([one]) == 0
    assert Prediction.unscoped.count() == 2
