"""Paths in a template: where a step sees something, and which part of it."""

from __future__ import annotations

import posixpath

from mlops.manifests.fields import Section
from mlops.manifests.nodes import shown

_FIXED = "must be fixed: placeholders cannot stand here"


def absolute_path(section: Section, key: str) -> str:
    """A required path from the root, normalised; "" after an error."""
    path = section.required(key, limit=1000)
    if not path.strip():
        return ""
    if "{{" in path:
        section.error(key, _FIXED)
    elif not path.startswith("/") or path.startswith("//"):
        section.error(key, f"{shown(path)!r} must be an absolute path such as /app/data")
    elif ".." in path.split("/") or any(not char.isprintable() for char in path):
        section.error(key, f"{shown(path)!r} must not hold .. or control characters")
    elif posixpath.normpath(path) == "/":
        section.error(key, "must not be the root folder")
    else:
        return posixpath.normpath(path)
    return ""


def inner_path(section: Section, key: str) -> str | None:
    """A path inside something, normalised; None when absent, when it means the whole, after an error."""
    given = section.text(key, limit=1000)
    if not given:
        return None
    if "{{" in given:
        section.error(key, _FIXED)
    elif given.startswith("/") or ".." in given.split("/") or any(not char.isprintable() for char in given):
        section.error(key, f"{shown(given)!r} must be a path inside it, without ..")
    else:
        kept = posixpath.normpath(given)
        return None if kept == "." else kept
    return None
