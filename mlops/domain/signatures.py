"""What steps say of the content of their outputs: read, checked against ours, handed to later runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from launchpad.errors import Invalid
from mlops import storage
from mlops.models import Artifact

# The name of the output parameter, and of the variable of later runs.
NAME = "AICORE_ARTIFACT_SIGNATURES"
LENGTH_LIMIT = 1024
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


def read(texts: Iterable[str]) -> dict[str, str]:
    """Signatures by globalName from what steps left as JSON objects; a later one counts.

    Raises Invalid for what is no object of texts of at most 1,024 characters.
    """
    found: dict[str, str] = {}
    for text in texts:
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not all(
            isinstance(value, str) and len(value) <= LENGTH_LIMIT and "\0" not in value
            for value in given.values()
        ):
            raise Invalid(
                f"The output {NAME} must be a JSON object of globalName to signature, "
                f"texts of at most {LENGTH_LIMIT:,} characters."
            )
        found |= given
    return found


def check(name: str, signature: str, stored: storage.Inspection) -> None:
    """Raise Invalid when the signature is the SHA-256 of a single file, and not of the one stored."""
    match = _SHA256.fullmatch(signature)
    if match and not stored.is_folder and match[1].lower() != stored.digest:
        raise Invalid(
            f"The output {name} was signed with {match[1].lower()[:12]}…, but what was stored has the "
            f"checksum {stored.digest[:12]}…: it changed after it was signed."
        )


def variable(inputs: Mapping[str, Artifact]) -> dict[str, str]:
    """The environment variable that tells a step the signatures of its inputs; none when there are none."""
    signed = {name: artifact.signature for name, artifact in inputs.items() if artifact.signature}
    return {NAME: json.dumps(signed, sort_keys=True)} if signed else {}
