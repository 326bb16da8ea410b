"""Clients of a deployment on a running stack: one call, or many at once for as long as it takes."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import httpx

from tests.stack import Stack


def token(stack: Stack) -> str:
    """An access token of an editor of the group `tutorial`."""
    key = stack.do("issue_key", name="caller")
    answer = httpx.post(
        f"http://127.0.0.1:{stack.port}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(key["clientid"], key["clientsecret"]),
    )
    return answer.json()["access_token"]


def call(stack: Stack, bearer: str, deployment: str, path: str = "/", **options: object) -> httpx.Response:
    """One GET of a path below the address of a deployment."""
    return httpx.get(
        f"http://127.0.0.1:{stack.port}/v2/inference/deployments/{deployment}{path}",
        headers={"Authorization": f"Bearer {bearer}", "AI-Resource-Group": "tutorial"},
        timeout=30,
        **options,
    )


@dataclass
class Load:
    """Clients that call a deployment one request after the other until the block ends.

    per_second: of all of them together, 0 for as fast as they can. words: first words of good answers, by how
    often; failures: what came instead.
    """

    port: int
    bearer: str
    deployment: str
    clients: int = 8
    per_second: float = 0.0
    words: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._go, daemon=True) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(120)

    @property
    def count(self) -> int:
        """Requests that have come back, well or not."""
        with self._lock:
            return sum(self.words.values()) + len(self.failures)

    def _go(self) -> None:
        pause = self.clients / self.per_second if self.per_second else 0.0
        connection: http.client.HTTPConnection | None = None
        headers = {"Authorization": f"Bearer {self.bearer}", "AI-Resource-Group": "tutorial"}
        while not self._over.wait(pause):
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                connection.request("GET", f"/v2/inference/deployments/{self.deployment}/x", headers=headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                said = text.split()[0] if answer.status == 200 else ""
                failure = "" if answer.status == 200 else f"{answer.status} {text[:300]}"
            except (OSError, http.client.HTTPException) as error:
                said, failure = "", repr(error)
                connection.close()
                connection = None
            with self._lock:
                if failure:
                    self.failures.append(failure)
                else:
                    self.words[said] += 1
        if connection is not None:
            connection.close()
