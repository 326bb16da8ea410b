"""Rows that contain a text, with or without regard to case, the same on both databases."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

Row = TypeVar("Row", bound=Model)


def folded(text: str) -> str:
    """A text without its case, the same on both databases."""
    return text.casefold()


def containing(rows: QuerySet[Row], words: str, *fields: str, any_case: bool) -> QuerySet[Row]:
    """The rows that have the words in one of the fields, all of them for "".

    any_case: SQLite folds the case of ASCII only. `%` and `_` mean themselves.
    """
    if not words:
        return rows
    found = Q()
    for field in fields:
        if any_case:
            found |= Q(**{f"{field}__icontains": words})
        else:
            # `contains` ignores the case on SQLite.
            found |= Q(GreaterThan(StrIndex(F(field), Value(words)), 0))
    return rows.filter(found)
