"""Rows of one query inside a row of another, so that a page asks once."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet, Subquery, TextField


class JsonRows(Subquery):
    """The rows of a query, in their order, as a list of lists of columns; `read` reads it.

    columns: their names in the database, which a query's `values` has in the same order.
    """

    output_field = TextField()
    empty_result_set_value = "[]"

    def __init__(self, rows: QuerySet[Any, Any], *columns: str) -> None:
        self.columns = ", ".join(f"one.{column}" for column in columns)
        super().__init__(rows)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """SQLite's functions."""
        template = f"(SELECT json_group_array(json_array({self.columns})) FROM (%(subquery)s) one)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """PostgreSQL's functions."""
        packed = f"COALESCE(json_agg(json_build_array({self.columns}))::text, '[]')"
        return self.as_sql(
            compiler, connection, template=f"(SELECT {packed} FROM (%(subquery)s) one)", **context
        )


def read(text: str | None) -> list[list[Any]]:
    """The rows; keys are text, on SQLite without hyphens, and truth is 0 or 1 there."""
    return json.loads(text) if text else []
