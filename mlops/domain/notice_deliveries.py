"""Delivers notices beside the control worker's tasks, a few at once, which no receiver holds up."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import random
import smtplib
import threading
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import InterfaceError, OperationalError, connection, transaction

from launchpad.vault import Unreadable
from mlops.domain import moments, notice_texts
from mlops.engine import webhooks
from mlops.engine.webhooks import Refused, Unreached
from mlops.models import Notice, NotificationRule

log = logging.getLogger(__name__)

_LOOKED_AT = 50
_GONE = 410
_BACKOFF_FACTOR = 4
_JITTER = 0.2
_FAILED = Notice.State.FAILED


class Deliveries:
    """This process's deliveries: at most NOTICES_AT_ONCE, and one to a host, so that no server that hangs
    takes more than one of them. Those whose last one was not taken come after all others, so that many of
    them hold up nobody. Each is a thread of its own."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._failing: set[str] = set()
        self._running = 0
        self._missed = False

    def run_due(self) -> None:
        """Begin what is due, as far as there is room, and return at once."""
        with self._lock:
            if self._running >= settings.NOTICES_AT_ONCE:
                # The next to end looks again.
                self._missed = True
            elif not self._ending.is_set():
                self._running += 1
                threading.Thread(target=self._work, name="notices", daemon=True).start()

    def shut_down(self) -> None:
        """Begin nothing more; what is under way is sent again by another process if it does not end."""
        self._ending.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs."""
        with self._lock:
            return self._running == 0

    def _work(self) -> None:
        again = True
        while again:
            again = False
            try:
                while not self._ending.is_set() and self._one():
                    continue
            except (OperationalError, InterfaceError) as error:
                log.warning("The database did not answer; the next ring delivers: %s", error)
                again = True
            else:
                again = True
            finally:
                connection.close()
                with self._lock:
                    # After any other error the thread ends, and its place is free.
                    again = again and self._missed and not self._ending.is_set()
                    self._missed = False
                    self._running -= not again

    def _one(self) -> bool:
        """Deliver one notice that is due; False when none is."""
        with self._lock:
            # Claimed under the lock: two threads of this process never ask the same host.
            now = moments.now()
            notice = claim(now, self._busy | self._failing)
            if notice is None and self._failing:
                notice = claim(now, self._busy)
            if notice is None:
                return False
            host = notice.rule.host
            self._busy.add(host)
        # There may be more for another thread.
        self.run_due()
        is_taken = False
        try:
            is_taken = carry_out(notice)
        finally:
            with self._lock:
                self._busy.discard(host)
                if is_taken:
                    self._failing.discard(host)
                else:
                    self._failing.add(host)
        return True


@functools.cache
def current() -> Deliveries:
    """The deliveries of this process."""
    return Deliveries()


def claim(now: datetime, busy: Set[str] = frozenset()) -> Notice | None:
    """Take a notice that is due and whose host is not busy; nobody else gets it before its lease ends.

    It is taken by moving next_try_at to the end of the lease, as far as nobody else moved it. A try counts
    from here on: one that never ended is one too, and after the last of those the notice is not delivered.
    """
    lease = now + timedelta(seconds=settings.NOTICE_LEASE_SECONDS)
    due = Notice.unscoped.filter(state=Notice.State.WAITING, next_try_at__lte=now)
    rows = due.exclude(rule__host__in=busy).select_related("rule").defer("rule__url", "rule__secret")
    for row in rows.order_by("next_try_at")[:_LOOKED_AT]:
        if row.tries >= settings.NOTICE_TRIES:
            # Its last try never ended: whoever made it died.
            _settle(row, Result(False, "The last try did not end.", is_over=True))
            continue
        seen = Notice.unscoped.filter(
            pk=row.pk, state=Notice.State.WAITING, next_try_at=row.next_try_at, tries=row.tries
        )
        if seen.update(next_try_at=lease, claimed_until=lease, tries=row.tries + 1):
            row.next_try_at = row.claimed_until = lease
            row.tries += 1
            return row
    return None


@dataclass(frozen=True)
class Result:
    """How a try ended. is_over: whether another would end no better. is_gone: nothing is wanted there."""

    is_sent: bool
    answer: str
    is_over: bool = False
    is_gone: bool = False


def carry_out(notice: Notice) -> bool:
    """Send a claimed notice and note what came of it; outside of any transaction. Whether it was taken."""
    rule = NotificationRule.unscoped.defer("url", "secret").filter(pk=notice.rule_id).first()
    if rule is None:
        return False
    if not rule.is_active:
        result = Result(False, rule.message or "The rule is paused.", is_over=True)
    elif notice.recipient not in rule.receivers:
        result = Result(False, "The rule has other receivers now.", is_over=True)
    elif rule.channel == NotificationRule.Channel.EMAIL:
        result = _mail(notice)
    else:
        result = _webhook(notice, rule)
    _settle(notice, result)
    return result.is_sent


def _settle(notice: Notice, result: Result) -> None:
    """Note the end of a try, unless its lease ended before and somebody else is at it."""
    now = moments.now()
    changes: dict[str, object] = {"answer": result.answer[:512], "claimed_until": None}
    if result.is_sent:
        changes |= {"state": Notice.State.SENT, "next_try_at": None, "ended_at": now}
    elif result.is_over or notice.tries >= settings.NOTICE_TRIES:
        changes |= {"state": _FAILED, "next_try_at": None, "ended_at": now}
    else:
        changes |= {"next_try_at": now + pause(notice.tries)}
    mine = Notice.unscoped.filter(pk=notice.pk, tries=notice.tries, claimed_until=notice.claimed_until)
    if not result.is_sent:
        # What was ended meanwhile, as its rule was paused, stays so, unless it has arrived.
        mine = mine.filter(state=Notice.State.WAITING)
    with transaction.atomic():
        if mine.update(**changes) and result.is_gone:
            _retire(notice.rule_id, now)


def _retire(rule_id: UUID, now: datetime) -> None:
    said = "Paused by itself: the receiver answered 410 Gone."
    rule = NotificationRule.unscoped.filter(pk=rule_id, is_active=True)
    if rule.update(is_active=False, message=said, modified_at=now):
        waiting = Notice.unscoped.filter(rule=rule_id, state=Notice.State.WAITING)
        waiting.update(state=_FAILED, next_try_at=None, ended_at=now, answer=said)


def pause(tries: int, *, spread: Callable[[float, float], float] = random.uniform) -> timedelta:
    """How long to wait after so many tries: four times as long each time, up to a limit, and a bit off."""
    seconds: float = settings.NOTICE_BACKOFF_SECONDS * _BACKOFF_FACTOR ** (tries - 1)
    seconds = min(seconds, settings.NOTICE_BACKOFF_LIMIT_SECONDS)
    return timedelta(seconds=seconds * spread(1 - _JITTER, 1 + _JITTER))


def _webhook(notice: Notice, rule: NotificationRule) -> Result:
    body = json.dumps(notice.payload, ensure_ascii=False, separators=(",", ":")).encode()
    now = moments.now()
    try:
        target = webhooks.read(rule.url or "", settings.WEBHOOK_HOSTS)
        headers = webhooks.signed(
            f"msg_{notice.pk.hex}", body, at=int(now.timestamp()), secrets=_secrets(rule, now)
        )
        answer = webhooks.post(
            target, body, headers, allowed=settings.WEBHOOK_HOSTS, seconds=settings.WEBHOOK_SECONDS
        )
    except Unreadable as error:
        return Result(False, str(error))
    except (Refused, Unreached) as error:
        return Result(False, str(error))
    said = f"{answer.status} {answer.text}".strip()
    if 200 <= answer.status < 300:
        return Result(True, said)
    if 300 <= answer.status < 400:
        return Result(False, f"{answer.status}: redirects are not followed.")
    return Result(False, said, is_over=answer.status == _GONE, is_gone=answer.status == _GONE)


def _secrets(rule: NotificationRule, now: datetime) -> list[str]:
    """Those that sign now, the newest first. Raises Unreadable."""
    kept = rule.secret or {}
    found = [kept["new"]] if "new" in kept else []
    return found + [old for old, until in kept.get("old", []) if datetime.fromisoformat(until) > now]


def _mail(notice: Notice) -> Result:
    if not settings.EMAIL_HOST:
        return Result(False, "E-mail is not set up: EMAIL_HOST is empty.")
    subject, text = notice_texts.mail(notice.payload)
    # A receiver that gets it twice, as a worker died in between, sees one.
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {"Message-ID": f"<{notice.pk.hex}@{host}>", "Auto-Submitted": "auto-generated"}
    message = EmailMessage(subject, text, None, [notice.recipient], headers=headers)
    try:
        _hand_over(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return Result(False, f"{code} {_said(said)}", is_over=code >= 500)
    except smtplib.SMTPResponseException as error:
        answer = f"{error.smtp_code} {_said(error.smtp_error)}"
        return Result(
            False, answer, is_over=isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        )
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Result(False, f"The mail server could not be used: {error or type(error).__name__}")
    return Result(True, f"Accepted by {settings.EMAIL_HOST}")


def _hand_over(message: EmailMessage) -> None:
    """Give it to the mail server. Raises what smtplib and sockets raise, and ValueError."""
    server = get_connection()
    try:
        server.open()
        if not server.send_messages([message]):
            raise ValueError("Nobody is to receive it")
    finally:
        # How a server takes leave says nothing about what it took.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.close()


def _said(answer: bytes | str) -> str:
    return notice_texts.line(answer.decode(errors="replace") if isinstance(answer, bytes) else answer)
