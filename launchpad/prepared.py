"""Queries of nearly every request: phrasing one takes Django longer than answering it, so it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.utils import create_namedtuple_class

Value = str | UUID


def planned() -> Any:
    """A cursor for a query that is asked again and again: PostgreSQL plans it once a connection."""
    return connection.prepared_cursor() if connection.vendor == "postgresql" else connection.cursor()


def holding(table: str) -> str:
    """The end of a query whose rows of a table nobody deletes or hides until the end of the transaction.

    It keeps nobody else from doing the same, as Django's own locks would. Empty on SQLite, where one
    transaction writes at a time.
    """
    return f' FOR KEY SHARE OF "{table}"' if connection.vendor == "postgresql" else ""


@dataclass(frozen=True)
class _Phrase:
    """A query as text. order: which of the values goes where. converters: of columns, by place."""

    sql: str
    order: tuple[int, ...]
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]
    make: type[tuple[Any, ...]]


class Prepared:
    """A query for tuples with open values.

    build: makes the queryset of named tuples for some values; anything else it holds stays as it is at the
    first use. samples: values of the kinds that will come, each different from all that the query holds.
    held: a table whose rows nobody deletes until the end of the transaction.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *samples: Value, held: str = "") -> None:
        self._build = build
        self._samples = samples
        self._held = held
        self._phrase: _Phrase | None = None

    def rows(self, *values: Value) -> list[Any]:
        """The rows for these values, as the queryset would give them. Raises ValueError for no UUID."""
        phrase = self._phrase
        if phrase is None:
            phrase = self._phrase = self._phrased()
        given = [_stored(value, sample) for value, sample in zip(values, self._samples, strict=True)]
        with planned() as cursor:
            cursor.execute(phrase.sql, [given[place] for place in phrase.order])
            found = cursor.fetchall()
        return [tuple.__new__(phrase.make, _converted(row, phrase)) for row in found]

    def _phrased(self) -> _Phrase:
        rows = self._build(*self._samples)
        compiler = rows.query.get_compiler(rows.db)
        sql, held = compiler.as_sql()
        places = {_stored(sample, sample): place for place, sample in enumerate(self._samples)}
        if set(places) != set(held):
            raise ValueError("A prepared query holds its samples and no other values.")
        columns = [column for column, _sql, _alias in compiler.select[: compiler.col_count]]
        return _Phrase(
            f"{sql}{holding(self._held)}" if self._held else sql,
            tuple(places[value] for value in held),
            compiler.get_converters(columns),
            create_namedtuple_class(*rows._fields),
        )


def _stored(value: Value, sample: Value) -> Any:
    """A value as the database's driver takes it; a text where a UUID is meant is read as one."""
    if not isinstance(sample, UUID):
        return value
    key = value if isinstance(value, UUID) else UUID(value)
    return key if connection.features.has_native_uuid_field else key.hex


def _converted(row: tuple[Any, ...], phrase: _Phrase) -> list[Any]:
    values = list(row)
    for place, (converters, column) in phrase.converters.items():
        for converter in converters:
            values[place] = converter(values[place], column, connection)
    return values
