"""Keyset pages, newest first, and counts that stop at 10,000; both cost the same at any size."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import (
    DateTimeField,
    Expression,
    Field,
    IntegerField,
    Model,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.http import QueryDict

from mlops.domain.limits import storable

SIZE = 50
COUNT_CAP = 10_000
WINDOW = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST = 2**63
_CURSORS = ("before", "after")


@dataclass(frozen=True)
class Page:
    """One page of rows, newest first. newer, older: query parts of the next pages, "" at an end."""

    rows: list[Any]
    newer: str = ""
    older: str = ""


@dataclass(frozen=True)
class Order:
    """What a list is sorted by: a column that is never NULL, then the key in the same direction.

    column: of which kind a value is that the query computes; None for a column of the model.
    """

    field: str = "created_at"
    descending: bool = True
    column: Field | None = dataclasses.field(default=None, compare=False)

    @property
    def names(self) -> tuple[str, str]:
        """For `order_by`."""
        sign = "-" if self.descending else ""
        return f"{sign}{self.field}", f"{sign}pk"

    @property
    def reverse(self) -> Order:
        """The other direction."""
        return Order(self.field, not self.descending, self.column)


NEWEST_FIRST = Order()


def page(
    rows: QuerySet,
    query: QueryDict,
    *,
    related: tuple[str, ...] = (),
    size: int = SIZE,
    order: Order = NEWEST_FIRST,
) -> Page:
    """The page that `before` or `after` in the address asks for; one query, and one for each of `related`.

    rows: not yet sliced. related: names to prefetch for the rows of this page. A cursor that cannot be read
    shows the first page; `newer` is always what comes before the page in its order.
    """
    before, after = (_read(rows.model, order, query.get(name, "")) for name in _CURSORS)
    rows = rows.prefetch_related(*related).order_by(*order.names)
    if before is None and after is not None:
        found = list(_beyond(rows, after, order.reverse).order_by(*order.reverse.names)[: size + 1])
        shown = found[:size][::-1]
        more_newer, more_older = len(found) > size, True
    else:
        found = list((_beyond(rows, before, order) if before else rows)[: size + 1])
        shown = found[:size]
        more_newer, more_older = before is not None, len(found) > size
    if not shown:
        return Page([], newer=_address(query) if before or after else "")
    return Page(
        shown,
        newer=_address(query, after=_cursor(shown[0], order)) if more_newer else "",
        older=_address(query, before=_cursor(shown[-1], order)) if more_older else "",
    )


def _beyond(rows: QuerySet, cursor: tuple[Any, Any], order: Order) -> QuerySet:
    """Rows that come after a cursor; the first condition is the one that the index can use."""
    at, key = cursor
    side = "lt" if order.descending else "gt"
    return rows.filter(**{f"{order.field}__{side}e": at}).filter(
        Q(**{f"{order.field}__{side}": at}) | Q(**{f"pk__{side}": key})
    )


def _cursor(row: Model, order: Order) -> str:
    value = getattr(row, order.field)
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
    return f"{value}.{row.pk}"


def _read(model: type[Model], order: Order, text: str) -> tuple[Any, Any] | None:
    value, _, key = text.rpartition(".")
    if not value or not storable(text):
        # Some columns read nothing as a value.
        return None
    field = order.column or model._meta.get_field(order.field)
    try:
        if isinstance(field, DateTimeField):
            return _EPOCH + timedelta(microseconds=int(value)), model._meta.pk.to_python(key)
        if isinstance(field, IntegerField) and not -_WIDEST <= int(value) < _WIDEST:
            return None
        return field.to_python(value), model._meta.pk.to_python(key)
    except (ValueError, OverflowError, ValidationError):
        return None


def _address(query: QueryDict, **cursor: str) -> str:
    changed = query.copy()
    for name in _CURSORS:
        changed.pop(name, None)
    changed.update(cursor)
    return f"?{changed.urlencode()}"


class _CappedCount(Subquery):
    """How many rows a query has, looking at no more than one beyond the cap."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()
    # What Django puts in place of a query that it knows to be empty.
    empty_result_set_value = 0

    def __init__(self, rows: QuerySet) -> None:
        # In the order of an index: without one the planner hopes to meet them soon in the table itself.
        super().__init__(rows.values("pk")[: COUNT_CAP + 1])


def counts(
    rows: Mapping[str, QuerySet], *, among: QuerySet | None = None, **also: Expression
) -> dict[str, Any]:
    """How many rows each query has, by name, in one query; COUNT_CAP + 1 stands for more than the cap.

    rows: each in the order of its page. among: holds a row whenever any of them does; the first of them
    where none is given. also: what else is asked, each answered under its name if there is any row.
    """
    widest = next(iter(rows.values())) if among is None else among
    found = widest.values(**{name: _CappedCount(one) for name, one in rows.items()}, **also)[:1]
    return next(iter(found), None) or dict.fromkeys(rows, 0)


def capped(count: int) -> str:
    """A count from `counts` in words: `128`, `10,000+`."""
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"


def newest(rows: QuerySet, among: QuerySet) -> QuerySet:
    """Those of `rows` that are among the newest WINDOW of `among`, for filters that no index serves."""
    edge = among.order_by("-created_at").values("created_at")[WINDOW - 1 : WINDOW]
    field = DateTimeField()
    return rows.filter(created_at__gte=Coalesce(Subquery(edge), Value(_EPOCH, field), output_field=field))
