"""Buckets of S3-compatible servers as object stores: conditional writes, bounded waits, no secret told."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import re
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from django.conf import settings
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

from launchpad.errors import Invalid
from mlops.storage.addresses import INCOMING

if TYPE_CHECKING:
    from obstore import ObjectMeta

# A bucket takes 10,000 parts of this size for one object: 156 GiB. Three of them are in memory at once.
PART_BYTES = 16 * 1024 * 1024
_PARTS_AT_ONCE = 2
# What a server copies in one call, and how many times longer that may take than any other.
COPY_BYTES = 5 * 1024**3
_COPY_PATIENCE = 15
_RETRIES = 3
_BATCH = 1000
_ENDPOINT = re.compile(
    r"((?P<scheme>https?)://)?(?P<host>[a-z0-9.-]{1,253}|\[[0-9a-f.:]{2,45}\])(:(?P<port>[0-9]{1,5}))?/?"
)
_STATUS = re.compile(r"status code: (\d{3})")


@dataclass(frozen=True)
class S3Place:
    """Where a bucket is and how to get in. endpoint: scheme, host, perhaps a port. prefix: "" or a path."""

    endpoint: str
    region: str
    bucket: str
    prefix: str
    verify_ssl: bool
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


def endpoint(address: str, *, use_https: bool, region: str) -> str:
    """The address of a server with its scheme; without one that of the region at Amazon.

    address: `host[:port]`, perhaps with http:// or https://, which then goes before use_https. Raises Invalid
    for anything else, for link-local hosts, and for hosts that the setting S3_ENDPOINTS does not name.
    """
    text = (address or f"s3.{region}.amazonaws.com").lower()
    found = _ENDPOINT.fullmatch(text)
    if found is None or not _is_host(found["host"]) or not 0 < int(found["port"] or 1) < 65_536:
        raise Invalid("The endpoint is a host, perhaps with a port, such as s3.example.com or minio:9000.")
    _check_allowed(found["host"].strip("[]"), found["port"])
    scheme = found["scheme"] or ("https" if use_https else "http")
    return f"{scheme}://{found['host']}" + (f":{found['port']}" if found["port"] else "")


def _is_host(host: str) -> bool:
    """A name or an address, but no number that some libraries take for an address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return "[" not in host and not re.fullmatch(r"\d+|0x[0-9a-f]*", last)
    return True


def _check_allowed(host: str, port: str | None) -> None:
    names = {host, f"{host}:{port}"} if port else {host}
    allowed = settings.S3_ENDPOINTS
    if allowed and not any(one in names or (one[0] == "." and host.endswith(one)) for one in allowed):
        raise Invalid(
            f"This Launchpad reaches no S3 server at {host}. The administrator can name it in S3_ENDPOINTS."
        )
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return
    real = getattr(found, "ipv4_mapped", None) or found
    # Clouds tell their machines' credentials there.
    if real.is_link_local:
        raise Invalid(f"{host} is an address of this host's own network segment; no store may lie there.")


@functools.lru_cache(maxsize=64)
def _client(place: S3Place, patience: float) -> S3Store:
    """A client of the bucket that waits at most so many seconds for each answer, or for more of one."""

    def credentials() -> dict[str, object]:
        # To credentials given as text the library would add what it finds in the environment.
        return {
            "access_key_id": place.access_key_id,
            "secret_access_key": place.secret_access_key,
            "token": None,
            "expires_at": None,
        }

    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        endpoint=place.endpoint,
        region=place.region,
        skip_signature=False,
        virtual_hosted_style_request=False,
        copy_if_not_exists="multipart",
        credential_provider=credentials,  # type: ignore[arg-type]
        client_options={
            "allow_http": place.endpoint.startswith("http://"),
            "allow_invalid_certificates": not place.verify_ssl,
            "connect_timeout": timedelta(seconds=min(5.0, patience)),
            "read_timeout": timedelta(seconds=patience),
            # A download lasts as long as its reader takes; the limit is on each read.
            "timeout": timedelta(days=1),
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=patience),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


class S3Bucket:
    """A bucket, or the part of it below a prefix."""

    def __init__(self, place: S3Place) -> None:
        self.client = _client(place, settings.S3_TIMEOUT_SECONDS)
        self._copier = _client(place, settings.S3_TIMEOUT_SECONDS * _COPY_PATIENCE)

    def may_hold(self, _path: str) -> bool:
        """Always: buckets know no links."""
        return True

    def holds(self, meta: ObjectMeta) -> bool:
        """Whether a listed object is one: consoles mark folders by empty objects that are none."""
        if meta["size"]:
            return True
        try:
            obstore.head(self.client, meta["path"])
        except FileNotFoundError:
            return False
        return True

    def put(self, path: str, chunks: Iterator[bytes], *, overwrite: bool) -> None:
        """Write an object; a free path is taken by a condition that the server checks as it completes."""
        if overwrite:
            self._upload(path, chunks)
            return
        first, has_more = _beginning(chunks)
        if not has_more:
            obstore.put(self.client, path, first, mode="create", use_multipart=False)
            return
        # The library completes no upload on a condition, but it copies on one.
        staged = f"{INCOMING}/{uuid.uuid4().hex}"
        try:
            self._upload(staged, itertools.chain([first], chunks))
            self._move(staged, path)
        finally:
            obstore.delete(self.client, staged)

    def _upload(self, path: str, chunks: Iterable[bytes]) -> None:
        obstore.put(
            self.client,
            path,
            chunks,
            use_multipart=True,
            chunk_size=PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )

    def _move(self, staged: str, path: str) -> None:
        if obstore.head(self.client, staged)["size"] <= COPY_BYTES:
            obstore.copy(self._copier, staged, path, overwrite=False)
            return
        # Nothing copies this much at once, so it is sent again, with a look instead of a condition.
        try:
            obstore.head(self.client, path)
        except FileNotFoundError:
            stream = iter(obstore.get(self.client, staged).stream(min_chunk_size=1024 * 1024))
            # The library asks for chunks on a thread of its own, from which it may not be called again.
            with ThreadPoolExecutor(1) as reader:
                self._upload(path, iter(lambda: bytes(reader.submit(next, stream, b"").result()), b""))
        else:
            raise AlreadyExistsError(path)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; those that are gone already are fine."""
        remaining = iter(paths)
        while batch := list(itertools.islice(remaining, _BATCH)):
            obstore.delete(self.client, batch)

    def reason(self, error: Exception) -> str:
        """Why it failed, in words: servers repeat parts of what was sent."""
        found = _STATUS.search(str(error))
        status = found[1] if found else ""
        if status == "404" or isinstance(error, FileNotFoundError):
            return "its bucket does not exist, or the object is gone"
        if status in ("401", "403"):
            return "it refused the credentials of the store's secret"
        return f"it answered with status {status}" if status else "it did not answer"


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first bytes, at least PART_BYTES unless these are all, and whether there may be more."""
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) >= PART_BYTES:
            return bytes(found), True
    return bytes(found), False
