"""Webhooks: which addresses may be asked, what is sent to them and for how long they are listened to."""

import ipaddress
import json
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from mlops.engine import webhooks
from mlops.engine.webhooks import Refused, Unreached
from tests.mlops.receiving import certified, listening, never_ends, resets

SHORT = 0.4
LONG = 30


def post(receiver, allowed=("127.0.0.1",), *, seconds=LONG, body=b"{}", **headers):
    return webhooks.post(
        webhooks.read(receiver.url, allowed), body, headers, allowed=allowed, seconds=seconds
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/x",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "http://hooks.example.com/",
        "https://",
        "https:///path",
        "https://me:word@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: evil",
        "https://höoks.example.com/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://[::1/",
        "https://-hooks.example.com/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://192.168.0.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::7f00:1]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2001:db8::1]/",
        "https://[64:ff9b:1:a00:0:100:5db8:d70e]/",
        "https://[3fff::1]/",
        "https://192.0.0.8/",
        "https://192.88.99.1/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com/" + "x" * 2000,
    ],
)
def test_what_is_no_public_https_address_is_refused(url):
    with pytest.raises(Refused):
        webhooks.read(url, [])


@pytest.mark.parametrize(
    ("url", "place", "shown"),
    [
        ("https://Hooks.Example.com/a?b=c#d", "hooks.example.com", "https://hooks.example.com/…"),
        ("https://hooks.example.com:8443", "hooks.example.com:8443", "https://hooks.example.com:8443/…"),
        ("https://93.184.215.14/x", "93.184.215.14", "https://93.184.215.14/…"),
        (
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
            "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]",
            None,
        ),
        ("https://[64:ff9b::5db8:d70e]/", "[64:ff9b::5db8:d70e]", None),
    ],
)
def test_public_ones_are_taken_and_shown_without_their_path(url, place, shown):
    target = webhooks.read(url, [])
    assert target.place == place
    assert target.shown == (shown or f"https://{place}/…")


@pytest.mark.parametrize(
    ("allowed", "url", "may"),
    [
        (["10.0.0.1"], "http://10.0.0.1:99/", True),
        (["10.0.0.1:99"], "http://10.0.0.1:99/", True),
        (["10.0.0.1:98"], "http://10.0.0.1:99/", False),
        ([".inner.example"], "http://hooks.inner.example/", True),
        ([".inner.example"], "http://inner.example.evil/", False),
        ([".inner.example"], "http://notinner.example/", False),
        (["inner.example"], "http://hooks.inner.example/", False),
    ],
)
def test_the_administrator_names_what_else_may_be_asked(allowed, url, may):
    if may:
        webhooks.read(url, allowed)
    else:
        with pytest.raises(Refused):
            webhooks.read(url, allowed)


def test_a_name_that_leads_inside_is_refused():
    target = webhooks.read("https://localhost/", [])
    with pytest.raises(Refused, match="not a public address"):
        webhooks.addresses(target, [], seconds=LONG)
    assert webhooks.addresses(target, ["localhost"], seconds=LONG)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(Refused):
        webhooks.addresses(webhooks.read("https://hooks.example.com/", []), [], seconds=LONG)


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(monkeypatch):
    """A name server that answers differently the second time gets nothing by it."""
    resolve, asked = socket.getaddrinfo, []

    def rebind(host, *args, **kwargs):
        if host != "hooks.test":
            return resolve(host, *args, **kwargs)
        asked.append(host)
        return resolve("127.0.0.1" if len(asked) == 1 else "127.0.0.99", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    with listening(host="hooks.test") as receiver:
        assert post(receiver, ["hooks.test"]).status == 200
    assert asked == ["hooks.test"]
    assert receiver.received[0].headers["Host"] == f"hooks.test:{receiver.port}"


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    stuck = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: stuck.wait() and [])
    with pytest.raises(Unreached, match="was not resolved within"):
        webhooks.addresses(webhooks.read("https://hooks.example.com/", []), [], seconds=SHORT)
    stuck.set()


def test_signatures_are_those_of_the_specification():
    """Checked by the specification's own library."""
    secret, old = webhooks.make_secret(), webhooks.make_secret()
    body = json.dumps({"type": "schedule.failed", "data": {"title": "ünïcode"}}).encode()
    at = int(time.time())
    headers = webhooks.signed("msg_1", body, at=at, secrets=[secret, old])
    for one in (secret, old):
        assert Webhook(one).verify(body, headers)["type"] == "schedule.failed"
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.make_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers | {"webhook-id": "msg_2"})


def test_the_documentation_s_own_code_verifies():
    text = Path("docs/notifications.md").read_text()
    code = re.search(r"Without it:\n\n```python\n(.*?)```", text, re.DOTALL)[1]
    names: dict = {}
    exec(code, names)
    secret, old = webhooks.make_secret(), webhooks.make_secret()
    headers = webhooks.signed("msg_1", b"{}", at=int(time.time()), secrets=[secret, old])
    assert names["is_genuine"](secret, headers, b"{}") and names["is_genuine"](old, headers, b"{}")
    assert not names["is_genuine"](secret, headers, b"{ }")
    stale = webhooks.signed("msg_1", b"{}", at=int(time.time()) - 3600, secrets=[secret])
    assert not names["is_genuine"](secret, stale, b"{}")


