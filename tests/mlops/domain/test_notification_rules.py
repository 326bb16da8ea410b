"""Rules of notification: what they may be, whose they are, and that what is secret stays so."""

import json
import socket

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import notices, notification_rules, schedules
from mlops.domain.notification_rules import Wanted
from mlops.domain.timings import Timing
from mlops.models import Notice, NotificationRule
from tests.mlops import factories
from tests.mlops.noticing import URL, rule, told, tried

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(red):
    return system_scope(red, actor="ada")


def wanted(**changes):
    given = {"name": "tell us", "about": "executions", "channel": "webhook", "events": ["failed"], "url": URL}
    return Wanted(**given | changes)


def nightly(group):
    bound = factories.configuration(group)
    return schedules.create(
        system_scope(group), name="nightly", configuration=bound.pk, timing=Timing("0 6 * * *")
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a\nb"}, "name"),
        ({"about": "deployments"}, "about"),
        ({"channel": "pigeon"}, "channel"),
        ({"events": []}, "events"),
        ({"events": ["test"]}, "events"),
        ({"events": ["skipped"]}, "events"),
        ({"about": "schedules", "schedule": "none"}, "schedule"),
        ({"schedule": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}, "schedule"),
        ({"url": "https://localhost/"}, "url"),
    ],
)
def test_what_no_rule_may_be_is_refused_at_its_field(scope, changes, field):
    with pytest.raises(Invalid) as refused:
        notification_rules.create(scope, wanted(**changes))
    assert set(refused.value.fields) == {field}
    assert not NotificationRule.unscoped.exists()


def test_a_schedule_of_another_group_and_one_that_is_gone_are_none(scope, red, blue):
    gone = nightly(red)
    schedules.delete(system_scope(red), gone.pk)
    for key in (nightly(blue).pk, gone.pk):
        with pytest.raises(Invalid, match="no such schedule"):
            notification_rules.create(scope, wanted(about="schedules", schedule=str(key)))


def test_a_rule_of_another_group_is_not_there(scope, blue):
    notice = tried(blue, state="failed", next_try_at=None)
    key = notice.rule_id
    for verb in ("get", "url", "pause", "resume", "delete", "send_test", "rotate"):
        with pytest.raises(NotFound):
            getattr(notification_rules, verb)(scope, key)
    with pytest.raises(NotFound):
        notification_rules.edit(scope, key, wanted())
    with pytest.raises(NotFound):
        notices.send_again(scope, notice.pk)
    assert NotificationRule.unscoped.get(pk=key).is_active


def test_a_viewer_changes_nothing_and_has_no_name_looked_up(red, viewer, monkeypatch):
    made = rule(red)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: pytest.fail("It was looked up."))
    watching = open_scope(viewer, "north", "red")
    with pytest.raises(Forbidden):
        notification_rules.create(watching, wanted(url="https://hooks.example.com/"))
    with pytest.raises(Forbidden):
        notification_rules.edit(watching, made.pk, wanted(url="https://hooks.example.com/"))
    with pytest.raises(Forbidden):
        notification_rules.url(watching, made.pk)
    with pytest.raises(Forbidden):
        notification_rules.rotate(watching, made.pk)
    assert [one.target for one in notification_rules.every(watching)] == ["https://93.184.215.14/…"]


def test_neither_url_nor_secret_stand_in_the_audit_trail_or_plain_in_the_database(scope, red):
    made, secret = notification_rules.create(scope, wanted())
    notification_rules.edit(scope, made.pk, wanted(name="changed"))
    _, other = notification_rules.rotate(scope, made.pk)
    trail = json.dumps(list(AuditEvent.unscoped.values("verb", "detail", "object_name")))
    assert '"notification_rules.create"' in trail and '"notification_rules.rotate"' in trail
    for hidden in (secret, other, "secret-path", "secret-token"):
        assert hidden not in trail
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, secret, target, host FROM mlops_notificationrule")
        stored = json.dumps(cursor.fetchall())
    for hidden in (secret, other, "secret-path", "secret-token"):
        assert hidden not in stored


def test_when_the_key_is_gone_a_rule_can_be_changed_and_rotated(scope, red, settings):
    made = rule(red)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    assert notification_rules.url(scope, made.pk) == ""
    assert [one.name for one in notification_rules.every(scope)] == ["tell us"]
    notification_rules.pause(scope, made.pk)
    notification_rules.resume(scope, made.pk)
    notification_rules.edit(scope, made.pk, wanted(name="again"))
    _, secret = notification_rules.rotate(scope, made.pk)
    found = NotificationRule.unscoped.get(pk=made.pk)
    assert (found.name, found.url, found.secret) == ("again", URL, {"new": secret, "old": []})


def test_a_group_has_a_limit_of_rules(scope, red, monkeypatch):
    monkeypatch.setattr(notification_rules, "RULE_LIMIT", 2)
    rule(red)
    rule(red)
    with pytest.raises(Conflict, match="at most 2 notification rules"):
        notification_rules.create(scope, wanted())


def test_a_rule_is_deleted_with_what_waits(scope, red):
    made = tried(red).rule
    notification_rules.delete(scope, made.pk)
    assert not NotificationRule.unscoped.exists()
    assert not Notice.unscoped.exists()


def test_a_test_is_sent_again_each_time(scope, red):
    made = rule(red)
    notification_rules.send_test(scope, made.pk)
    notification_rules.send_test(scope, made.pk)
    assert [notice.payload["type"] for notice in told(red)] == ["execution.test"] * 2
