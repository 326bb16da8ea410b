"""Calls as text to copy: whatever a name holds, the shell and Python read it as that name and no more."""

import itertools
import json
import os
import subprocess
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mlops.views.api_snippets import Call, curl_token, python_session

HOSTILE = [
    "it's",
    '"double"',
    "$(touch /tmp/x) `id` ${HOME}",
    "back\\slash\\",
    "line\nbreak",
    "-o option",
    "@file",
    "{a,b}[1-3]",
    "ünïcode 🌷",
    "\u202eturned\u2066",
    "nul \0 and \x1b[31m",
    "%25 &amp; ?#",
    "'''\"\"\"",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
SLUGS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def words(script):
    """What a shell gives to `curl`, word by word."""
    told = f"TOKEN=a-token; AICORE_RESOURCE_GROUP=green\ncurl() {{ printf '%s\\0' \"$@\"; }}\n{script}\n"
    done = subprocess.run(["sh", "-euc", told], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


class Asked:
    """Stands where a session does and keeps what a program asks of it."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, method):
        def call(url, **given):
            self.calls.append((method.upper(), url, given))
            return self

        return call

    text = ""
    content = b"3,4\n"

    def raise_for_status(self):
        """Nothing went wrong."""


def asked(program, capsys=None):
    """The one call that a program makes."""
    api = Asked()
    exec(compile(program, "snippet", "exec"), {"api": api})
    (call,) = api.calls
    return call


def value(arguments, option):
    """What follows an option, however often it is given."""
    return [after for before, after in itertools.pairwise(arguments) if before == option]


@hypothesis_settings(max_examples=60, deadline=None)
@given(name=TEXTS, key=TEXTS, other=TEXTS, group=SLUGS)
def test_a_body_arrives_as_it_is(name, key, other, group):
    body = {"name": name, "parameterBindings": [{"key": key, "value": other}], "labels": []}
    call = Call("Make it", "POST", "/v2/lm/things", body=body, group=group)
    arguments = words(call.curl)
    assert value(arguments, "-X") == ["POST"]
    assert json.loads(value(arguments, "--data-raw")[0]) == body
    assert value(arguments, "-H") == [
        "Authorization: Bearer a-token",
        f"AI-Resource-Group: {group}",
        "Content-Type: application/json",
    ]
    method, url, sent = asked(call.python)
    assert (method, url, sent["json"]) == ("POST", f"{settings.PUBLIC_URL}/v2/lm/things", body)


@hypothesis_settings(max_examples=60, deadline=None)
@given(word=TEXTS.filter(bool), other=TEXTS.filter(bool))
def test_a_query_arrives_as_it_is(word, other):
    query = (("$search", word), ("executableIds", other), ("$top", "50"))
    call = Call("List", "GET", "/v2/lm/things", query)
    arguments = words(call.curl)
    (address,) = [one for one in arguments if one.startswith(settings.PUBLIC_URL)]
    assert parse_qsl(urlsplit(address).query, strict_parsing=True) == list(query)
    assert "-X" not in arguments
    # curl would make many addresses of one with these in it.
    assert not set("{}[]") & set(address)
    assert asked(call.python)[2]["params"] == dict(query)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_shown_is_what_is_there(text):
    """No character that a screen leaves out, or that turns the others around."""
    call = Call("Make it", "POST", "/v2/lm/things", (("q", text),), {text: text}, group="red")
    for shown in (call.curl, call.python):
        assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_without_a_group_it_is_left_to_the_environment():
    call = Call("List", "GET", "/v2/lm/things")
    assert "AI-Resource-Group: green" in value(words(call.curl), "-H")
    assert 'os.environ["AICORE_RESOURCE_GROUP"]' in python_session("")
    assert "AICORE_RESOURCE_GROUP" not in python_session("red")


@pytest.mark.parametrize("name", ["data.csv", "-rf", "it's; rm x"])
def test_a_file_is_a_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"1,2\n")
    call = Call("Send it", "PUT", "/v2/lm/dataset/files/default/x", file=name)
    assert value(words(call.curl), "--upload-file") == [f"./{name}"]
    assert asked(call.python)[2]["data"].name == f"./{name}"
    call = Call("Fetch it", "GET", "/v2/lm/dataset/files/default/x", save=name)
    assert value(words(call.curl), "--output") == [f"./{name}"]
    asked(call.python)
    assert (tmp_path / name).read_bytes() == Asked.content


def test_no_secret_is_shown_only_where_it_is():
    for shown in (curl_token(), python_session("red")):
        assert "AICORE_CLIENT_SECRET" in shown
        assert os.environ["SECRET_KEY"] not in shown


def test_long_bodies_have_a_line_for_each_member():
    body = {"name": "a", "parameterBindings": [{"key": f"key{n}", "value": "1"} for n in range(3)]}
    call = Call("Make it", "POST", "/v2/lm/things", body=body)
    assert '    json={\n        "name": "a",\n        "parameterBindings": [\n' in call.python
    assert '            {"key": "key0", "value": "1"},\n' in call.python
    assert max(len(line) for line in call.python.splitlines()) < 100