def test_https_is_spoken_to_the_name_and_its_certificate_checked(tmp_path, monkeypatch):
    tls = certified(tmp_path, "localhost")
    with listening(tls=tls, host="localhost") as receiver:
        with pytest.raises(Unreached, match="certificate is not trusted"):
            post(receiver, ["localhost"])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        answer = post(receiver, ["localhost"], body=b'{"a": 1}')
        assert (answer.status, answer.text) == (200, "answer 200")
        assert receiver.received[0].path == "/hook?key=word"
        assert receiver.received[0].body == b'{"a": 1}'
        # A certificate of another name will not do.
        receiver.url = receiver.url.replace("localhost", "127.0.0.1")
        with pytest.raises(Unreached, match="certificate is not trusted"):
            post(receiver, ["127.0.0.1"])


def test_redirects_are_not_followed():
    with listening() as receiver:
        receiver.answers = [302]
        assert post(receiver).status == 302
    assert [one.path for one in receiver.received] == ["/hook?key=word"]


def test_what_an_answer_repeats_of_the_url_is_left_out():
    """Errors of many servers name the path, which is the password of many receivers."""

    def repeat(handler):
        handler.send_response(404)
        handler.end_headers()
        handler.wfile.write(
            "Cannot POST /services/T00/sEcret-path a&amp;b &quot;wörd wordé&quot;. SECRET-PATH is.".encode()
        )

    with listening() as receiver:
        receiver.answers = [repeat]
        receiver.url = receiver.url.replace(
            "/hook?key=word", "/services/T00/secret-path?key=word%C3%A9&o=a%26b"
        )
        answer = post(receiver)
    assert answer.text == "Cannot POST /…/…/… … &quot;wörd …&quot;. … is."


def test_the_masks_are_put_on_before_the_answer_is_cut():
    """A piece that is cut in two would not be known any more."""
    with listening() as receiver:
        receiver.answers = [_repeats(b"x" * 190 + b" 0123456789abcdef0123456789abcdef")]
        receiver.url = receiver.url.replace("/hook?key=word", "/0123456789abcdef0123456789abcdef")
        assert post(receiver).text == "x" * 190 + " …"


def _repeats(said):
    def answer(handler):
        handler.send_response(404)
        handler.end_headers()
        handler.wfile.write(said)

    return answer


def test_a_server_that_hangs_is_left():
    with listening() as receiver:
        receiver.answers = [lambda _handler: receiver.ended.wait()]
        with pytest.raises(Unreached, match=r"did not answer within 0\.4 s"):
            post(receiver, seconds=SHORT)


def test_one_that_drips_headers_is_left_all_the_same():
    """Each byte comes within the limit of one wait; their sum does not."""

    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not receiver.ended.wait(SHORT / 8):
            handler.wfile.write(b"x-a: b\r\n")

    with listening() as receiver:
        receiver.answers = [drip]
        with pytest.raises(Unreached, match="did not answer within"):
            post(receiver, seconds=SHORT)


def test_one_that_drips_its_answer_is_left_when_its_time_is_over():
    drips = []

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        while len(drips) < 200 and not receiver.ended.wait(SHORT / 8):
            handler.wfile.write(b"x")
            drips.append(1)

    with listening() as receiver:
        receiver.answers = [drip]
        assert post(receiver, seconds=SHORT).status == 200
        assert len(drips) < 200


def test_of_endless_bytes_the_beginning_is_read():
    with listening() as receiver:
        receiver.answers = [never_ends]
        answer = post(receiver)
    assert (answer.status, answer.text) == (200, "x" * 200)


def test_a_reset_is_told():
    with listening() as receiver:
        receiver.answers = [resets]
        with pytest.raises(Unreached, match="broke off"):
            post(receiver)


def test_a_port_where_nobody_listens_is_told():
    with listening() as receiver:
        pass
    with pytest.raises(Unreached, match="could not be reached"):
        post(receiver)


def test_what_is_no_http_is_told():
    with listening() as receiver:
        receiver.answers = [lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n")]
        with pytest.raises(Unreached, match="broke off: BadStatusLine"):
            post(receiver)


def test_wrapped_addresses_are_judged_by_what_they_wrap():
    assert webhooks.is_public(ipaddress.ip_address("::ffff:93.184.215.14"))
    assert not webhooks.is_public(ipaddress.ip_address("::ffff:169.254.169.254"))
    assert not webhooks.is_public(ipaddress.ip_address("64:ff9b::a00:1"))
    assert not webhooks.is_public(ipaddress.ip_address("2001:0:4136:e378:8000:63bf:3fff:fdd2"))
