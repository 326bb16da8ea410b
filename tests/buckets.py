"""A private S3 server for one test run: moto's, as a process on loopback."""

from __future__ import annotations

import subprocess
import sys
import uuid

import httpx

from tests.servers import free_port
from tests.waiting import until


class S3Server:
    """An S3 server that keeps its objects until it is stopped, and takes any credentials."""

    def __init__(self) -> None:
        self.port = free_port()
        # Anybody's credentials do, but nobody's may not replace an object.
        signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"
        self._client = httpx.Client(timeout=60, headers={"Authorization": f"{signed}, Signature=0"})
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return self._client.get(f"{self.endpoint}/moto-api/").status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """Kill it; everything in it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(120)
            self.process = None

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"bucket-{uuid.uuid4().hex}"
        self._client.put(f"{self.endpoint}/{name}").raise_for_status()
        return name

    def put(self, bucket: str, key: str, body: bytes = b"") -> None:
        """An object as another program puts it there."""
        self._client.put(f"{self.endpoint}/{bucket}/{key}", content=body).raise_for_status()

    def keys(self, bucket: str) -> list[str]:
        """Keys of everything in a bucket, unfinished uploads included, as `uploading <key>`."""
        told = self._client.get(f"{self.endpoint}/{bucket}?list-type=2").text
        unfinished = self._client.get(f"{self.endpoint}/{bucket}?uploads").text
        return _texts(told, "Key") + [f"uploading {key}" for key in _texts(unfinished, "Key")]


def _texts(document: str, tag: str) -> list[str]:
    return [part.split(f"</{tag}>")[0] for part in document.split(f"<{tag}>")[1:]]
