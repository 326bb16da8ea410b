"""Whatever is sent to the API over a socket is refused in its envelope, by a server that goes on."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.aiapi import shapes
from tests.aiapi.operations import OPERATIONS
from tests.mlops.api.world import World
from tests.mlops.serving import Server

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = 400
# What uvicorn says by itself to bytes that are no HTTP.
NO_HTTP = b"Invalid HTTP request received."
VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 20]
MEDIA = [
    "application/json",
    "application/merge-patch+json",
    "application/json; charset=utf-16",
    "application/json; charset=no-such",
    "application/json;;;",
    "text/csv",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/octet-stream",
    "",
    "/",
    "é/ß",
]
TEXTS = st.text(max_size=12) | st.sampled_from(["", "\0", "..", "a" * 5000, "%", "’", "🌺", "null", "\ud800"])
NUMBERS = st.integers() | st.sampled_from([10**400, -1, 2**63, 0]) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.sampled_from(
    [
        ("AI-Resource-Group", "red"),
        ("AI-Resource-Group", "röd"),
        ("AI-Resource-Group", "x" * 4000),
        ("AI-Resource-Group", "red, blue"),
        ("ai-tenant-scope", "true"),
        ("AI-Tenant-Scope", "yes"),
        ("Prefer", "maxpagesize=-1"),
        ("Prefer", "maxpagesize=" + "9" * 40),
        ("Accept", "text/html"),
        ("Accept", "*/*;q=oops"),
        ("Accept", ""),
        ("Accept-Encoding", "gzip, br;q=nan"),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "no-such"),
        ("Expect", "100-continue"),
        ("X-Request-ID", "../../etc"),
        ("X-Request-ID", "é"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "1, 2, 3"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("HX-Request", "true"),
        ("HX-Current-URL", "http://["),
        ("Cookie", "sessionid=" + "x" * 3000),
        ("Cookie", "sessionid=a\x01b; csrftoken=%00; =; ;;"),
        ("Referer", "http://["),
        ("Origin", "null"),
        ("If-None-Match", '"x'),
        ("If-Modified-Since", "yesterday"),
        ("Range", "bytes=9-1"),
        ("Range", "bytes=" + "0-0," * 500),
        ("Host", "evil.test"),
        ("Host", "127.0.0.1:99999"),
        ("Host", ""),
        ("Authorization", "Bearer " + "x" * 3000),
        ("Authorization", "Bearer é"),
        ("Authorization", "Basic Og=="),
        ("Authorization", "Basic é"),
        ("Authorization", ""),
        ("Idempotency-Key", "\x7f"),
    ]
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            ["$top", "top", "$skip", "$filter", "tagFilters", "$select", "executionIds", "executableIds"]
            + ["status", "$search", "searchCaseInsensitive", "artifactLabelSelector", "labelSelector"]
            + ["$order", "start", "end", "$expand", "$count", "continueToken", "overwrite", "kind", "name"]
        ),
        st.text(max_size=10)
        | st.sampled_from(
            ["-1", "9" * 30, "True", "a,b,,", "%", "'", "executionId eq 'x", "2026-13-01T00:00:00Z"]
        )
        | st.sampled_from(
            ["0001-01-01T00:00:00+14:00", "\0", "ext.ai.sap.com/a=b", "a!=b", "*", "NaN", "１"]
        ),
    ),
    max_size=4,
).map(
    lambda pairs: "&".join(f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in pairs)
)


@dataclass(frozen=True)
class Request:
    """The parts of a request as they go over the wire.

    chunked: how long each piece of the body is, 0 for a whole one.
    """

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: int

    def wire(self, port: int) -> bytes:
        """All bytes of it."""
        lines = [
            b"%s %s HTTP/1.1" % (self.method.encode(), self.path + (b"?" + self.query if self.query else b""))
        ]
        headers = dict([("Host", f"127.0.0.1:{port}"), *self.headers])
        length = ("Transfer-Encoding", "chunked") if self.chunked else ("Content-Length", str(len(self.body)))
        for name, value in (*headers.items(), length, ("Connection", "close")):
            lines.append(f"{name}: {value}".encode())
        body = self.body
        if self.chunked:
            parts = [body[at : at + self.chunked] for at in range(0, len(body), self.chunked)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))
        return b"\r\n".join((*lines, b"", body))


def paths(world: World) -> st.SearchStrategy[bytes]:
    """Addresses of operations, whole or spoilt, and others below the API's prefixes."""
    known = sorted(
        {f"/v2{world.path(one)}" for one in OPERATIONS} | {"/oauth/token", "/runs/x/api/v1/metrics"}
    )
    whole = st.sampled_from([one.encode() for one in known])
    odd = [
        b"/",
        b"//",
        b"/%00",
        b"/%ff",
        b"\xff",
        b"\xc3\xa9",
        b"/..",
        b"/.",
        b";a=b",
        b"%2F",
        b"%",
        b"%zz",
        b"'",
    ]
    odd += [b"/" + b"a" * 3000, b"/$count", b"/$count/x", b"?", b"#x", b"/%E2%80%AE", b"{}", b"*", b"\\"]
    spoilt = st.tuples(whole, st.sampled_from(odd), st.integers(0, 60)).map(
        lambda parts: (
            parts[0][: max(4, parts[2])] + parts[1] + (parts[0][parts[2] :] if parts[2] % 2 else b"")
        )
    )
    wild = st.binary(max_size=20).map(lambda raw: b"/v2/" + quote(raw).encode())
    return (whole | whole | spoilt | wild).filter(lambda path: path.startswith((b"/v2", b"/oauth", b"/runs")))


