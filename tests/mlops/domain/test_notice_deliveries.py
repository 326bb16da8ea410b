"""Deliveries: real servers get what was written, again until they take it, and nothing holds up the rest."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from launchpad.access import system_scope
from launchpad.errors import Conflict
from mlops.domain import enactments, notice_deliveries, notice_texts, notices, notification_rules
from mlops.domain.notice_deliveries import Deliveries, carry_out, claim
from mlops.domain.notification_rules import Wanted
from mlops.lifecycle import Status
from mlops.models import Notice, NotificationRule
from tests.mlops import factories
from tests.mlops.noticing import rule, told
from tests.mlops.receiving import listening, mailbox, resets
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def _quick(settings):
    """What waits in production for minutes is due at once, and servers on loopback may be asked."""
    settings.NOTICE_BACKOFF_SECONDS = settings.NOTICE_BACKOFF_LIMIT_SECONDS = 0.001
    settings.WEBHOOK_HOSTS = ["127.0.0.1", "localhost"]


@pytest.fixture
def group(db):
    return factories.place()


@pytest.fixture
def scope(group):
    return system_scope(group, actor="ada")


def die(group, *, reason="Out of memory."):
    """An execution of the group dies."""
    run = factories.execution(factories.configuration(group, name=f"{Notice.unscoped.count()} of many"))
    enactments.transition(run.pk, Status.DEAD, actor="tests", reason=reason)
    return run


def deliver(*, tries=1):
    """Send what is due, so many times."""
    done = 0
    for _ in range(tries):
        notice = until(lambda: claim(timezone.now()))
        carry_out(notice)
        done += 1
    return done


def hook(scope, receiver, **fields):
    """A rule for the receiver, and its secret."""
    wanted = Wanted("tell us", "executions", "webhook", ["failed"], url=receiver.url, **fields)
    return notification_rules.create(scope, wanted)


def test_a_webhook_arrives_signed(group, scope):
    with listening() as receiver:
        _, secret = hook(scope, receiver)
        run = die(group)
        deliver()
    (got,) = receiver.received
    payload = Webhook(secret).verify(got.body, got.headers)
    (notice,) = told(group)
    assert payload == notice.payload
    assert payload["data"]["execution"]["id"] == run.pk
    assert got.headers["webhook-id"] == f"msg_{notice.pk.hex}"
    assert got.headers["Content-Type"] == "application/json"
    assert got.path == "/hook?key=word"
    assert (notice.state, notice.tries, notice.answer) == ("sent", 1, "200 answer 200")
    assert notice.ended_at is not None


def test_what_fails_first_is_sent_again_under_the_same_id(group, scope):
    with listening() as receiver:
        receiver.answers = [500, resets, 200]
        hook(scope, receiver)
        die(group)
        deliver()
        (notice,) = told(group)
        assert (notice.state, notice.tries, notice.answer) == ("waiting", 1, "500 answer 500")
        deliver(tries=2)
    (notice,) = told(group)
    assert (notice.state, notice.tries) == ("sent", 3)
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert len({got.body for got in receiver.received}) == 1


def test_after_the_last_try_it_is_given_up_and_can_be_sent_again(group, scope, settings):
    settings.NOTICE_TRIES = 2
    with listening() as receiver:
        receiver.answers = [503, 503, 200]
        hook(scope, receiver)
        die(group)
        deliver(tries=2)
        (notice,) = told(group)
        assert (notice.state, notice.tries, notice.answer) == ("failed", 2, "503 answer 503")
        assert claim(timezone.now() + timedelta(days=9)) is None
        notices.send_again(scope, notice.pk)
        with pytest.raises(Conflict, match="Only what was not delivered"):
            notices.send_again(scope, notice.pk)
        deliver()
    assert told(group)[0].state == "sent"


def test_a_redirect_leads_nowhere(group, scope):
    with listening() as receiver:
        receiver.answers = [302]
        hook(scope, receiver)
        die(group)
        deliver()
    (notice,) = told(group)
    assert (notice.state, notice.answer) == ("waiting", "302: redirects are not followed.")
    assert [got.path for got in receiver.received] == ["/hook?key=word"]


def test_gone_pauses_the_rule_and_ends_what_waits(group, scope):
    with listening() as receiver:
        receiver.answers = [410]
        made, _ = hook(scope, receiver)
        die(group)
        die(group)
        deliver()
    assert [notice.state for notice in told(group)] == ["failed", "failed"]
    made.refresh_from_db()
    assert (made.is_active, made.message) == (False, "Paused by itself: the receiver answered 410 Gone.")
    die(group)
    assert len(told(group)) == 2


def test_what_the_administrator_no_longer_names_is_not_asked(group, scope, settings):
    with listening() as receiver:
        hook(scope, receiver)
        die(group)
        settings.WEBHOOK_HOSTS = []
        deliver()
    assert receiver.received == []
    assert "WEBHOOK_HOSTS" in told(group)[0].answer


def test_a_paused_rule_delivers_nothing_more(group, scope):
    with listening() as receiver:
        made, _ = hook(scope, receiver)
        die(group)
        notification_rules.pause(scope, made.pk)
        assert claim(timezone.now() + timedelta(days=1)) is None
        die(group)
        with pytest.raises(Conflict):
            notices.send_again(scope, told(group)[0].pk)
        notification_rules.resume(scope, made.pk)
        die(group)
        deliver()
    assert [notice.state for notice in told(group)] == ["failed", "sent"]
    assert len(receiver.received) == 1


def test_what_arrives_while_its_rule_is_paused_is_told_as_sent(group, scope):
    with listening() as receiver:
        made, _ = hook(scope, receiver)
        die(group)
        notice = claim(timezone.now())
        receiver.answers = [lambda handler: (notification_rules.pause(scope, made.pk), _ok(handler))]
        carry_out(notice)
    assert told(group)[0].state == "sent"


def _ok(handler):
    handler.send_response(204)
    handler.end_headers()
    connection.close()


def test_one_who_dies_while_sending_is_followed_by_another_under_the_same_id(group, scope, settings):
    with listening() as receiver:
        hook(scope, receiver)
        die(group)
        now = timezone.now()
        dead = claim(now)
        assert claim(now) is None
        lease = timedelta(seconds=settings.NOTICE_LEASE_SECONDS)
        assert claim(now + lease - timedelta(seconds=1)) is None
        later = claim(now + lease + timedelta(seconds=1))
        assert (later.pk, later.tries) == (dead.pk, 2)
        # The first was only slow, and comes to an end after all: its word counts no more.
        receiver.answers = [500, 200, 500]
        carry_out(dead)
        assert told(group)[0].claimed_until == later.claimed_until
        carry_out(later)
        carry_out(dead)
    assert {got.headers["webhook-id"] for got in receiver.received} == {f"msg_{dead.pk.hex}"}
    assert told(group)[0].state == "sent"


def test_a_process_killed_while_it_sends_is_followed_under_the_same_id(group, scope, settings):
    settings.NOTICE_LEASE_SECONDS = 0.5
    with listening() as receiver:
        receiver.answers = [lambda _handler: receiver.ended.wait(), 200]
        hook(scope, receiver)
        die(group)
        connection.close()
        child = os.fork()
        if child == 0:
            carry_out(claim(timezone.now()))
            os._exit(1)
        until(lambda: receiver.received)
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert (told(group)[0].state, told(group)[0].tries) == ("waiting", 1)
        deliver()
    assert (told(group)[0].state, told(group)[0].tries) == ("sent", 2)
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


def test_who_always_dies_is_not_tried_for_ever(group, scope, settings):
    settings.NOTICE_TRIES = 2
    with listening() as receiver:
        hook(scope, receiver)
    die(group)
    now = timezone.now()
    later = timedelta(seconds=settings.NOTICE_LEASE_SECONDS + 1)
    assert claim(now) and claim(now + later)
    assert claim(now + 2 * later) is None
    assert (told(group)[0].state, told(group)[0].answer) == ("failed", "The last try did not end.")


def test_two_deliverers_at_once_send_once(group, scope):
    with listening() as receiver:
        hook(scope, receiver)
        for _ in range(5):
            die(group)
        start = threading.Barrier(2)

        def work(one):
            start.wait()
            one.run_due()

        both = [Deliveries(), Deliveries()]
        threads = [threading.Thread(target=work, args=(one,)) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: all(notice.state == "sent" for notice in told(group)))
        until(lambda: all(one.is_idle for one in both))
    assert sorted(got.headers["webhook-id"] for got in receiver.received) == sorted(
        f"msg_{notice.pk.hex}" for notice in told(group)
    )


def test_of_many_who_claim_at_once_each_gets_another(group, scope):
    with listening() as receiver:
        hook(scope, receiver)
    run = die(group)
    (first,) = told(group)
    fields = {name: getattr(first, name) for name in ("resource_group", "rule", "event", "payload")}
    now = timezone.now()
    Notice.unscoped.bulk_create(
        Notice(**fields, subject=f"{run.pk} {n}", next_try_at=now, created_at=now) for n in range(30)
    )
    start, claimed = threading.Barrier(4), []

    def work():
        start.wait()
        while notice := claim(now):
            claimed.append(notice.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 31


def test_a_server_that_hangs_holds_up_no_other(group, scope):
    """Several notices wait for one that hangs; another's arrives meanwhile."""
    with listening() as slow, listening(host="localhost") as quick:
        slow.answers = [lambda _handler: slow.ended.wait()]
        hook(scope, slow)
        for _ in range(5):
            die(group)
        hook(scope, quick)
        die(group)
        deliveries = Deliveries()
        deliveries.run_due()
        until(lambda: quick.received)
        until(lambda: Notice.unscoped.filter(state="sent").exists())
        assert len(slow.received) == 1
        deliveries.shut_down()
        slow.ended.set()
        until(lambda: deliveries.is_idle)


