"""Template filters of ML operations: capped counts, artifacts, how long executions took, metric values."""

import datetime
import json
import re
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from launchpad.places import place_url
from launchpad.templatetags.launchpad import duration
from mlops import paging
from mlops.domain.catalog_uses import COUNTED
from mlops.lifecycle import EXECUTION_DELETABLE, FINAL, LEASED, STOPPABLE, Status
from mlops.views import figures, label_clauses
from mlops.views.nouns import BY_KIND

register = template.Library()

register.filter("label_key", label_clauses.short)

register.filter(paging.capped)
register.filter(figures.metric)


@register.simple_tag(takes_context=True)
def artifact_url(context: template.Context, artifact: Any) -> str:
    """The address of an artifact's page in the place the page is in."""
    return place_url(context.request.scope, BY_KIND[artifact.kind].detail, artifact.pk)


@register.filter
def use_count(count: int) -> str:
    """A number of uses: `12`, `1,000+`."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


@register.simple_tag(takes_context=True)
def group_url(context: template.Context, group: str, name: str, *args: Any) -> str:
    """The address of a named page in a resource group of this workspace."""
    return reverse(name, args=(context.request.scope.workspace.pk, group, *args))


@register.filter
def at(found: Any, key: str) -> Any:
    """What a mapping holds under a key that is no name a template could write; "" for nothing."""
    return found.get(key, "")


@register.filter
def label_rows(labels: Any) -> list[dict[str, str]]:
    """Labels as rows of a form, with three blank ones."""
    return [*(labels or []), *({"key": "", "value": ""} for _ in range(3))]


@register.filter
def artifact_path(kind: str) -> str:
    """What the addresses of a kind of artifact begin with in a group: `result-sets`."""
    return BY_KIND[kind].plural


@register.filter
def artifact_icon(kind: str) -> str:
    """The icon of a kind of artifact."""
    return BY_KIND[kind].icon


@register.filter
def artifact_word(kind: str) -> str:
    """A kind of artifact in words: `result set`."""
    return BY_KIND[kind].one


@register.filter
def marked(text: str, q: str) -> SafeString | str:
    """A text, escaped, with what was looked for marked, whatever the case."""
    if not q:
        return text
    parts = re.split(f"({re.escape(q)})", text, flags=re.IGNORECASE)
    return format_html_join(
        "",
        "{}",
        ((part if at % 2 == 0 else format_html("<mark>{}</mark>", part),) for at, part in enumerate(parts)),
    )


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
def seconds(value: datetime.timedelta | None) -> str:
    """A duration as a number for scripts."""
    return f"{value.total_seconds():.1f}" if value is not None else ""


@register.filter
def is_pending(status: str) -> bool:
    """Whether nobody has claimed it yet."""
    return status == Status.PENDING


@register.filter
def is_leased(status: str) -> bool:
    """Whether a worker holds it."""
    return status in LEASED


@register.filter
def is_reached(status: str) -> bool:
    """Whether a step's turn has come."""
    return status != Status.UNKNOWN


@register.filter
def step_word(status: str, is_live: bool) -> str:
    """How far a step is, in a word; one that was not reached may still be, or not."""
    if status == Status.UNKNOWN:
        return "Not started" if is_live else "Not reached"
    return status.capitalize()


@register.filter
def words(name: str) -> str:
    """A key in words: `last_heartbeat` as `Last heartbeat`."""
    return name.replace("_", " ").capitalize()


@register.filter
def is_stoppable(status: str) -> bool:
    """Whether it can be stopped now."""
    return status in STOPPABLE


@register.filter
def is_final(status: str) -> bool:
    """Whether it has ended for good."""
    return status in FINAL


@register.filter
def is_deletable(status: str) -> bool:
    """Whether it can be deleted now."""
    return status in EXECUTION_DELETABLE


@register.filter
def signed(value: float | None) -> str:
    """A difference of metrics with its sign, a true minus; an en dash where there is none."""
    if value is None:
        return "–"
    told = figures.metric(value)
    return f"+{told}" if value > 0 else told.replace("-", "−")


@register.filter
def signed_duration(value: float | None) -> str:
    """A difference of seconds with its sign: `+6 min 12 s`."""
    if value is None:
        return "–"
    return f"{'−' if value < 0 else '+'}{duration(abs(value))}"


@register.filter
def kind_of_number(kind: str) -> str:
    """What a value that is not finite is, as one writes it: `NaN`, `∞`."""
    return figures.KINDS.get(kind, kind)


@register.filter
def curve(number: int) -> int:
    """The colour class of a chart's n-th series; there are five, the last one for all others."""
    return min(number, 5)


@register.filter
def place_on(x: Any, axis: str) -> SafeString | str:
    """A point's place on a chart's horizontal axis: its step or its time."""
    return clock(x) if axis == "time" else f"{x:,}"


@register.filter
def matrix_rows(matrix: Any) -> list[tuple[str, list[tuple[float, bool]]]]:
    """A confusion matrix by rows: label, then each count with whether it was right."""
    return [
        (label, [(count, column == row) for column, count in enumerate(matrix.counts[row])])
        for row, label in enumerate(matrix.labels)
    ]


@register.filter
def clock(value: datetime.datetime) -> SafeString:
    """A moment to the second in the reader's zone: `14:26:05`; UTC in full as title."""
    return format_html(
        '<time datetime="{}" title="{} UTC" data-seconds>{}</time>',
        value.isoformat(timespec="milliseconds"),
        f"{value.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}",
        f"{timezone.localtime(value):%H:%M:%S}",
    )


@register.filter
def datetime_input(value: datetime.datetime | None) -> str:
    """A moment as a field for date and time holds it, in UTC; "" for none."""
    return f"{value.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S}" if value else ""


@register.filter
def moment(value: datetime.datetime) -> SafeString:
    """A moment in full in the reader's zone: `2026-06-17 18:05:09 CEST`; UTC as title."""
    exact = value.astimezone(datetime.UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC" data-local>{}</time>',
        exact.isoformat(),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}",
    )


@register.filter
def milliseconds(value: float | None) -> str:
    """Milliseconds as `71 ms`, from ten seconds on as `12.3 s`; below ten with one decimal."""
    if value is None:
        return "–"
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


@register.filter
def percent(value: float) -> str:
    """A share of 100 as `93.4%`."""
    return f"{value:.1f}%"


@register.filter
def percent_value(value: float) -> str:
    """The same for an attribute: within 0 and 100, with a full stop."""
    return f"{min(max(value, 0), 100):.2f}"


_JSON_TEXT = re.compile(r'("(?:[^"\\]|\\.)*")(:)?')


@register.filter
def json_code(value: dict[str, Any]) -> SafeString:
    """An object as JSON, one line for each member and each object of a list, keys and texts marked."""
    lines = []
    for key, member in value.items():
        if isinstance(member, list) and member:
            items = ",\n    ".join(json.dumps(item, ensure_ascii=False) for item in member)
            shown = f"[\n    {items}\n  ]"
        else:
            shown = json.dumps(member, ensure_ascii=False)
        lines.append(f"  {json.dumps(key)}: {shown}")
    return marked_json("{\n" + ",\n".join(lines) + "\n}")


@register.filter
def marked_json(text: str) -> SafeString:
    """A text of JSON, escaped, with its keys and texts marked; of any other text what is in quotes."""
    parts = _JSON_TEXT.split(text)
    pieces = [("", parts[0], "")]
    for text, colon, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        marked = format_html('<span class="{}">{}</span>', "n" if colon else "s", text)
        pieces.append((marked, colon or "", rest))
    return format_html_join("", "{}{}{}", pieces)
