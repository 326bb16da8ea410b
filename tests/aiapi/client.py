"""A client of the AI API such as people have: a service key, a token that is used again, checked answers.

It behaves as existing Python clients do on the wire: `top` and `skip` without a dollar, `True` for truth,
lists joined by commas, nothing sent for what is empty, and a token fetched anew only when less than an hour
is left.
"""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.aiapi import shapes

ANEW_SECONDS = 3600
MERGE = "application/merge-patch+json"


class Client:
    """One service key in one resource group.

    long_base: the base address is <host>/v2/lm, and administration is reached by cutting three characters, as
    one family of clients does; else it is <host>/v2. tokens: how often a token was fetched.
    """

    def __init__(self, key: dict[str, Any], group: str, *, long_base: bool = False) -> None:
        self.key = key
        self.long_base = long_base
        self.base = f"{key['serviceurls']['AI_API_URL']}/v2" + ("/lm" if long_base else "")
        self.group = group
        self.http = httpx.Client(timeout=60, follow_redirects=False)
        self.tokens = 0
        self._token = ""
        self._until = 0.0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    @property
    def token(self) -> str:
        """The bearer token, fetched when there is none that lasts."""
        if self._until - time.monotonic() < ANEW_SECONDS:
            answer = self.http.post(
                f"{self.key['url']}/oauth/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": self.key["clientid"],
                    "client_secret": self.key["clientsecret"],
                },
            )
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert type(said["expires_in"]) is int
            assert said["token_type"].lower() == "bearer"
            self._token = said["access_token"]
            self._until = time.monotonic() + said["expires_in"]
            self.tokens += 1
        return self._token

    def url(self, path: str) -> str:
        """The address of a path below /v2, made as the client's family makes it."""
        if not self.long_base:
            return self.base + path
        return self.base + path.removeprefix("/lm") if path.startswith("/lm") else self.base[:-3] + path

    def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Any request with the token and the group; sent: what httpx takes."""
        headers = {"Authorization": f"Bearer {self.token}", "AI-Resource-Group": self.group}
        headers |= sent.pop("headers", {})
        return self.http.request(method, self.url(path), headers=headers, **sent)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int,
        shape: str = "",
        media: str = "application/json",
        asked: dict[str, Any] | None = None,
        **query: Any,
    ) -> Any:
        """The checked answer to a request; None where it has no body.

        status: what must come. shape: its name in `shapes`, by default the envelope for a refusal and an
        empty body for a success. query: `$` is written `dollar_`; empty ones are left out. asked: more of it.
        """
        sent: dict[str, Any] = {"params": _query(query | (asked or {}))}
        if body is not None:
            sent["json"] = body
            sent["headers"] = {"Content-Type": media}
        answer = self.send(method, path, **sent)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        if status >= 400:
            shape = shape or "Error"
        if not shape:
            assert answer.content == b"", answer.text[:1000]
            return None
        if shape == "integer":
            assert answer.headers["Content-Type"].startswith("text/plain")
            return int(answer.text)
        found = shapes.check(shape, answer.json())
        assert status >= 400 or not isinstance(found, dict) or "error" not in found
        return found


def _query(given: dict[str, Any]) -> dict[str, str]:
    made = {}
    for name, value in given.items():
        if value in (None, "", 0, False, [], ()):
            continue
        text = ",".join(value) if isinstance(value, list | tuple) else str(value)
        made[name.replace("dollar_", "$")] = text
    return made
