"""A model server for tests of the gateway, in a process of its own: says what it got, waits when told."""

import asyncio
import hashlib
import json
import os
import sys
from urllib.parse import parse_qs

gates: dict[str, asyncio.Event] = {}
# What befell requests that were let down, by the word they came with.
seen: dict[str, list[str]] = {}


async def application(scope, receive, send):
    """Answer by the first part of the path."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    asked = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    verb = VERBS.get(scope["path"].split("/")[1], _echo)
    await verb(scope, receive, send, asked)


async def _start(send, status=200, **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _body(receive):
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        parts.append(message["body"])
        if not message["more_body"]:
            return parts


async def _echo(scope, receive, send, asked):
    """All that came, as JSON."""
    body = b"".join(await _body(receive))
    told = {
        "server": sys.argv[-1],
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "size": len(body),
        "digest": hashlib.sha256(body).hexdigest(),
    }
    text = json.dumps(told).encode()
    status = int(asked.get("status", 200))
    length = {} if status in (204, 304) else {"content_length": str(len(text))}
    await _start(send, status, content_type="application/json", **length)
    await send({"type": "http.response.body", "body": b"" if status in (204, 304) else text})


async def _mirror(scope, receive, send, asked):
    """The body, part by part, as it comes."""
    await _start(send, content_type="application/octet-stream")
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            seen.setdefault(asked["word"], []).append("left")
            return
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _hold(scope, receive, send, asked):
    """Says `first`, then nothing until the gate of the word is opened; notes whether the client left."""
    word = asked["word"]
    await _body(receive)
    if "silent" not in asked:
        await _start(send, content_type="text/plain")
        await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
    gate = gates.setdefault(word, asyncio.Event())
    seen.setdefault(word, []).append("holding")
    leaving = asyncio.ensure_future(receive())
    opening = asyncio.ensure_future(gate.wait())
    await asyncio.wait((leaving, opening), return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        seen[word].append("left")
        return
    leaving.cancel()
    if "silent" in asked:
        await _start(send, content_type="text/plain")
    await send({"type": "http.response.body", "body": b"last\n"})


async def _open(scope, receive, send, asked):
    """Open the gate of the word."""
    gates.setdefault(asked["word"], asyncio.Event()).set()
    await _start(send, content_length="0")
    await send({"type": "http.response.body"})


async def _seen(scope, receive, send, asked):
    """What befell requests with the word."""
    text = json.dumps(seen.get(asked["word"], [])).encode()
    await _start(send, content_type="application/json", content_length=str(len(text)))
    await send({"type": "http.response.body", "body": text})


async def _die(scope, receive, send, asked):
    """End the process amid the answer."""
    await _start(send, content_type="text/plain", content_length="1000")
    await send({"type": "http.response.body", "body": b"a part", "more_body": True})
    await asyncio.sleep(0.05)
    os._exit(1)


async def _page(scope, receive, send, asked):
    """A page with every header that is none of its business."""
    headers = [
        (b"content-type", b"text/html"),
        (b"set-cookie", b"sessionid=stolen; Path=/"),
        (b"server", b"a model"),
        (b"clear-site-data", b"*"),
        (b"strict-transport-security", b"max-age=1"),
        (b"content-security-policy", b"default-src *"),
        (b"x-own", b"kept"),
        (b"connection", b"x-hop"),
        (b"x-hop", b"of this connection"),
        (b"x-launchpad-revision", b"99"),
    ]
    if "gzip" in asked:
        headers.append((b"content-encoding", b"gzip"))
    if "cache" in asked:
        headers.append((b"cache-control", asked["cache"].encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"\x1f\x8b no gzip at all"})


async def _many(scope, receive, send, asked):
    """So many bytes, in parts of 64 KiB."""
    left = int(asked["bytes"])
    await _start(send, content_type="application/octet-stream")
    while left > 0:
        part = b"x" * min(left, 65536)
        left -= len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})
        seen.setdefault(asked.get("word", ""), []).append("sent")
    await send({"type": "http.response.body", "body": b""})


async def _text(scope, receive, send, asked):
    """The body that came, as text of the type asked for."""
    body = b"".join(await _body(receive))
    await _start(send, content_type=asked.get("type", "text/plain"))
    await send({"type": "http.response.body", "body": body})


VERBS = {
    "hold": _hold,
    "open": _open,
    "seen": _seen,
    "die": _die,
    "page": _page,
    "mirror": _mirror,
    "many": _many,
    "text": _text,
}
