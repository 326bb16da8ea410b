"""Rules of notification and what was written for them, for tests."""

from launchpad.access import system_scope
from mlops.domain import notification_rules
from mlops.domain.notification_rules import Wanted
from mlops.models import Notice, NotificationRule

# An address of the internet that no test asks.
URL = "https://93.184.215.14/hooks/secret-path?token=secret-token"


def rule(group, about="executions", events=("failed", "recovered", "late"), **fields) -> NotificationRule:
    """A rule of the group: a webhook, unless there are addresses."""
    channel = "email" if fields.get("addresses") else "webhook"
    given = {"name": "tell us", "channel": channel, "url": URL, **fields}
    scope = system_scope(group, actor="ada")
    return notification_rules.create(scope, Wanted(about=about, events=events, **given))[0]


def told(group, **having) -> list[Notice]:
    """The notices of a group, oldest first."""
    return list(Notice.unscoped.filter(resource_group=group, **having).order_by("created_at", "pk"))


def events(group) -> list[str]:
    """What they tell of."""
    return [notice.event for notice in told(group)]


def tried(group, **changes) -> Notice:
    """A test of a new rule of the group, its row changed so."""
    made = rule(group)
    notification_rules.send_test(system_scope(group, actor="ada"), made.pk)
    Notice.unscoped.filter(rule=made).update(**changes)
    return Notice.unscoped.get(rule=made)
