"""Counts inside a query that stop early, so that one row's count costs the same however much there is."""

from __future__ import annotations

from django.db.models import IntegerField, Subquery


class CappedCount(Subquery):
    """How many rows a sliced query has; the slice keeps the counting short."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    # What Django puts in place of a query that it knows to be empty.
    empty_result_set_value = 0
