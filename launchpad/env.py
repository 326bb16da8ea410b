"""Reads the process environment; nothing else in the project does."""

import base64
import binascii
import os
from pathlib import Path

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


class BadEnvironment(RuntimeError):
    """A variable holds something that cannot be used; the text names it and says what would do."""


def text(name: str, default: str = "") -> str:
    """The variable's text without surrounding blanks; an empty one counts as absent."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    """A yes or no: 1 true yes on, or 0 false no off, in any case."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise BadEnvironment(f"{name} is {value!r}; use 1 or 0.")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number not below `minimum`."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise BadEnvironment(f"{name} is {value!r}; use a whole number.") from error
    if number < minimum:
        raise BadEnvironment(f"{name} is {number}; use {minimum} or more.")
    return number


def seconds(name: str, default: float) -> float:
    """A positive number of seconds, fractions allowed."""
    value = text(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError as error:
        raise BadEnvironment(f"{name} is {value!r}; use a number of seconds.") from error
    if not number > 0:
        raise BadEnvironment(f"{name} is {value}; use more than 0.")
    return number


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    """One of a few words."""
    value = text(name, default).lower()
    if value not in among:
        raise BadEnvironment(f"{name} is {value!r}; use {', '.join(among)}.")
    return value


def words(name: str) -> list[str]:
    """A comma-separated list without empty entries."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def keys(name: str, file: Path | None = None) -> list[str]:
    """Keys of Fernet, from the variable or, where that is absent, from a file that may be missing too.

    Each is 32 bytes in URL-safe base64; one that is not would fail only when the first secret is stored.
    """
    found = words(name) or (file.read_text().split() if file and file.exists() else [])
    for number, key in enumerate(found, 1):
        try:
            usable = len(base64.urlsafe_b64decode(key)) == 32
        except (binascii.Error, ValueError):
            usable = False
        if not usable:
            raise BadEnvironment(f"Key {number} of {name} is no 32 bytes in URL-safe base64.")
    return found


def folder(name: str, default: Path) -> Path:
    """An absolute folder; it need not exist."""
    return Path(text(name) or default).expanduser().resolve()
