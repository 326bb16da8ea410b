"""Rules of notification: create, change, pause, resume, try, rotate, delete."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid
from launchpad.resource_groups.models import ResourceGroup
from launchpad.vault import Unreadable
from mlops.domain import moments, notice_texts, notices
from mlops.domain.limits import Check
from mlops.engine import webhooks
from mlops.engine.webhooks import Refused, Target, Unreached
from mlops.models import Notice, NotificationRule, Schedule

RULE_LIMIT = 100
ADDRESS_LIMIT = 10
SHORTEST_GRACE, LONGEST_GRACE = timedelta(seconds=10), timedelta(days=7)
# How long a secret that was rotated away signs too, and how many do.
OLD_SECRET_HOURS = 24
_OLD_SECRETS = 4
EMAIL, WEBHOOK = str(NotificationRule.Channel.EMAIL), str(NotificationRule.Channel.WEBHOOK)
NO_MAIL = "E-mail is not set up on this Launchpad. An administrator sets EMAIL_HOST."


@dataclass(frozen=True)
class Wanted:
    """What a rule is to be, as a person gave it, unchecked.

    about, channel: of the model's choices. events: of Notice.TOLD. schedule: key of one, "" for all.
    addresses: of e-mail; url: of a webhook.
    """

    name: str
    about: str
    channel: str
    events: Collection[str]
    schedule: str = ""
    grace: timedelta = timedelta(minutes=5)
    addresses: Collection[str] = ()
    url: str = ""


def mail_is_set_up() -> bool:
    """Whether e-mail can be sent at all."""
    return bool(settings.EMAIL_HOST)


def create(scope: Scope, wanted: Wanted) -> tuple[NotificationRule, str]:
    """Have somebody told from now on; the rule and, of a webhook, the secret that signs, this once.

    Raises Forbidden; Invalid with a sentence for each field: name, about, schedule, events, grace, channel,
    addresses, url; Conflict when the group has RULE_LIMIT of them.
    """
    # Before the name of a host is looked up for somebody who may not.
    scope.require(Right.CHANGE)
    target = _reached(wanted)
    secret = webhooks.make_secret() if target else ""
    return _create(scope, wanted, target=target, secret=secret), secret


def _reached(wanted: Wanted) -> Target | None:
    """Where the webhook is, its name resolved, which may take a while: outside of any transaction."""
    if wanted.channel != NotificationRule.Channel.WEBHOOK:
        return None
    try:
        target = webhooks.read(wanted.url, settings.WEBHOOK_HOSTS)
        webhooks.addresses(target, settings.WEBHOOK_HOSTS, seconds=settings.WEBHOOK_SECONDS / 2)
    except Refused as error:
        raise Invalid(str(error), fields={"url": str(error)}) from error
    except Unreached as error:
        said = f"{error} Check the URL."
        raise Invalid(said, fields={"url": said}) from error
    return target


@command(secret=("target", "secret"), verb="create")
def _create(scope: Scope, wanted: Wanted, *, target: Target | None, secret: str) -> NotificationRule:
    now = moments.now()
    # Two at once would both find one less than the limit.
    ResourceGroup.unscoped.select_for_update(no_key=True).get(pk=scope.group.pk)
    if scope.of(NotificationRule).count() >= RULE_LIMIT:
        raise Conflict(f"A resource group has at most {RULE_LIMIT} notification rules. Delete one first.")
    rule = NotificationRule(
        resource_group=scope.group, created_by=scope.user, created_at=now, modified_at=now, late_until=now
    )
    _take(scope, rule, wanted, target)
    if secret:
        rule.secret = {"new": secret}
    rule.late_until = now - rule.grace
    rule.save()
    return rule


def _take(scope: Scope, rule: NotificationRule, wanted: Wanted, target: Target | None) -> None:
    """Give the rule what is wanted of it. Raises Invalid."""
    check = Check()
    rule.name = check.name(wanted.name)
    if wanted.about not in NotificationRule.About.values:
        check.refuse("about", f"Choose one of: {', '.join(NotificationRule.About.values)}.")
    if wanted.channel not in NotificationRule.Channel.values:
        check.refuse("channel", f"Choose one of: {', '.join(NotificationRule.Channel.values)}.")
    rule.about, rule.channel = wanted.about, wanted.channel
    rule.schedule = _schedule(scope, check, wanted)
    _events(check, rule, wanted)
    if not SHORTEST_GRACE <= wanted.grace <= LONGEST_GRACE:
        check.refuse("grace", "What is due may wait from 10 seconds to 7 days before it is late.")
    rule.grace = wanted.grace
    rule.addresses, rule.url, rule.host = [], None, ""
    if wanted.channel == NotificationRule.Channel.EMAIL:
        rule.addresses = _addresses(check, wanted.addresses)
        rule.target = ", ".join(rule.addresses)[:512]
        rule.secret = None
    elif target is not None:
        rule.url, rule.target, rule.host = wanted.url.strip(), target.shown[:512], target.place[:300]
    check.done()


def _schedule(scope: Scope, check: Check, wanted: Wanted) -> Schedule | None:
    if not wanted.schedule:
        return None
    if wanted.about != NotificationRule.About.SCHEDULES:
        check.refuse("schedule", "Only a rule about schedules is of one schedule.")
        return None
    try:
        return scope.of(Schedule).filter(deleted_at=None).get(pk=UUID(wanted.schedule))
    except (ValueError, Schedule.DoesNotExist):
        check.refuse("schedule", "There is no such schedule in this resource group.", unknown=True)
        return None


def _events(check: Check, rule: NotificationRule, wanted: Wanted) -> None:
    if unknown := set(wanted.events) - set(Notice.TOLD):
        check.refuse("events", f"There is no event {min(unknown)[:32]}.")
    elif not wanted.events:
        check.refuse("events", "Choose at least one event.")
    elif "skipped" in wanted.events and wanted.about == NotificationRule.About.EXECUTIONS:
        check.refuse("events", "Only schedules skip runs.")
    for event in Notice.TOLD:
        setattr(rule, f"on_{event}", event in wanted.events)


def _addresses(check: Check, given: Collection[str]) -> list[str]:
    found = list(dict.fromkeys(address.strip() for address in given if address.strip()))
    if not mail_is_set_up():
        check.refuse("channel", NO_MAIL)
    if not 1 <= len(found) <= ADDRESS_LIMIT:
        check.refuse("addresses", f"Give 1 to {ADDRESS_LIMIT} e-mail addresses.")
    for address in found:
        try:
            validate_email(address)
            is_address = address.isascii() and address.isprintable() and len(address) <= 254
        except ValidationError:
            is_address = False
        if not is_address:
            check.refuse("addresses", f"{address[:80]!r} is not an e-mail address.")
    return found


def edit(
    scope: Scope, rule_id: UUID | str, wanted: Wanted, *, version: datetime | None = None
) -> tuple[NotificationRule, str]:
    """Change a rule; its secret stays, and is made (and returned, this once) when it becomes a webhook.

    version: `modified_at` as the editor saw it. What waits goes to where the rule then leads. Raises
    NotFound, Forbidden, Invalid as `create`; Conflict when somebody else changed it since that version.
    """
    scope.require(Right.CHANGE)
    known = get(scope, rule_id)
    target = _reached(wanted)
    secret = webhooks.make_secret() if target and known.channel != NotificationRule.Channel.WEBHOOK else ""
    return _edit(scope, rule_id, wanted, target=target, secret=secret, version=version), secret


@command(secret=("target", "secret"), verb="edit")
def _edit(
    scope: Scope,
    rule_id: UUID | str,
    wanted: Wanted,
    *,
    target: Target | None,
    secret: str,
    version: datetime | None,
) -> NotificationRule:
    rule = _held(scope, rule_id)
    if version is not None and version != rule.modified_at:
        raise Conflict(
            f"Somebody else changed {rule.name} meanwhile. Nothing was saved. Look at it, then edit again."
        )
    late, kept = rule.on_late, _columns(rule)
    _take(scope, rule, wanted, target)
    now = moments.now()
    if secret:
        rule.secret, kept = {"new": secret}, [*kept, "secret"]
    elif rule.channel == NotificationRule.Channel.EMAIL:
        kept = [*kept, "secret"]
    if not late:
        # What waited before anybody wanted to know is not told.
        rule.late_until = now - rule.grace
    rule.modified_at = now
    rule.save(update_fields=[*kept, "url"])
    _end_waiting(scope, rule, "The rule was changed to other receivers.", but_of=rule.receivers)
    return rule


def _columns(rule: NotificationRule) -> list[str]:
    """Those that are at hand, sealed ones left out: a key that is gone must not keep a rule from a change."""
    return [
        field.name
        for field in rule._meta.concrete_fields
        if field.name not in {"id", "url", "secret"} and field.attname not in rule.get_deferred_fields()
    ]


def _held(scope: Scope, rule_id: UUID | str, *, no_key: bool = True) -> NotificationRule:
    """The rule, held until the commit. no_key: False also waits for those who write notices of it."""
    rows = every(scope).select_related(None).select_for_update(no_key=no_key, of=("self",))
    found: NotificationRule = scope.one(rows, pk=rule_id)
    return found


def _end_waiting(scope: Scope, rule: NotificationRule, why: str, *, but_of: Collection[str] = ()) -> None:
    waiting = scope.of(Notice).filter(rule=rule, state=Notice.State.WAITING).exclude(recipient__in=but_of)
    waiting.update(state=Notice.State.FAILED, next_try_at=None, ended_at=moments.now(), answer=why)


@command()
def pause(scope: Scope, rule_id: UUID | str) -> NotificationRule:
    """Tell nothing more until it is resumed; what waits is not delivered.

    Raises NotFound, Forbidden; Conflict when it is paused.
    """
    rule = _held(scope, rule_id)
    if not rule.is_active:
        raise Conflict(f"{rule.name} is paused already.")
    rule.is_active, rule.message = False, f"Paused by {scope.actor}."[:256]
    rule.modified_at = moments.now()
    rule.save(update_fields=["is_active", "message", "modified_at"])
    _end_waiting(scope, rule, rule.message)
    return rule


@command()
def resume(scope: Scope, rule_id: UUID | str) -> NotificationRule:
    """Tell again, of what happens from now on. Raises NotFound, Forbidden; Conflict when it is active."""
    rule = _held(scope, rule_id)
    if rule.is_active:
        raise Conflict(f"{rule.name} is active already.")
    now = moments.now()
    rule.is_active, rule.message, rule.modified_at, rule.late_until = True, "", now, now - rule.grace
    rule.save(update_fields=["is_active", "message", "modified_at", "late_until"])
    return rule


@command()
def delete(scope: Scope, rule_id: UUID | str) -> NotificationRule:
    """Forget a rule with its notices; what waits is not delivered. Raises NotFound, Forbidden."""
    rule = _held(scope, rule_id, no_key=False)
    scope.of(Notice).filter(rule=rule).delete()
    scope.of(NotificationRule).filter(pk=rule.pk).delete()
    return rule


@command()
def send_test(scope: Scope, rule_id: UUID | str) -> NotificationRule:
    """Tell the rule's receivers that it works, by the way of all notices; the log says what came of it.

    Raises NotFound, Forbidden; Conflict while it is paused.
    """
    rule = _held(scope, rule_id)
    if not rule.is_active:
        raise Conflict(f"{rule.name} is paused. Resume it first.")
    now = moments.now()
    place = notice_texts.address(scope.group, "notifications/")
    notices.write(
        [rule],
        scope.group,
        Notice.Event.TEST,
        subject=now.isoformat(),
        at=now,
        title=f"Test of {rule.name}",
        text=f"This is a test, sent by {scope.actor}. Nothing has happened.",
        url=place,
        facts={},
    )
    return rule


def rotate(scope: Scope, rule_id: UUID | str) -> tuple[NotificationRule, str]:
    """Sign with a new secret, which is returned this once; for OLD_SECRET_HOURS the old ones sign too.

    Raises NotFound, Forbidden; Conflict for a rule that sends e-mail.
    """
    secret = webhooks.make_secret()
    return _rotate(scope, rule_id, secret=secret), secret


@command(secret=("secret",), verb="rotate")
def _rotate(scope: Scope, rule_id: UUID | str, *, secret: str) -> NotificationRule:
    rule = _held(scope, rule_id)
    if rule.channel != NotificationRule.Channel.WEBHOOK:
        raise Conflict(f"{rule.name} sends e-mail; only webhooks are signed.")
    now = moments.now()
    try:
        known = rule.secret or {}
    except Unreadable:
        # Whoever lost the key to it makes a new one.
        known = {}
    until = (now + timedelta(hours=OLD_SECRET_HOURS)).isoformat()
    # All of the last hours: whoever rotates twice has not told the receiver of the one in between.
    old = [[known["new"], until]] if "new" in known else []
    old += [pair for pair in known.get("old", []) if datetime.fromisoformat(pair[1]) > now]
    rule.secret = {"new": secret, "old": old[:_OLD_SECRETS]}
    rule.modified_at = now
    rule.save(update_fields=["secret", "modified_at"])
    return rule


def every(scope: Scope) -> QuerySet[NotificationRule]:
    """Rules of the group with their schedules, newest first, what is sealed left out."""
    rows = scope.of(NotificationRule).exclude(schedule__deleted_at__isnull=False)
    rows = rows.select_related("schedule", "created_by").defer("url", "secret")
    return rows.order_by("-created_at", "-pk")


def get(scope: Scope, rule_id: UUID | str) -> NotificationRule:
    """One rule of the group. Raises NotFound."""
    found: NotificationRule = scope.one(every(scope), pk=rule_id)
    return found


def url(scope: Scope, rule_id: UUID | str) -> str:
    """The whole URL of a webhook, for who may change it; "" for none and for one no key opens any more.

    Raises NotFound, Forbidden.
    """
    scope.require(Right.CHANGE)
    try:
        return get(scope, rule_id).url or ""
    except Unreadable:
        return ""
