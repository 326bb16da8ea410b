"""What a step needs around its command: secrets, volumes, retries; part of the typed form in `spec`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VolumeKind = Literal["scratch", "shared", "secret"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One value of a generic secret; optional: left out when the secret or the key is missing."""

    secret: str
    key: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """A variable whose value is a secret's."""

    name: str
    secret: SecretKey


@dataclass(frozen=True, slots=True)
class EnvFrom:
    """All values of a secret as variables, their names behind the prefix."""

    secret: str
    prefix: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder that steps mount.

    scratch: empty, one for each step; shared: one for the execution, shared by its steps; secret: the
    values of a generic secret as files, all of them or, as (key, path), the items. size_bytes: a limit.
    """

    name: str
    kind: VolumeKind
    secret: str | None = None
    items: Pairs = ()
    size_bytes: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """Where a step sees a volume of its template or of the workflow, or the part of it at sub_path."""

    volume: str
    path: str
    read_only: bool = False
    sub_path: str | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before a retry: duration × factor^n, at most cap; none begins max after the first attempt."""

    duration_seconds: float = 0.0
    factor: float | None = None
    cap_seconds: float | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """When a template is tried again. limit None: none is given, 20 at most all the same.

    policy: OnFailure, OnError, OnTransientError or Always, the default put in. expression: see
    `conditions.parse_expression`; it has to hold as well.
    """

    limit: int | None = None
    policy: str | None = "OnFailure"
    backoff: Backoff | None = None
    expression: str | None = None