def bodies(world: World) -> st.SearchStrategy[bytes]:
    """What operations take, with a value replaced; JSON of any kind; and what is no JSON."""
    real = st.sampled_from(list(world.bodies.values()))
    bent = st.tuples(real, st.randoms(use_true_random=False), VALUES).map(lambda parts: _bent(*parts))
    written = (bent | VALUES).map(lambda value: json.dumps(value).encode())
    twice = real.map(lambda body: json.dumps(body).encode()[:-1] + b"," + json.dumps(body).encode()[1:])
    raw = st.binary(max_size=30) | st.sampled_from(
        [
            b"[" * 50_000,
            b'{"a":' * 9000,
            b"\xff\xfe{\0}\0",
            b"\xef\xbb\xbf{}",
            b'"\\ud800"',
            b"1" * 5000,
            b"NaN",
        ]
    )
    return written | twice | raw


def _bent(body, random, value):
    made = dict(body)
    made[random.choice([*made, "more"])] = value
    return made


def requests(world: World) -> st.SearchStrategy[Request]:
    """Requests; half of them bear a token and a group, so that they come further."""
    tokens = [
        (),
        *(((("Authorization", f"Bearer {world.tokens[who]}")),) for who in ("admin", "editor", "viewer")),
    ]
    ours = st.sampled_from(tokens).map(
        lambda token: (*token, ("AI-Resource-Group", "red")) if token else token
    )
    media = st.sampled_from(MEDIA).map(lambda value: (("Content-Type", value),))
    more = st.lists(HEADERS, max_size=2).map(tuple)
    headers = st.tuples(ours, media, more).map(lambda parts: parts[0] + parts[1] + parts[2])
    odd_query = st.binary(max_size=10).map(
        lambda raw: raw.replace(b" ", b"").replace(b"\r", b"").replace(b"\n", b"")
    )
    return st.builds(
        Request,
        method=st.sampled_from(VERBS),
        path=paths(world),
        query=QUERIES.map(str.encode) | QUERIES.map(str.encode) | odd_query,
        headers=headers,
        body=bodies(world) | st.just(b""),
        chunked=st.sampled_from([0, 0, 0, 1, 7, 1000]),
    )


