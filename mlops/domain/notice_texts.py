"""What a notice says: the payload of a webhook, which an e-mail is written from too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from launchpad.resource_groups.models import ResourceGroup
from mlops.models import Execution, NotificationRule, Schedule

_TITLE_LIMIT = 200


def moment(at: datetime | None) -> str | None:
    """A time as payloads tell it: RFC 3339 in UTC, to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spoken(at: datetime) -> str:
    """A time as sentences tell it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def address(group: ResourceGroup, path: str) -> str:
    """Where a page of the group is, for people."""
    return f"{settings.PUBLIC_URL}/w/{group.workspace_id}/g/{group.slug}/{path}"


def of_schedule(schedule: Schedule) -> dict[str, Any]:
    """The schedule in a payload."""
    url = address(schedule.resource_group, f"schedules/{schedule.pk}/")
    return {"id": str(schedule.pk), "name": schedule.name, "url": url}


def of_execution(row: Execution, *, status: str = "") -> dict[str, Any]:
    """The execution in a payload, with its configuration's name and no values. status: None for its own."""
    return {
        "id": row.pk,
        "name": row.name,
        "status": status or row.status,
        "message": row.status_message,
        "configuration": row.configuration.name,
        "submitted_at": moment(row.submitted_at),
        "started_at": moment(row.started_at),
        "completed_at": moment(row.completed_at),
        "url": address(row.resource_group, f"executions/{row.pk}/"),
    }


def payload(
    rule: NotificationRule,
    group: ResourceGroup,
    event: str,
    *,
    at: datetime,
    title: str,
    text: str,
    url: str,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """All that is told. title: one line; text: sentences; url: the page where one looks first."""
    return {
        "type": event,
        "timestamp": moment(at),
        "data": {
            "workspace": group.workspace_id,
            "resource_group": group.slug,
            "rule": {"id": str(rule.pk), "name": rule.name},
            "title": line(title)[:_TITLE_LIMIT],
            "text": text,
            "url": url,
            **facts,
        },
    }


def line(text: str) -> str:
    """The text in one line, whatever breaks lines in it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def mail(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of an e-mail."""
    data = payload["data"]
    place = f"{data['workspace']} / {data['resource_group']}"
    parts = [data["text"], data["url"]]
    facts = [
        f"{label}: {value}"
        for label, value in (
            ("Schedule", data.get("schedule", {}).get("name")),
            ("Due", data.get("due_at")),
            ("Execution", data.get("execution", {}).get("id")),
            ("Configuration", data.get("execution", {}).get("configuration")),
            ("Submitted", data.get("execution", {}).get("submitted_at")),
            ("Started", data.get("execution", {}).get("started_at")),
            ("Ended", data.get("execution", {}).get("completed_at")),
        )
        if value
    ]
    if facts:
        parts.append("\n".join(facts))
    parts.append(f"Sent by the notification rule {line(data['rule']['name'])} in {place}.")
    return line(f"[Launchpad] {data['title']}")[:_TITLE_LIMIT], "\n\n".join(parts) + "\n"


def span(length: timedelta) -> str:
    """A length of time in words."""
    seconds = length.total_seconds()
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {word}{'' if seconds == size else 's'}"
    return f"{seconds:g} seconds"
