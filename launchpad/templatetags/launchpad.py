"""Template tags of the shell: icons, addresses in the current place, times, durations and sizes."""

import datetime
import functools
import json
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from launchpad.places import place_url

register = template.Library()
_DASH = SafeString('<span class="meta">–</span>')


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A decorative icon: a name of the sprite without its prefix; a status in capitals is its glyph.

    extra: further CSS classes.
    """
    return _icon(name, extra)


# A page of rows asks for the same few again and again; where static files lie does not change while we run.
@functools.lru_cache(maxsize=512)
def _icon(name: str, extra: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}-{}"/></svg>',
        f" {extra}" if extra else "",
        static("img/icons.svg"),
        "s" if name.isupper() else "i",
        name,
    )


@register.simple_tag
def pill(status: str) -> SafeString:
    """The status component, for lists: made once for each status."""
    return _pill(str(status))


@functools.lru_cache(maxsize=64)
def _pill(status: str) -> SafeString:
    return SafeString(render_to_string("components/status.html", {"status": status}).strip())


@register.simple_tag(takes_context=True)
def url_in(context: template.Context, name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page in the place the page is in."""
    return place_url(getattr(context.request, "scope", None), name, *args, **kwargs)


@register.simple_tag(takes_context=True)
def url_with(context: template.Context, **changes: Any) -> str:
    """The query of this page's address with some values changed; empty ones leave it."""
    query = context.request.GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def when(value: datetime.datetime | None) -> SafeString:
    """A moment in the reader's zone: today `14:26`, this year `17 Jun, 16:05`, else with the year.

    The full UTC time is its title.
    """
    if value is None:
        return _DASH
    exact = value.astimezone(datetime.UTC)
    value, now = timezone.localtime(value), timezone.localtime()
    day = f"{value.day} {value:%b}"
    if value.date() == now.date():
        shown = f"{value:%H:%M}"
    elif value.year == now.year:
        shown = f"{day}, {value:%H:%M}"
    else:
        shown = f"{day} {value.year}"
    # Nothing in it needs to be escaped, and a page of rows holds hundreds.
    date, time = exact.isoformat(timespec="seconds")[:19].split("T")
    return SafeString(f'<time datetime="{date}T{time}Z" title="{date} {time} UTC">{shown}</time>')


@register.filter
def duration(value: float | datetime.timedelta | None) -> SafeString | str:
    """Seconds or a timedelta as `6 min 12 s`, `1 h 04 min`, `2 d 3 h`; below 10 s with one decimal."""
    if value is None:
        return _DASH
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else float(value)
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


@register.filter
def number(value: float | None) -> SafeString | str:
    """A count with thousands separators, or a metric with three decimals."""
    if value is None:
        return _DASH
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


@register.filter
def size(value: int | None) -> SafeString | str:
    """Bytes in the unit that fits: `512 B`, `1.4 MiB`."""
    if value is None:
        return _DASH
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


@register.filter
def dash(value: object) -> object:
    """The value, or a grey en dash where there is none."""
    return _DASH if value in (None, "") else value


@register.filter
def short(value: object) -> str:
    """The first eight characters of an identifier; put the whole in the title."""
    return str(value)[:8]


@register.filter
def undo(text: str) -> dict[str, Any] | None:
    """The undo form that a message carries, None without one."""
    return json.loads(text) if text else None


@register.filter
def initials(value: str) -> str:
    """Two letters for an avatar."""
    words = value.replace(".", " ").replace("-", " ").replace("_", " ").split()
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else value[:2]).upper()
