"""Labels of resource groups and secrets: {key, value}, the key below ext.ai.sap.com/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from launchpad.errors import Invalid

VALUE_LIMIT = 5000
COUNT_LIMIT = 100
# The contract's pattern repeats a repetition, which takes for ever on some texts; this one means the same.
KEY = re.compile(r"ext\.ai\.sap\.com/[A-Za-z0-9]([A-Za-z0-9_.-]{0,46}[A-Za-z0-9])?\Z")
KEY_RULE = (
    "A label's key is ext.ai.sap.com/ and 1 to 48 letters, digits, dots, hyphens and underscores, "
    "a letter or digit first and last."
)


def checked(labels: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The labels by key. Raises Invalid for more than 100, a wrong or doubled key, and a value over 5,000
    characters or that no database can hold."""
    found: dict[str, str] = {}
    for label in labels:
        key, value = label["key"], label["value"]
        if not KEY.match(key):
            _refuse(KEY_RULE)
        if key in found:
            _refuse(f"The label {key} is given twice.")
        if len(value) > VALUE_LIMIT or any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value):
            _refuse(f"The value of the label {key} is at most {VALUE_LIMIT} characters of plain text.")
        found[key] = value
    if len(found) > COUNT_LIMIT:
        _refuse(f"{len(found)} labels are given; at most {COUNT_LIMIT} are allowed.")
    return [{"key": key, "value": found[key]} for key in sorted(found)]


def _refuse(sentence: str) -> None:
    raise Invalid(sentence, fields={"labels": sentence})
