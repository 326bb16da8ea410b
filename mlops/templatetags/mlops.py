"""Template filters of ML operations: capped counts, how long executions took, metric values."""

import datetime
import math
from typing import Any

from django import template
from django.utils import timezone

from mlops.lifecycle import FINAL, LEASED, STOPPABLE, EXECUTION_DELETABLE, Status
from mlops.paging import COUNT_CAP

register = template.Library()


@register.filter
def capped(count: int) -> str:
    """A count from `paging.counts` with thousands separators: `128`, `10,000+`."""
    return f"{COUNT_CAP:,}+" if count > COUNT_CAP else f"{count:,}"


@register.filter
def took(row: Any) -> datetime.timedelta | None:
    """How long an execution or step ran so far or in all; None when it has not begun."""
    if row.started_at is None:
        return None
    end = row.completed_at if hasattr(row, "completed_at") else row.ended_at
    return (end or timezone.now()) - row.started_at


@register.filter
def waited(row: Any) -> datetime.timedelta:
    """How long ago an execution was submitted."""
    return timezone.now() - row.submitted_at


@register.filter
def is_pending(status: str) -> bool:
    """Whether nobody has claimed it yet."""
    return status == Status.PENDING


@register.filter
def is_leased(status: str) -> bool:
    """Whether a worker holds it."""
    return status in LEASED


@register.filter
def is_final(status: str) -> bool:
    """Whether nothing but deletion follows."""
    return status in FINAL


@register.filter
def is_stoppable(status: str) -> bool:
    """Whether it can be stopped now."""
    return status in STOPPABLE


@register.filter
def is_deletable(status: str) -> bool:
    """Whether it can be deleted now."""
    return status in EXECUTION_DELETABLE


@register.filter
def metric(value: float | None) -> str:
    """A metric's value: three decimals, more figures where it is small, powers of ten where extreme."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.3f}" if 0.01 <= abs(value) < 1e9 else f"{value:.3g}"
