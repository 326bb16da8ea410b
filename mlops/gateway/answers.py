"""The head of a server's answer as the client gets it: nothing in it may touch our own origin."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.gateway.connections import Broken

Headers = list[tuple[bytes, bytes]]

# What belongs to the connection, what the web server says by itself, and what a browser would take as said by
# Launchpad: cookies, the policies of the whole origin, workers that outlive a page.
_WITHHELD = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade "
    b"transfer-encoding server date set-cookie set-cookie2 clear-site-data strict-transport-security "
    b"content-security-policy content-security-policy-report-only x-content-type-options alt-svc "
    b"service-worker-allowed public-key-pins expect-ct nel report-to reporting-endpoints "
    b"origin-agent-cluster access-control-allow-credentials x-request-id x-launchpad-revision".split()
)
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"sandbox"))
_NO_STORE = (b"cache-control", b"no-store")


def passed_on(
    status: int, headers: Sequence[tuple[bytes, bytes]], own: Sequence[tuple[bytes, bytes]]
) -> Headers:
    """The headers for the client; own: what the gateway says of the request. Raises Broken for a bad head."""
    found = [pair for pair in headers if pair[0] not in _WITHHELD]
    if len(found) != len(headers):
        found = _checked(headers, found)
    if not any(name == b"cache-control" for name, _ in found):
        found.append(_NO_STORE)
    if status in (204, 304):
        found = [pair for pair in found if pair[0] != b"content-length"]
    if status > 599:
        raise Broken(f"It answered with the status {status}.")
    found += _SAFE
    found += own
    return found


def _checked(headers: Sequence[tuple[bytes, bytes]], found: Headers) -> Headers:
    for name, value in headers:
        if name == b"transfer-encoding" and value.lower() != b"chunked":
            raise Broken("It encodes its answer in a way that was not asked for.")
        if name == b"connection":
            listed = {token.strip() for token in value.lower().split(b",")}
            found = [pair for pair in found if pair[0] not in listed]
    return found