def ask(port: int, wire: bytes, *, half: bool = False) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers with lower-case names, and body of the answer to these bytes; half: nothing follows."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        try:
            connection.sendall(wire)
            if half:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            # It has answered already and reads no more.
            pass
        read = b""
        try:
            while part := connection.recv(65536):
                read += part
        except ConnectionResetError:
            pass
    while read.startswith(b"HTTP/1.1 100"):
        read = read.partition(b"\r\n\r\n")[2]
    head, _, body = read.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    if headers.get(b"transfer-encoding") == b"chunked":
        body = _whole(body)
    return int(first.split()[1]) if first else 0, headers, body


def _whole(pieces: bytes) -> bytes:
    """A body that came in chunks."""
    body = b""
    while pieces:
        size, _, rest = pieces.partition(b"\r\n")
        body += rest[: int(size, 16)]
        pieces = rest[int(size, 16) + 2 :]
    return body


def faults(request: Request, status: int, headers: dict[bytes, bytes], body: bytes) -> list[str]:
    """What is wrong with the answer to a request; [] when nothing is."""
    if status == 400 and body == NO_HTTP:
        return []
    if status < 200 or status >= 500 or 300 <= status < 400:
        return [f"status {status}"]
    if b"text/html" in headers.get(b"content-type", b"") and not request.path.startswith(b"/v2/docs"):
        return ["HTML"]
    if status < 400 or request.method == "HEAD" or request.path.startswith(b"/oauth/token"):
        return []
    if headers.get(b"content-type") != b"application/json":
        return [f"{headers.get(b'content-type')!r}"]
    said = json.loads(body)
    found = shapes.faults("Error", said)
    if not found and said["error"]["requestId"] != headers[b"x-request-id"].decode():
        found.append("the request id is another than the header's")
    return found


@pytest.fixture
def world(transactional_db, red, blue, green):
    return World(red, blue, green)


@pytest.fixture(scope="module")
def server(django_db_setup, tmp_path_factory):
    """One for all of these tests: what one sends is borne by the others too."""
    made = Server(tmp_path_factory.mktemp("fuzzed"))
    yield made
    made.close()


def test_nothing_that_is_sent_breaks_it(server, world):
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(world))
    def try_one(request):
        answer = ask(server.port, request.wire(server.port))
        assert faults(request, *answer) == [], (request, answer)

    try_one()
    assert server.process.poll() is None
    assert "Exception in ASGI" not in server.output(), server.output()[-5000:]


BROKEN = [
    b"",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /v2/lm/scenarios HTTP/9.9\r\n\r\n",
    b"GET /v2/lm/scen\0arios HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"POST /v2/lm/artifacts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v2/lm/artifacts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
    b"POST /v2/lm/artifacts HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v2/lm/artifacts HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n{}x",
    b"GET /v2/lm/scenarios HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"v2/" * 30_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("wire", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_http_is_refused_and_the_server_goes_on(server, world, wire):
    status, _, body = ask(server.port, wire, half=True)
    assert status in (0, 400, 404, 413, 414, 431), body[:200]
    token = {"Authorization": f"Bearer {world.tokens['editor']}", "AI-Resource-Group": "red"}
    answer = server.browser().get("/v2/lm/scenarios", headers=token)
    assert answer.status_code == 200
    assert "Exception in ASGI" not in server.output(), server.output()[-5000:]


def test_clients_that_hang_up_or_wait_with_their_body_hold_nobody_up(server, world):
    head = "POST /v2/lm/artifacts HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += f"Authorization: Bearer {world.tokens['editor']}\r\n"
    head += "AI-Resource-Group: red\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    token = head.replace("/v2/lm/artifacts", "/oauth/token").replace("json", "x-www-form-urlencoded")
    waiting = []
    for wire in (head, token) * 20:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        connection.sendall(wire.encode())
        waiting.append(connection)
    answer = server.browser().get("/v2/lm/scenarios", headers={"Authorization": "Bearer no"})
    assert answer.status_code == 401
    for connection in waiting:
        connection.close()
    assert server.browser().get("/healthz").status_code == 200
    assert "Exception in ASGI" not in server.output(), server.output()[-5000:]