def test_those_who_take_nothing_come_after_the_others(group, scope, settings):
    """As many as there are places would hold up everybody else with all that they do not take."""
    settings.NOTICES_AT_ONCE = 1
    settings.NOTICE_BACKOFF_SECONDS = settings.NOTICE_BACKOFF_LIMIT_SECONDS = 3600
    order: list[str] = []

    def answers(name, status):
        def answer(handler):
            order.append(name)
            handler.send_response(status)
            handler.end_headers()

        return answer

    with listening() as failing, listening(host="localhost") as good:
        failing.answers, good.answers = [answers("failing", 500)], [answers("good", 204)]
        hook(scope, failing)
        for _ in range(3):
            die(group)
        hook(scope, good)
        die(group)
        deliveries = Deliveries()
        deliveries.run_due()
        until(lambda: deliveries.is_idle)
    assert order == ["failing", "good", "failing", "failing", "failing"]


def test_an_error_of_our_own_frees_its_place(group, scope, settings, monkeypatch):
    settings.EMAIL_HOST = "mail.example"
    with listening() as receiver:
        hook(scope, receiver)
    die(group)
    Notice.unscoped.update(payload={"type": "broken"})
    NotificationRule.unscoped.update(channel="email")
    deliveries, seen = Deliveries(), []
    monkeypatch.setattr(threading, "excepthook", lambda told: seen.append(told.exc_type))
    deliveries.run_due()
    until(lambda: seen and deliveries.is_idle)
    assert seen == [KeyError]


