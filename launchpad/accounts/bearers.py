"""Access tokens of API clients: issued, and recognised at the cost of at most one query in a few seconds."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from launchpad.accounts.models import ServiceKey

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_KEPT = 10_000
_PURGED_AT_ONCE = 1_000
_USE_SECONDS = 60
_SCOPE = "ai-api"
_lock = threading.Lock()
_known: OrderedDict[str, tuple[float, Client]] = OrderedDict()


@dataclass(frozen=True)
class Client:
    """An API client: the service account it acts as and the workspace its key belongs to."""

    account: User
    workspace: str
    key: UUID


@dataclass(frozen=True)
class Issued:
    """A new access token. id: what it is known by where the token itself must not be seen."""

    token: str
    id: str
    scope: str
    seconds: int


def issue(key: ServiceKey) -> Issued:
    """A token of the key, of 256 random bits; only its checksum is stored. One query."""
    token = secrets.token_urlsafe(32)
    seconds = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"]
    row = AccessToken(
        user_id=key.account_id,
        application_id=key.application_id,
        expires=timezone.now() + timedelta(seconds=seconds),
        scope=_SCOPE,
    )
    set_token_value(row, token)
    row.save(force_insert=True)
    return Issued(token, _checksum(token)[:32], _SCOPE, seconds)


def client(token: str, *, now: float | None = None) -> Client | None:
    """The client of an access token; None for a token that is unknown, expired or revoked.

    One query; none when the same token was looked up within TOKEN_CACHE_SECONDS, which is also how long a
    revoked key may still be taken. Once a minute a second query notes when the key was last used.
    now: monotonic seconds.
    """
    checksum = _checksum(token)
    now = time.monotonic() if now is None else now
    with _lock:
        known = _known.get(checksum)
    if known is not None and known[0] > now:
        return known[1]
    found = _ask(checksum)
    with _lock:
        if found is None:
            _known.pop(checksum, None)
            return None
        one, seconds = found
        _known[checksum] = (now + seconds, one)
        _known.move_to_end(checksum)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return one


def ask(token: str) -> tuple[Client, float] | None:
    """The client of an access token as the database knows it now, for those that keep the answer themselves.

    With it for how many seconds it may be kept, at most TOKEN_CACHE_SECONDS. One query, see `client`.
    """
    return _ask(_checksum(token))


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _ask(checksum: str) -> tuple[Client, float] | None:
    """The client and for how many seconds it may be taken without asking again."""
    now = timezone.now()
    # One filter: both conditions hold for the same token.
    keys = ServiceKey.unscoped.filter(
        Q(application__accesstoken__token_checksum=checksum, application__accesstoken__expires__gt=now),
        revoked_at=None,
        account__is_active=True,
    )
    key = keys.select_related("account").annotate(expires=F("application__accesstoken__expires")).first()
    if key is None:
        return None
    _note_use(key, now)
    seconds = min(settings.TOKEN_CACHE_SECONDS, (key.expires - now).total_seconds())
    return Client(key.account, key.workspace_id, key.pk), seconds


def _note_use(key: ServiceKey, now: datetime) -> None:
    if key.last_used_at is None or key.last_used_at < now - timedelta(seconds=_USE_SECONDS):
        ServiceKey.unscoped.filter(pk=key.pk).update(last_used_at=now)


def purge_expired() -> int:
    """Delete tokens that have expired, at most 1,000 of them; return how many.

    All live equally long, so the oldest by key expire first: no index on the expiry is needed.
    """
    now = timezone.now()
    oldest = AccessToken.objects.order_by("pk").values_list("pk", "expires")[:_PURGED_AT_ONCE]
    expired = [key for key, expires in oldest if expires < now]
    if expired:
        AccessToken.objects.filter(pk__in=expired).delete()
    return len(expired)


def forget_all() -> None:
    """Ask anew for every token."""
    with _lock:
        _known.clear()
