"""Webhooks: which addresses may be asked, signatures after Standard Webhooks, and sending."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import http.client
import ipaddress
import queue
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

URL_LIMIT = 2000
READ_LIMIT = 64 * 1024
_PREFIX = "whsec_"
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?\Z")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
# IPv6 addresses that lead to the IPv4 address in their last 32 bits.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# What Python's tables call public and is not: a network's own translation (RFC 8215), which may hold an IPv4
# address anywhere; documentation (RFC 9637); protocols; relays of 6to4.
_INNER = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b:1::/48", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24")
)
_SHORTEST_PIECE = 3
_ATTEMPTS = 3
_SHOWN = 200


class Refused(Exception):
    """The address may not be asked, now or ever; its text is a sentence."""


class Unreached(Exception):
    """No answer came; its text is a sentence."""


@dataclass(frozen=True)
class Target:
    """Where a webhook is: what a client needs of its URL. host: as it is told to the server."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Host and port, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """What everybody may see of it."""
        return f"{self.scheme}://{self.place}/…"


@dataclass(frozen=True)
class Answer:
    """What the server said. status: of HTTP; text: the beginning of its body, in one line, without what it
    repeats of the URL, as the URL may be a password."""

    status: int
    text: str


def read(url: str, allowed: Sequence[str]) -> Target:
    """The target of a URL, its name not yet resolved. allowed: hosts as of WEBHOOK_HOSTS. Raises Refused."""
    url = url.strip()
    if not url:
        raise Refused("The URL begins with https:// and names a host.")
    if len(url) > URL_LIMIT or not _PRINTABLE.match(url) or "\\" in url:
        raise Refused(f"A URL is at most {URL_LIMIT} characters of ASCII without blanks.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise Refused("This URL cannot be read. It begins with https:// and names a host.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Refused("The URL begins with https:// and names a host.")
    if "@" in parts.netloc:
        raise Refused("Leave name and password out of the URL: what is sent is signed instead.")
    literal = _literal(host)
    if literal is None and (not _NAME.match(host) or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2])):
        raise Refused(f"{host[:100]} is not the name of a host.")
    port = port if port is not None else {"http": 80, "https": 443}[parts.scheme]
    if port == 0:
        raise Refused("Nobody listens on port 0.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port, path)
    if not is_named(target, allowed):
        if parts.scheme != "https":
            raise Refused("Webhooks go by https alone. An administrator can name the host in WEBHOOK_HOSTS.")
        if literal is not None:
            _check(host, literal)
    return target


def is_named(target: Target, allowed: Sequence[str]) -> bool:
    """Whether the administrator named the host, so that any address of it will do."""
    names = {target.host, f"{target.host}:{target.port}", target.place}
    return any(one in names or (one.startswith(".") and target.host.endswith(one)) for one in allowed)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address.teredo is not None or address.scope_id:
            return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or any(address in net for net in _INNER)
    )


def _check(host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not is_public(address):
        raise Refused(
            f"{host} is not a public address on the internet. An administrator can name it in WEBHOOK_HOSTS."
        )


def addresses(target: Target, allowed: Sequence[str], *, seconds: float) -> list[str]:
    """The addresses of the target's host, each of which may be asked.

    Raises Refused when one may not, Unreached when there is none within so many seconds.
    """
    found = _resolve(target, seconds)
    if not is_named(target, allowed):
        for address in found:
            _check(target.host, ipaddress.ip_address(address))
    return found


def _resolve(target: Target, seconds: float) -> list[str]:
    """By a thread of its own: the system's resolver knows no time limit."""
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise Unreached(f"The name {target.host} was not resolved within {seconds:g} s.") from None
    if isinstance(found, Exception) or not found:
        raise Unreached(f"The host {target.host} has no address.")
    return found