def test_rotation_lets_both_secrets_verify_for_a_day(group, scope):
    with listening() as receiver:
        made, first = hook(scope, receiver)
        _, second = notification_rules.rotate(scope, made.pk)
        assert first != second
        die(group)
        deliver()
        (got,) = receiver.received
        for secret in (first, second):
            Webhook(secret).verify(got.body, got.headers)
        made.refresh_from_db()
        NotificationRule.unscoped.update(secret=made.secret | {"old": [[first, "2020-01-01T00:00:00+00:00"]]})
        die(group)
        deliver()
    Webhook(second).verify(receiver.received[1].body, receiver.received[1].headers)
    assert len(receiver.received[1].headers["webhook-signature"].split()) == 1


def test_whoever_rotates_twice_loses_nobody(group, scope):
    """A button that is pressed twice shows one of two new secrets; the receiver knows the first alone."""
    with listening() as receiver:
        made, first = hook(scope, receiver)
        secrets = [first, *(notification_rules.rotate(scope, made.pk)[1] for _ in range(2))]
        die(group)
        deliver()
    (got,) = receiver.received
    for secret in secrets:
        Webhook(secret).verify(got.body, got.headers)
    for _ in range(9):
        notification_rules.rotate(scope, made.pk)
    made.refresh_from_db()
    assert len(made.secret["old"]) == 4


def test_what_a_server_repeats_of_the_url_is_not_in_the_log(group, scope):
    def repeat(handler):
        handler.send_response(404)
        handler.end_headers()
        handler.wfile.write(f"Cannot POST {handler.path}".encode())

    with listening() as receiver:
        receiver.answers = [repeat]
        hook(scope, receiver)
        die(group)
        deliver()
    assert told(group)[0].answer == "404 Cannot POST /…?…=…"


def test_pauses_grow_to_a_limit(settings):
    settings.NOTICE_BACKOFF_SECONDS, settings.NOTICE_BACKOFF_LIMIT_SECONDS = 60, 8 * 3600
    exact = [notice_deliveries.pause(tries, spread=lambda _low, _high: 1) for tries in range(1, 8)]
    assert [one.total_seconds() / 60 for one in exact] == [1, 4, 16, 64, 256, 480, 480]
    assert timedelta(hours=20) < sum(exact, timedelta()) < timedelta(days=1)
    assert len({notice_deliveries.pause(3) for _ in range(20)}) > 1


