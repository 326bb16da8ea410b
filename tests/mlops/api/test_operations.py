"""What every operation of the AI API shares: limits, the envelope around anything that goes wrong."""

import gzip
import json

import pytest
from django.db import DataError, connection
from django.test import Client, override_settings
from django.urls import include, path
from ninja import NinjaAPI, Schema

from launchpad import urls
from launchpad.access import Right
from launchpad.accounts import rates
from mlops.api import errors
from mlops.api.bodies import Body
from mlops.api.operations import Operations, in_group
from mlops.models import Scenario
from tests.mlops.api.clients import MERGE, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
operation = Operations("For the test")


class Thing(Schema):
    """A body with any JSON in it."""

    name: str
    more: dict[str, object] = {}


@operation("POST", "/test/things", in_group(Right.CHANGE), name="things.create")
def create(request, body: Thing):
    """Tell what came."""
    return {"name": body.name}


@operation("GET", "/test/things/{thing}", in_group(Right.VIEW), name="things.get")
def get(request, thing: str):
    """Ask the database for any text, and read parameters."""
    return {"count": Scenario.unscoped.filter(name=thing).count(), "parameters": len(request.GET)}


@operation("GET", "/test/slow", in_group(Right.VIEW), name="things.slow")
def slow(request):
    """Take ten seconds in a database that can sleep."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(10)" if connection.vendor == "postgresql" else "SELECT 1")


@operation("GET", "/test/large", in_group(Right.VIEW), name="things.large")
def large(request):
    """Meet a number that no column holds."""
    raise DataError("out of range")


@operation("GET", "/test/broken", in_group(Right.VIEW), name="things.broken")
def broken(request):
    """Fail."""
    raise RuntimeError("secret detail")


api = NinjaAPI(docs_url=None, openapi_url=None, urls_namespace="test-api", parser=Body())
errors.install(api)
api.add_router("", operation.router)


class Routes:
    """The real routes and those above."""

    handler400, handler403, handler404, handler500 = (
        urls.handler400,
        urls.handler403,
        urls.handler404,
        urls.handler500,
    )
    operations = [
        path(str(one.pattern), errors.enveloped(one.callback), name=one.name) for one in api.urls[0]
    ]
    urlpatterns = [*urls.urlpatterns, path("", include((operations, "test-api")))]


@pytest.fixture(autouse=True)
def _routes():
    with override_settings(ROOT_URLCONF=Routes):
        yield


def test_a_body_is_read_whatever_it_says_it_is(editing):
    for media in ("application/json", MERGE, "application/json; charset=utf-8", ""):
        assert editing("POST", "/test/things", {"name": "é\U0001f600"}, media=media).json() == {
            "name": "é\U0001f600"
        }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "body"),
        ("{", "no JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"name": "\xed\xa0\x80"}', "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "body"),
        ('{"name": "\\u0000"}', "name holds a NUL"),
        ('"\\u0000"', "The body holds a NUL"),
        ('{"\\u0000": 1}', "A key holds a NUL"),
        ('{"name": "a", "more": {"x": ["\\ud800"]}}', "half a character"),
        ('{"name": "a", "more": {"\\uDC00": 1}}', "half a character"),
        ("[]", "body"),
        ("null", "body"),
        ('{"name": 1}', "name"),
        ('{"name": ["a"]}', "name"),
    ],
)
def test_a_body_that_cannot_be_used_is_400(editing, body, words):
    refused(editing("POST", "/test/things", body), 400, words)


def test_a_backslash_before_a_u_is_no_nul(editing):
    assert editing("POST", "/test/things", '{"name": "\\\\u0000\\ud83d\\ude00"}').status_code == 200


def test_details_name_the_place(editing):
    error = refused(editing("POST", "/test/things", {}), 400)
    assert error["details"] == {"name": "name: Field required"}


def test_a_large_body_is_413_before_it_is_read(editing):
    refused(editing("POST", "/test/things", b" " * (8 * 1024 * 1024 + 1)), 413, "8 MB")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_media_type_is_415(editing, media):
    refused(editing("POST", "/test/things", "name=a", media=media), 415, "application/json")


def test_a_reader_sends_any_media_type(viewing):
    assert viewing("GET", "/test/things/a", media="text/plain").status_code == 200


def test_a_packed_body_is_no_json(editing):
    packed = gzip.compress(b'{"name": "a"}')
    refused(editing("POST", "/test/things", packed, content_encoding="gzip"), 400)


def test_an_address_with_nul_is_404(viewing):
    refused(viewing("GET", "/test/things/a%00b"), 404)


def test_too_long_an_address_is_414_and_a_thousand_ids_are_not(viewing):
    ids = ",".join(["a" * 64] * 1000)
    assert viewing("GET", f"/test/things/a?ids={ids}").status_code == 200
    refused(viewing("GET", "/test/things/a?ids=" + "a" * 140_000), 414, "128 KiB")


def test_too_many_parameters_are_400(viewing):
    refused(viewing("GET", "/test/things/a?" + "a=1&" * 6000), 400, "too many parameters")


def test_oversized_headers_are_431(viewing):
    refused(viewing("GET", "/test/things/a", x_any="a" * 33_000), 431, "32 KiB")


def test_what_the_database_cannot_hold_is_400(viewing):
    refused(viewing("GET", "/test/large"), 400, "too large")


def test_a_slow_question_is_ended_where_the_database_can(viewing, settings):
    settings.API_QUERY_SECONDS = 0.05
    response = viewing("GET", "/test/slow")
    if connection.vendor == "postgresql":
        refused(response, 400, "longer than 0.05 s", "Narrow the filter")
    else:
        assert response.status_code == 200


def test_the_unforeseen_tells_no_detail(viewing, caplog):
    error = refused(viewing("GET", "/test/broken"), 500)
    assert "secret" not in json.dumps(error)
    assert any(error["requestId"] in record.message for record in caplog.records)


def test_a_client_that_asks_too_fast_waits(viewing, editing, settings):
    settings.API_REQUESTS_PER_SECOND, settings.API_BURST = 1, 2
    rates.forget_all()
    answers = [viewing("GET", "/test/things/a") for _ in range(4)]
    assert answers[0].status_code == 200
    refused(answers[-1], 429, "more than 1 times a second")
    assert answers[-1]["Retry-After"] == "1"
    assert editing("GET", "/test/things/a").status_code == 200
    rates.forget_all()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_405(viewing, method):
    response = viewing(method, "/test/things/a")
    assert (response.status_code, response["Allow"]) == (405, "GET")
    if method != "HEAD":
        refused(response, 405, "GET")


@pytest.mark.parametrize("prefix", ["/v2", "/runs", "/api/v1", "/oauth"])
@pytest.mark.parametrize("rest", ["", "/", "/nothing", "/a/b/c/", "/%00", "/%ff%fe", "/lm/scenarios/"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_unknown_addresses_are_404_in_the_envelope(prefix, rest, method):
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html", "HX-Request": "true"})
    error = refused(client.generic(method, prefix + rest, b"{", content_type="application/json"), 404)
    assert isinstance(error["details"], list if prefix in ("/runs", "/api/v1") else dict)


@pytest.mark.parametrize("address", ["/v2/lm/scenarios", "/v2/nothing", "/runs/x", "/api/v1/metrics"])
@pytest.mark.parametrize("host", ["evil.example", "a b", "launchpad.example:x"])
def test_another_host_is_400_in_the_envelope(address, host):
    refused(Client(headers={"accept": "text/html", "host": host}).get(address), 400, "host name")


def test_another_host_at_the_token_endpoint_is_400_as_its_clients_read_it():
    response = Client(headers={"host": "evil.example"}).post("/oauth/token")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_session_that_breaks_leaves_the_envelope(viewing):
    response = viewing("GET", "/test/things/a", cookie="sessionid=a%00b; sessionid=\0")
    assert response.status_code == 200
