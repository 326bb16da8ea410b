"""Requests and answers pass unchanged, but for headers that are nobody else's business."""

import hashlib
import http.client
import json

import pytest

from tests.mlops.gateway import serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def row(red, model):
    return serving.deployment(red, model.address)


def headers_of(told):
    return dict(told["headers"])


def test_method_path_query_and_body_arrive_as_they_were_sent(web, red, row):
    body = bytes(range(256)) * 100
    client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    path = f"{serving.PREFIX}{row.pk}/v2/a%2Fb//c/%C3%A9/../d?x=%20+y&&z"
    client.request("PATCH", path, body, serving.bearer(red))
    told = json.loads(client.getresponse().read())
    client.close()
    assert (told["method"], told["path"]) == ("PATCH", "/v2/a%2Fb//c/%C3%A9/../d")
    assert told["query"] == "x=%20+y&&z"
    assert (told["size"], told["digest"]) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_of_a_deployment_is_the_root_of_its_server(ask, red, row, path):
    assert ask("GET", row, path, headers=serving.bearer(red)).json()["path"] == "/"


def test_an_answers_status_and_body_pass_and_its_headers_tell_the_revision(ask, red, row):
    found = ask("POST", row, "/echo?status=422", headers=serving.bearer(red), json={"a": 1})
    assert found.status_code == 422
    assert found.json()["method"] == "POST"
    assert found.headers["x-launchpad-revision"] == "1"
    assert found.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_whole(ask, red, row, status):
    found = ask("GET", row, f"/echo?status={status}", headers=serving.bearer(red))
    assert (found.status_code, found.content) == (status, b"")


def test_head_has_the_length_and_no_body(ask, red, row):
    headers = serving.bearer(red)
    found = ask("HEAD", row, "/echo", headers=headers)
    assert (found.status_code, found.content) == (200, b"")
    assert int(found.headers["content-length"]) > 100
    assert ask("GET", row, "/echo", headers=headers).json()["method"] == "GET"


def test_credentials_and_what_belongs_to_the_connection_do_not_reach_the_server(ask, red, row):
    sent = serving.bearer(
        red,
        **{
            "Cookie": "sessionid=mine; theme=dark",
            "X-CSRFToken": "word",
            "Proxy-Authorization": "Basic eDp5",
            "X-Forwarded-For": "1.2.3.4",
            "Forwarded": "for=1.2.3.4",
            "X-Forwarded-Prefix": "/elsewhere",
            "Connection": "keep-alive, X-Hop",
            "X-Hop": "1",
            "TE": "trailers",
            "X-Request-Id": "abcdefgh-1234",
            "X-Own": "kept",
            "Accept": "text/*",
        },
    )
    got = headers_of(ask("POST", row, "/echo", headers=sent, content=b"12").json())
    withheld = "authorization cookie x-csrftoken proxy-authorization x-forwarded-for forwarded x-hop te"
    assert set(withheld.split()) & set(got) == set()
    assert (got["x-own"], got["accept"], got["content-length"]) == ("kept", "text/*", "2")
    assert got["x-request-id"] == "abcdefgh-1234"
    assert got["x-forwarded-prefix"] == f"{serving.PREFIX}{row.pk}"
    assert got["host"].startswith("127.0.0.1:")


def test_an_answer_cannot_touch_our_own_origin(ask, red, row):
    found = ask("GET", row, "/page", headers=serving.bearer(red)).headers
    for name in ("set-cookie", "clear-site-data", "strict-transport-security", "x-hop"):
        assert name not in found
    assert found.get_list("content-security-policy") == ["sandbox"]
    assert found["x-content-type-options"] == "nosniff"
    assert found["cache-control"] == "no-store"
    assert found["x-own"] == "kept"
    assert found.get_list("x-launchpad-revision") == ["1"]
    assert "a model" not in found["server"]


def test_a_server_says_itself_how_long_its_answer_may_be_kept(ask, red, row):
    found = ask("GET", row, "/text", headers=serving.bearer(red))
    assert found.headers["cache-control"] == "no-store"
    found = ask("GET", row, "/page?cache=max-age%3D9", headers=serving.bearer(red))
    assert found.headers.get_list("cache-control") == ["max-age=9"]


def test_encoded_bytes_pass_as_they_are(web, red, row):
    client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    client.request("GET", f"{serving.PREFIX}{row.pk}/page?gzip=1", headers=serving.bearer(red))
    answer = client.getresponse()
    assert (answer.getheader("content-encoding"), answer.read()) == ("gzip", b"\x1f\x8b no gzip at all")
    client.close()


def test_a_websocket_is_refused_in_words(ask, red, row):
    headers = serving.bearer(red, Connection="Upgrade", Upgrade="websocket")
    found = ask("GET", row, "/ws", headers=headers)
    assert found.status_code == 501
    assert "WebSockets are not passed on" in found.json()["error"]["message"]