class TestMail:
    def test_it_arrives_with_cause_and_link(self, group, settings):
        settings.DEFAULT_FROM_EMAIL = "Launchpad <launchpad@example.com>"
        with mailbox(settings) as box:
            rule(group, addresses=["ada@example.com"], events=["failed"])
            run = die(group)
            deliver()
        (envelope,) = box.envelopes
        assert (envelope.mail_from, envelope.rcpt_tos) == ("launchpad@example.com", ["ada@example.com"])
        text = envelope.content.decode()
        assert f"Subject: [Launchpad] Execution {run.pk} of 0 of many failed" in text.replace("\r\n ", " ")
        assert "Out of memory." in text
        assert f"/executions/{run.pk}/" in text
        (notice,) = told(group)
        assert (notice.state, notice.answer) == ("sent", "Accepted by 127.0.0.1")
        assert f"Message-ID: <{notice.pk.hex}@example.com>" in text

    def test_nobody_is_given_up_and_the_other_receives(self, group, settings):
        with mailbox(settings) as box:
            rule(group, addresses=["nobody@example.com", "ada@example.com"], events=["failed"])
            die(group)
            deliver(tries=2)
        found = {notice.recipient: (notice.state, notice.answer) for notice in told(group)}
        assert found["nobody@example.com"] == ("failed", "550 No such person")
        assert found["ada@example.com"][0] == "sent"
        assert len(box.envelopes) == 1

    def test_a_server_that_is_busy_is_asked_again(self, group, settings):
        with mailbox(settings, "451 Try later", "250 Taken"):
            rule(group, addresses=["ada@example.com"], events=["failed"])
            die(group)
            deliver()
            (notice,) = told(group)
            assert (notice.state, notice.answer) == ("waiting", "451 Try later")
            deliver()
        assert told(group)[0].state == "sent"

    def test_what_was_taken_is_sent_whatever_is_said_at_parting(self, group, settings):
        with mailbox(settings) as box:
            box.farewell = "x" * 20_000
            rule(group, addresses=["ada@example.com"], events=["failed"])
            die(group)
            deliver()
        assert len(box.envelopes) == 1
        assert told(group)[0].state == "sent"

    def test_a_server_that_is_away_is_told(self, group, settings):
        with mailbox(settings):
            rule(group, addresses=["ada@example.com"], events=["failed"])
        die(group)
        deliver()
        (notice,) = told(group)
        assert notice.state == "waiting"
        assert notice.answer.startswith("The mail server could not be used:")

    def test_who_stays_a_receiver_is_told_what_waits(self, group, scope, settings):
        with mailbox(settings) as box:
            made = rule(group, addresses=["ada@example.com", "bob@example.com"], events=["failed"])
            die(group)
            wanted = Wanted(
                "us", "executions", "email", ["failed"], addresses=["ada@example.com", "eve@x.org"]
            )
            notification_rules.edit(scope, made.pk, wanted)
            deliver()
        assert {notice.recipient: notice.state for notice in told(group)} == {
            "ada@example.com": "sent",
            "bob@example.com": "failed",
        }
        assert [envelope.rcpt_tos for envelope in box.envelopes] == [["ada@example.com"]]

    def test_who_is_no_receiver_any_more_is_not_told_by_another_way(self, group, scope, settings):
        """What failed as a webhook is not mailed to nobody, and nobody is asked again who was taken out."""
        with mailbox(settings) as box, listening() as receiver:
            receiver.answers = [410]
            made, _ = hook(scope, receiver)
            die(group)
            deliver()
            notification_rules.resume(scope, made.pk)
            wanted = Wanted("us", "executions", "email", ["failed"], addresses=["ada@example.com"])
            notification_rules.edit(scope, made.pk, wanted)
            with pytest.raises(Conflict, match="has other receivers now"):
                notices.send_again(scope, told(group)[0].pk)
            die(group)
            notice = claim(timezone.now())
            notification_rules.edit(
                scope, made.pk, Wanted(**vars(wanted) | {"addresses": ["eve@example.com"]})
            )
            carry_out(notice)
        assert [one.state for one in told(group)] == ["failed", "failed"]
        assert box.envelopes == []

    def test_names_of_people_s_making_add_no_headers(self, group, settings):
        with mailbox(settings) as box:
            made = rule(group, addresses=["ada@example.com"], events=["failed"])
            run = die(group)
            (notice,) = told(group)
            hostile = "x\r\nBcc: eve@example.com\u2028\x85\x0b\x0cX-Evil: 1 " + "ü" * 300
            NotificationRule.unscoped.filter(pk=made.pk).update(name=hostile[:256])
            notice.payload["data"]["title"] = f"{hostile} {run.pk}"
            notice.save()
            deliver()
        (envelope,) = box.envelopes
        head = envelope.content.decode().split("\r\n\r\n", 1)[0].lower()
        assert envelope.rcpt_tos == ["ada@example.com"]
        assert not any(line.startswith(("bcc", "x-evil")) for line in head.split("\r\n"))


def test_a_line_is_one_whatever_breaks_it():
    assert notice_texts.line("a\r\nb\u2028c\x00d\x85e\tf") == "a b c d e f"
