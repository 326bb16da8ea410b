"""Addresses of stored things: `ai://<store>/<path>`, taken literally and checked before any use."""

import re
import unicodedata
from dataclasses import dataclass

from launchpad.errors import Invalid

URL_LIMIT = 1024
SEGMENT_BYTES = 255
# Objects grow here under a random name and move to their place when whole.
INCOMING = ".incoming"
_SCHEME = "ai://"
_STORE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")
# The store's library keeps `name#1` for its own unfinished files and reads `c:` as a drive.
_UNSTORABLE = re.compile(r"(#[0-9]+|[A-Za-z]:)\Z")


@dataclass(frozen=True)
class Location:
    """A place in a store. path: one or more segments joined by `/`, already checked."""

    store: str
    path: str


def check_path(path: str) -> str:
    """The path itself, from a store's root, or Invalid: 1 to 1024 characters of plain segments."""
    if check_relative(path).split("/")[0] == INCOMING:
        raise Invalid(f"“{INCOMING}” is kept for unfinished uploads. Choose another folder.")
    return path


def check_relative(path: str) -> str:
    """The path below some folder itself, or Invalid with the reason, as for `check_path`."""
    if len(path) > URL_LIMIT:
        raise Invalid(f"The path is {len(path)} characters long; at most {URL_LIMIT} are allowed.")
    for segment in path.split("/"):
        _check_segment(segment, path)
    if _UNSTORABLE.search(path):
        raise Invalid(f"“{path}” ends in # and a number or in a letter and a colon. Choose another name.")
    return path


def _check_segment(segment: str, path: str) -> None:
    shown = printable(path)
    if not segment:
        raise Invalid(
            f"“{shown}” has an empty part: no slash may stand at its start or end, or beside another."
        )
    if segment in {".", ".."}:
        raise Invalid(f"“{shown}” contains “{segment}”. Give the path without . and .. in it.")
    if "\\" in segment or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in segment):
        raise Invalid(
            f"“{shown}” contains a backslash, a control character or broken text; these cannot be stored."
        )
    if len(segment.encode()) > SEGMENT_BYTES:
        raise Invalid(f"A name in “{shown[:80]}…” is longer than {SEGMENT_BYTES} bytes.")


def printable(text: str) -> str:
    """The text with everything unprintable replaced, safe in a sentence."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def parse_url(text: str) -> Location:
    """The place an `ai://<store>/<path>` address names; the path is taken literally, nothing is decoded.

    Raises Invalid for another scheme, more than 1024 characters, a missing path, `.` and `..`, empty
    parts, a slash at the end, backslashes and control characters. Does not look whether it exists.
    """
    if len(text) > URL_LIMIT:
        raise Invalid(f"The address is {len(text)} characters long; at most {URL_LIMIT} are allowed.")
    if not text.startswith(_SCHEME):
        raise Invalid("The address must start with ai:// and a store, as in ai://default/data.")
    store, _, path = text.removeprefix(_SCHEME).partition("/")
    if not is_store_name(store):
        raise Invalid(
            "The store's name consists of lower-case letters, digits, dots and hyphens, as in ai://default/data."
        )
    if not path:
        raise Invalid("The address names no file or folder in the store; give one, as in ai://default/data.")
    return Location(store, check_path(path))


def is_store_name(text: str) -> bool:
    """Whether a store may bear this name in an address."""
    return _STORE.match(text) is not None


def url(location: Location) -> str:
    """The `ai://` address of a place."""
    return f"{_SCHEME}{location.store}/{location.path}"
