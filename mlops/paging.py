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

    column: of which kind a value is that the query computes; None for a column of the model. within: a time
    that rows of one value are sorted by, and then by their key, against the direction: statuses from A to Z,
    of each the newest first.
    """

    field: str = "created_at"
    descending: bool = True
    column: Field | None = dataclasses.field(default=None, compare=False)
    within: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """For `order_by`."""
        sign, against = ("-", "") if self.descending else ("", "-")
        if self.within:
            return f"{sign}{self.field}", f"{against}{self.within}", f"{against}pk"
        return f"{sign}{self.field}", f"{sign}pk"

    @property
    def reverse(self) -> Order:
        """The other direction."""
        return dataclasses.replace(self, descending=not self.descending)


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

    One query more where an order with `within` goes from one value to the next.

    rows: not yet sliced. related: names to prefetch for the rows of this page. A cursor that cannot be read
    shows the first page; `newer` is always what comes before the page in its order.
    """
    before, after = (_read(rows.model, order, query.get(name, "")) for name in _CURSORS)
    rows = rows.prefetch_related(*related)
    if before is None and after is not None:
        found = _first(rows, order.reverse, after, size + 1)
        shown = found[:size][::-1]
        more_newer, more_older = len(found) > size, True
    else:
        found = _first(rows, order, before, size + 1)
        shown = found[:size]
        more_newer, more_older = before is not None, len(found) > size
    if not shown:
        return Page([], newer=_address(query) if before or after else "")
    return Page(
        shown,
        newer=_address(query, after=_cursor(shown[0], order)) if more_newer else "",
        older=_address(query, before=_cursor(shown[-1], order)) if more_older else "",
    )


def _first(rows: QuerySet, order: Order, cursor: tuple[Any, ...] | None, count: int) -> list[Any]:
    """The first rows in an order, after a cursor if there is one; each condition is one an index can use."""
    rows = rows.order_by(*order.names)
    if cursor is None:
        return list(rows[:count])
    value, *place = cursor
    side, against = ("lt", "gt") if order.descending else ("gt", "lt")
    if not order.within:
        return list(_beyond(rows, order.field, side, value, place[0])[:count])
    alike = rows.filter(**{order.field: value})
    found = list(_beyond(alike, order.within, against, *place)[:count])
    if len(found) < count:
        found += rows.filter(**{f"{order.field}__{side}": value})[: count - len(found)]
    return found


def _beyond(rows: QuerySet, field: str, side: str, value: Any, key: Any) -> QuerySet:
    """Rows whose field, then key, are beyond; the first condition is the one that the index can use."""
    return rows.filter(**{f"{field}__{side}e": value}).filter(
        Q(**{f"{field}__{side}": value}) | Q(**{f"pk__{side}": key})
    )


def _cursor(row: Model, order: Order) -> str:
    fields = [order.field, order.within] if order.within else [order.field]
    return ".".join([*(str(_written(getattr(row, field))) for field in fields), str(row.pk)])


def _written(value: Any) -> Any:
    return (value - _EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value


def _read(model: type[Model], order: Order, text: str) -> tuple[Any, ...] | None:
    value, _, key = text.rpartition(".")
    if not value or not storable(text):
        # Some columns read nothing as a value.
        return None
    field = order.column or model._meta.get_field(order.field)
    try:
        own = model._meta.pk.to_python(key)
        if order.within:
            value, _, at = value.rpartition(".")
            return field.to_python(value), _moment(at), own
        if isinstance(field, DateTimeField):
            return _moment(value), own
        if isinstance(field, IntegerField) and not -_WIDEST <= int(value) < _WIDEST:
            return None
        return field.to_python(value), own
    except (ValueError, OverflowError, ValidationError):
        return None


def _moment(text: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(text))


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
