"""A request to a deployment as it came, and its head as the server gets it."""

from __future__ import annotations

import hashlib
import re
import secrets

from django.conf import settings

from launchpad.streams import Message

PREFIX = b"/v2/inference/deployments/"
DEFAULT_GROUP = "default"
_SANE_ID = re.compile(rb"[A-Za-z0-9-]{8,32}")
_SESSION = f"{settings.SESSION_COOKIE_NAME}=".encode()
_SAFE = ("GET", "HEAD", "OPTIONS")
_WITH_BODY = ("POST", "PUT", "PATCH")

# What a server never gets: credentials, what belongs to the connection, what proxies say of the client.
_WITHHELD = frozenset(
    b"authorization cookie x-csrftoken x-csrf-token connection keep-alive proxy-authenticate "
    b"proxy-authorization proxy-connection te trailer transfer-encoding upgrade expect content-length host "
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix "
    b"x-forwarded-server x-real-ip x-request-id http2-settings".split()
)
_READ = _WITHHELD | frozenset(
    b"ai-resource-group content-type content-encoding origin sec-fetch-site sec-fetch-dest".split()
)
_USUAL = frozenset((b"keep-alive", b"close", b"upgrade", b"te", b""))


class Request:
    """What the gateway reads of a request.

    deployment: as the path names it. target: path and query that the server gets, as they came. path: without
    the query. read: headers the gateway goes by. length: of the body, None where it comes in chunks.
    """

    __slots__ = (
        "credential",
        "deployment",
        "group",
        "has_body",
        "id",
        "is_safe",
        "length",
        "lines",
        "method",
        "path",
        "read",
        "target",
        "token",
    )

    def __init__(self, scope: Message) -> None:
        self.method: str = scope["method"]
        self.is_safe = self.method in _SAFE
        name, _, rest = scope["raw_path"][len(PREFIX) :].partition(b"/")
        self.deployment: str = name.decode("latin-1")
        self.path: bytes = b"/" + rest
        query = scope["query_string"]
        self.target = b"%b?%b" % (self.path, query) if query else self.path
        read: dict[bytes, bytes] = {}
        lines: list[bytes] = []
        for header in scope["headers"]:
            name = header[0]
            if name in _READ:
                read[name] = b"%b, %b" % (read[name], header[1]) if name in read else header[1]
                if name in _WITHHELD:
                    continue
            lines.append(b"%b: %b\r\n" % header)
        given = read.get(b"x-request-id", b"")
        self.id = given if given and _SANE_ID.fullmatch(given) else secrets.token_hex(8).encode()
        listed = {token.strip() for token in read.get(b"connection", b"").lower().split(b",")} - _USUAL
        if listed:
            lines = [line for line in lines if line.partition(b":")[0] not in listed]
        self.read = read
        self.lines = lines
        self.group = read.get(b"ai-resource-group", b"").decode("latin-1").strip() or DEFAULT_GROUP
        kind, _, token = read.get(b"authorization", b"").partition(b" ")
        self.token = token.strip().decode("latin-1") if kind.lower() == b"bearer" else None
        self.credential: tuple[bool, bytes] | None = None
        if self.token is not None:
            self.credential = True, hashlib.sha256(read[b"authorization"]).digest()
        elif _SESSION in read.get(b"cookie", b""):
            self.credential = False, hashlib.sha256(read[b"cookie"]).digest()
        length = read.get(b"content-length")
        self.has_body = b"transfer-encoding" in read or (length is not None and length != b"0")
        self.length = int(length) if length is not None and length.isdigit() else None
        if length is None and not self.has_body:
            self.length = 0

    def head(self, more: bytes, *, whole: int | None) -> bytes:
        """The request's head for the server. more: lines that tell of server and address.

        whole: how long the body is where all of it is at hand; else it goes on as it came.
        """
        length = self.length if whole is None else whole
        if length is None:
            framing = b"transfer-encoding: chunked\r\n"
        elif length or self.method in _WITH_BODY or b"content-length" in self.read:
            framing = b"content-length: %d\r\n" % length
        else:
            framing = b""
        return b"%b %b HTTP/1.1\r\n%b%b%bx-request-id: %b\r\n\r\n" % (
            self.method.encode(),
            self.target,
            more,
            b"".join(self.lines),
            framing,
            self.id,
        )
