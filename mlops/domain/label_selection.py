"""Rows by their labels, a list of {key, value}, the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from django.db.models import BooleanField, F, Func, Model, QuerySet

Row = TypeVar("Row", bound=Model)


class Selector(NamedTuple):
    """One condition on labels: the key has the value, or, excluded, has not; without the key it has not."""

    key: str
    value: str
    excluded: bool = False


class _HasLabel(Func):
    """Whether a list of labels holds one."""

    output_field = BooleanField()

    def __init__(self, field: str, selector: Selector) -> None:
        self.selector = selector
        super().__init__(F(field))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """One containment test."""
        column, params = compiler.compile(self.source_expressions[0])
        label = json.dumps([{"key": self.selector.key, "value": self.selector.value}])
        return f"{column} @> %s::jsonb", [*params, label]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        """SQLite has no containment test; its lists are looked through."""
        column, params = compiler.compile(self.source_expressions[0])
        sql = (
            f"EXISTS (SELECT 1 FROM json_each({column}) label WHERE json_extract(label.value, '$.key') = %s "
            "AND json_extract(label.value, '$.value') = %s)"
        )
        return sql, (*params, self.selector.key, self.selector.value)


def with_labels(
    rows: QuerySet[Row], selectors: Iterable[Selector], *, field: str = "labels"
) -> QuerySet[Row]:
    """The rows whose labels meet every condition. field: the name of the JSON column."""
    for selector in selectors:
        label = _HasLabel(field, selector)
        rows = rows.exclude(label) if selector.excluded else rows.filter(label)
    return rows


def meets(labels: Iterable[Mapping[str, str]], selectors: Iterable[Selector]) -> bool:
    """Whether labels that are at hand meet every condition."""
    held = {(label["key"], label["value"]) for label in labels}
    return all(((one.key, one.value) in held) is not one.excluded for one in selectors)
