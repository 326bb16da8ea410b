"""Secrets at rest, encrypted under a list of keys, the model field that keeps them, and signatures."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class Unreadable(RuntimeError):
    """A stored secret that none of FIELD_KEYS opens."""


@functools.cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: Any) -> str:
    """Any JSON value as text that only a holder of the first of FIELD_KEYS reads."""
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return _box(tuple(settings.FIELD_KEYS)).encrypt(plain.encode()).decode()


def unseal(text: str) -> Any:
    """What `seal` was given, under any of FIELD_KEYS. Raises Unreadable."""
    try:
        return json.loads(_box(tuple(settings.FIELD_KEYS)).decrypt(text.encode()))
    except InvalidToken as error:
        raise Unreadable(
            "A stored secret cannot be read with FIELD_KEYS. Add the key it was made with."
        ) from error


def reseal(text: str) -> str:
    """The same value under the first of FIELD_KEYS. Raises Unreadable."""
    try:
        return _box(tuple(settings.FIELD_KEYS)).rotate(text.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("A stored secret cannot be read with FIELD_KEYS.") from error


@functools.cache
def _signing_keys(keys: tuple[str, ...]) -> dict[str, bytes]:
    """By their public names, in the order of the keys that they are derived from."""
    made = [HKDF(hashes.SHA256(), 32, None, b"signatures of records").derive(key.encode()) for key in keys]
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in made}


def sign(record: bytes) -> str:
    """A signature (HMAC-SHA256) under a key derived from the first of FIELD_KEYS: `<key's name>:<hex>`."""
    name, key = next(iter(_signing_keys(tuple(settings.FIELD_KEYS)).items()))
    return f"{name}:{hmac.new(key, record, hashlib.sha256).hexdigest()}"


def signer(signature: str) -> int | None:
    """Which of FIELD_KEYS a signature is of, 0 for the first; None for one that is not among them."""
    names = list(_signing_keys(tuple(settings.FIELD_KEYS)))
    name = signature.partition(":")[0]
    return names.index(name) if name in names else None


def is_signed(record: bytes, signature: str) -> bool:
    """Whether a signature under any of FIELD_KEYS is of this very record."""
    name, _, told = signature.partition(":")
    key = _signing_keys(tuple(settings.FIELD_KEYS)).get(name)
    return key is not None and hmac.compare_digest(
        hmac.new(key, record, hashlib.sha256).hexdigest().encode(), told.encode()
    )


class SealedField(models.TextField):
    """A JSON value, encrypted in the database; it cannot be searched for, and is never empty."""

    # What type checkers take for the values; a text field's would be texts.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> str:
        """The text that is stored."""
        return seal(value)

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Any:
        """The value as it was given. Raises Unreadable."""
        return None if value is None else unseal(value)

    def to_python(self, value: Any) -> Any:
        """Unchanged: any JSON value is one."""
        return value
