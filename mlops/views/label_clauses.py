"""Conditions on labels as people write them in an address: `team=red`, `stage!=old`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops.domain.label_selection import Selector
from mlops.domain.limits import KEY_LIMIT, TEXT_LIMIT, storable
from mlops.domain.limits import LABEL_PREFIX as PREFIX

CLAUSES = 10
_CLAUSE = re.compile(r"(?P<key>[\w./-]+?)\s*(?P<not>!?)=\s*(?P<value>.*\S)\s*\Z", re.DOTALL)


def read(texts: Iterable[str]) -> tuple[list[Selector], list[str]]:
    """The conditions that can be read, at most CLAUSES, and a sentence for each of the others.

    A key without prefix gets `ext.ai.sap.com/`. Blank texts are nothing.
    """
    found: list[Selector] = []
    problems: list[str] = []
    for text in filter(str.strip, texts):
        clause = _clause(text)
        if clause is None:
            problems.append(
                f"“{text[:60]}” is no condition on a label and was left out. Write key=value or key!=value."
            )
        elif len(found) == CLAUSES:
            problems.append(f"Only {CLAUSES} conditions on labels count; the rest was left out.")
            break
        elif clause not in found:
            found.append(clause)
    return found, problems


def _clause(text: str) -> Selector | None:
    match = _CLAUSE.match(text.strip()) if storable(text) and len(text) <= KEY_LIMIT + TEXT_LIMIT else None
    if match is None:
        return None
    key = match["key"] if match["key"].startswith(PREFIX) else PREFIX + match["key"]
    return Selector(key, match["value"], excluded=bool(match["not"])) if len(key) <= KEY_LIMIT else None


def write(selector: Selector) -> str:
    """A condition as it stands in an address."""
    return f"{short(selector.key)}{'!=' if selector.excluded else '='}{selector.value}"


def short(key: str) -> str:
    """A label's key without the prefix that all of them have."""
    return key.removeprefix(PREFIX)