def make_secret() -> str:
    """A new secret for signatures: `whsec_` and base64 of 32 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(key: str, body: bytes, *, at: int, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a message. at: Unix time; secrets: each signs, the newest first."""
    message = f"{key}.{at}.".encode() + body
    signatures = []
    for secret in secrets:
        try:
            raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise Refused("The secret of the rule cannot be read. Rotate it.") from error
        digest = hmac.new(raw, message, hashlib.sha256).digest()
        signatures.append(f"v1,{base64.b64encode(digest).decode()}")
    return {"webhook-id": key, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


class _Guarded(http.client.HTTPConnection):
    """A connection to the one address that was checked, cut when its time is over."""

    def __init__(self, target: Target, address: str, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target, self._address = target, address
        self.is_over = False
        self._cord: socket.socket | None = None
        self._watch = threading.Timer(seconds, self._cut)
        self._watch.daemon = True

    def connect(self) -> None:
        """Connect to the address; the name goes into the certificate's check alone."""
        self._watch.start()
        raw = socket.create_connection((self._address, self._target.port), timeout=self.timeout)
        # The same connection under another number, which stays good when TLS takes the first.
        self._cord = raw.dup()
        try:
            if self.is_over:
                # It was over before there was anything to cut.
                raise TimeoutError
            if self._target.scheme == "https":
                context = ssl.create_default_context()
                self.sock = context.wrap_socket(raw, server_hostname=self._target.host)
            else:
                self.sock = raw
        except BaseException:
            raw.close()
            raise

    def _cut(self) -> None:
        self.is_over = True
        if self._cord is not None:
            try:
                self._cord.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side was faster.
                return

    def end(self) -> None:
        """Leave nothing open. The library closes its side when the headers are there; the watch goes on."""
        self._watch.cancel()
        self.close()
        if self._cord is not None:
            self._cord.close()
            self._cord = None


def post(
    target: Target, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[str], seconds: float
) -> Answer:
    """Send a body and return the answer, of which at most READ_LIMIT is read; redirects are answers.

    The name is resolved and checked anew, and the very address that was checked is connected to. allowed: as
    of `read`. seconds: for the name, and for all of the rest. Raises Refused, Unreached.
    """
    failure: Exception | None = None
    found = addresses(target, allowed, seconds=seconds)[:_ATTEMPTS]
    end = time.monotonic() + seconds
    for address in found:
        connection = _Guarded(target, address, max(end - time.monotonic(), 0.001))
        try:
            connection.connect()
        except (OSError, ValueError) as error:
            failure = failure or (TimeoutError() if connection.is_over else error)
            connection.end()
            if isinstance(failure, TimeoutError):
                break
            continue
        try:
            return _exchange(connection, target, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if connection.is_over or isinstance(error, TimeoutError):
                raise Unreached(f"{target.host} did not answer within {seconds:g} s.") from error
            raise Unreached(f"{target.host} broke off: {_words(error)}.") from error
        finally:
            connection.end()
    if isinstance(failure, TimeoutError):
        raise Unreached(f"{target.host} did not answer within {seconds:g} s.") from failure
    raise Unreached(f"{target.host} could not be reached: {_words(failure)}.") from failure


def _exchange(connection: _Guarded, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
    fixed = {"Host": target.place, "User-Agent": "Launchpad", "Connection": "close"}
    fixed |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    for name, value in (fixed | dict(headers)).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    if connection.is_over:
        # The cut looks like the end of the headers.
        raise TimeoutError
    said = b""
    try:
        said = response.read(READ_LIMIT)
    except (OSError, http.client.HTTPException):
        # The status has been told; what a server says beside it does not matter.
        said = b""
    finally:
        response.close()
    text = "".join(letter if letter.isprintable() else " " for letter in said.decode(errors="replace"))
    return Answer(response.status, _masked(" ".join(text.split()), target.path)[:_SHOWN])


def _masked(text: str, path: str) -> str:
    """The text without the pieces of a path and query, in whatever form servers repeat them in errors."""
    pieces = {piece for piece in re.split(r"[/?&=]", path) if piece}
    forms = pieces | {unquote(piece) for piece in pieces}
    forms |= {html.escape(form) for form in forms}
    longest = sorted((form for form in forms if len(form) >= _SHORTEST_PIECE), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), "…", text, flags=re.IGNORECASE) if longest else text


def _words(error: Exception | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as it should"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if error is not None else "it has no address"
