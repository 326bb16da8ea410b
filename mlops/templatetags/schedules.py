"""Template tags of schedules: their status, and due times by the clock that they are of."""

import functools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mlops.views import schedule_facts

register = template.Library()
register.filter("outcome_word", lambda outcome: schedule_facts.OUTCOMES.get(outcome, outcome))


@register.simple_tag
@functools.lru_cache(maxsize=4)
def schedule_status(status: str) -> SafeString:
    """The status of a schedule as a pill; made once for each."""
    return SafeString(render_to_string("mlops/schedules/status.html", {"status": status}).strip())


@register.filter
def due(value: datetime, zone: ZoneInfo) -> SafeString:
    """A due time by the clock of a schedule: `Sun 29 Mar 2026, 03:00`; UTC as its title.

    It stays as it is in the browser, which turns other times into those of the reader.
    """
    own, exact = value.astimezone(zone), value.astimezone(UTC)
    seconds = ":%S" if own.second else ""
    return format_html(
        '<time datetime="{}" title="{} UTC" data-local="1">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        own.strftime(f"%a {own.day} %b %Y, %H:%M{seconds}"),
    )
