"""The token endpoint: what it gives for good credentials, and JSON for whatever else is sent there."""

import base64
import json

import pytest
from django.test import Client
from oauth2_provider.models import AccessToken

from launchpad.access import system_scope
from launchpad.accounts import bearers, service_keys, throttle

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def issued(red):
    throttle.forget_all()
    return service_keys.create(system_scope(red), name="pipeline")


def ask(body=b"", *, method="POST", media=FORM, address="/oauth/token", **headers):
    """The answer to a request as a script sends it."""
    if isinstance(body, dict):
        body = "&".join(f"{name}={value}" for name, value in body.items())
    client = Client(enforce_csrf_checks=True)
    return client.generic(method, address, body, content_type=media, headers=headers)


def credentials(issued, **changes):
    return {
        "grant_type": "client_credentials",
        "client_id": issued.client_id,
        "client_secret": issued.client_secret,
    } | changes


def basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def refused(response, status, error, *words):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error
    for word in words:
        assert word in body["error_description"]


def works(response, key):
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert set(body) == {"access_token", "expires_in", "token_type", "scope", "jti"}
    assert (body["expires_in"], body["token_type"]) == (43199, "bearer")
    bearers.forget_all()
    assert bearers.client(body["access_token"]).key == key.pk
    return body


@pytest.mark.parametrize("media", [FORM, f"{FORM}; charset=utf-8", f"{FORM}; charset=no-such", ""])
def test_credentials_in_the_body(issued, media):
    works(ask(credentials(issued), media=media), issued.key)


def test_credentials_in_the_header(issued):
    header = basic(issued.client_id, issued.client_secret)
    works(ask({"grant_type": "client_credentials"}, authorization=header), issued.key)
    # Some clients send them twice.
    works(ask(credentials(issued), authorization=header), issued.key)


def test_only_a_checksum_of_the_token_is_stored(issued):
    body = works(ask(credentials(issued)), issued.key)
    row = AccessToken.objects.get()
    assert body["access_token"] not in json.dumps(
        [str(getattr(row, field.attname)) for field in row._meta.concrete_fields]
    )
    assert row.token_checksum.startswith(body["jti"])


def test_a_token_costs_two_queries_and_no_slow_hash(issued, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert ask(credentials(issued)).status_code == 200
    assert issued.key.application.client_secret.startswith("pbkdf2_sha256_machine$1000$")


def test_wrong_credentials_are_401(issued):
    for changes in (
        {"client_secret": "wrong"},
        {"client_id": "nobody"},
        {"client_secret": ""},
        {"client_id": ""},
    ):
        response = ask(credentials(issued, **changes))
        refused(response, 401, "invalid_client")
        assert response["WWW-Authenticate"].startswith("Basic ")
    refused(ask({"grant_type": "client_credentials"}), 401, "invalid_client", "missing")
    refused(
        ask({"grant_type": "client_credentials"}, authorization=basic(issued.client_id, "wrong")),
        401,
        "invalid_client",
    )


def test_a_page_is_told_what_a_browser_would_ask_its_person(issued):
    header = basic(issued.client_id, "wrong")
    response = ask(b"grant_type=client_credentials", authorization=header, x_requested_with="XMLHttpRequest")
    refused(response, 401, "invalid_client")
    assert "WWW-Authenticate" not in response


def test_a_revoked_key_gets_no_token(issued, red):
    service_keys.revoke(system_scope(red), issued.key.pk)
    refused(ask(credentials(issued)), 401, "invalid_client", "revoked")


def test_a_service_account_that_was_switched_off_gets_no_token(issued):
    issued.key.account.is_active = False
    issued.key.account.save()
    refused(ask(credentials(issued)), 401, "invalid_client")


@pytest.mark.parametrize(
    "grant",
    [
        "password",
        "refresh_token",
        "authorization_code",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "CLIENT_CREDENTIALS",
    ],
)
def test_other_grants_are_refused(issued, grant):
    refused(ask(credentials(issued, grant_type=grant)), 400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"\xff\xfe=\xff", 400),
        (b"grant_type=client_credentials&client_id=%ff&client_secret=x", 400),
        (b"grant_type=client_credentials&client_id=a&client_id=b&client_secret=x", 400),
        (b"grant_type=client_credentials&grant_type=client_credentials", 400),
        (b"&".join(b"a%d=1" % number for number in range(30)), 400),
        (b"grant_type=client_credentials&client_id=a%00b&client_secret=x", 401),
        (b"grant_type=client_credentials&client_id=a&client_secret=%00", 401),
        (b"grant_type=client_credentials&client_id=\xed\xa0\x80&client_secret=x", 400),
        (b"grant_type=client_credentials&client_secret=x&client_id=" + b"a" * 5000, 401),
        (b"grant_type=client_credentials&client_secret=" + b"a" * 20_000, 413),
    ],
)
def test_what_is_no_request_for_a_token_is_refused_in_json(issued, body, status):
    error = "invalid_client" if status == 401 else "invalid_request"
    refused(ask(body), status, error)


@pytest.mark.parametrize(
    "media",
    ["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "a/b/c"],
)
def test_another_media_type_is_415(issued, media):
    refused(ask(json.dumps(credentials(issued)), media=media), 415, "invalid_request", "form")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ???", "Basic YQ==", "Basic /w==", "Basic " + "YTpi" * 2000, "basic YToAYg=="]
)
def test_a_header_that_is_not_basic_is_refused(issued, header):
    response = ask({"grant_type": "client_credentials"}, authorization=header)
    assert response.status_code in (400, 401)
    refused(response, response.status_code, response.json()["error"])


def test_header_and_body_of_different_clients_are_refused(issued):
    response = ask(credentials(issued, client_id="other"), authorization=basic(issued.client_id, "x"))
    refused(response, 400, "invalid_request", "different clients")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405_in_json(issued, method):
    response = ask(method=method)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    if method != "HEAD":
        refused(response, 405, "invalid_request", "POST")


def test_credentials_in_the_address_are_not_taken(issued):
    query = "&".join(f"{name}={value}" for name, value in credentials(issued).items())
    refused(ask(address=f"/oauth/token?{query}"), 400, "invalid_request")


def test_guessing_is_slowed(issued):
    wrong = credentials(issued, client_secret="wrong")
    for _ in range(throttle.FAILURES):
        refused(ask(wrong), 401, "invalid_client")
    response = ask(credentials(issued))
    refused(response, 429, "slow_down")
    assert 0 < int(response["Retry-After"]) <= throttle.WINDOW_SECONDS
    throttle.forget_all()
    works(ask(credentials(issued)), issued.key)
