"""What people type as the values of secrets and as labels, read into what the domain takes."""

from __future__ import annotations

import base64
import json
import re

from django.forms import ValidationError

PREFIX = "ext.ai.sap.com/"
_REGISTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,252}")


def read_values(text: str) -> dict[str, str]:
    """Key to base64, from lines `KEY=value` or a JSON object of texts. Raises ValidationError.

    No sentence shows what was typed.
    """
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValidationError("That begins like JSON and cannot be read as JSON.") from error
        if not all(isinstance(value, str) for value in found.values()):
            raise ValidationError("Each value of the JSON object is a text in quotation marks.")
    else:
        found = _lines(text)
    return {
        key: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode() for key, value in found.items()
    }


def read_labels(text: str) -> list[dict[str, str]]:
    """Labels from lines `key=value`; a key without a slash is taken below ext.ai.sap.com/."""
    return [
        {"key": key if "/" in key else PREFIX + key, "value": value} for key, value in _lines(text).items()
    ]


def write_labels(labels: list[dict[str, str]]) -> str:
    """Labels as lines, as `read_labels` reads them."""
    return "\n".join(f"{one['key']}={one['value']}" for one in labels)


def registry_document(address: str, username: str, password: str) -> str:
    """The JSON that container tools read, for one registry. Raises ValidationError."""
    if not _REGISTRY.fullmatch(address):
        raise ValidationError("Give the registry's host name, such as registry.example:5000.")
    login = base64.b64encode(f"{username}:{password}".encode()).decode()
    entry = {"username": username, "password": password, "auth": login}
    return json.dumps({"auths": {address: entry}})


def _lines(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ValidationError(f"Line {number} is not KEY=value.")
        if key in found:
            raise ValidationError(f"Line {number} gives a key that was given before.")
        found[key] = value.strip()
    return found
