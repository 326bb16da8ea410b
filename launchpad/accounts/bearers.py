"""Who a bearer token of an API client stands for, asked of the database at most once in a few seconds."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken

from launchpad.accounts.models import ServiceKey

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_KEPT = 10_000
_lock = threading.Lock()
_known: OrderedDict[str, tuple[float, Client]] = OrderedDict()


@dataclass(frozen=True)
class Client:
    """An API client: the service account it acts as and the workspace its key belongs to."""

    account: User
    workspace: str
    key: UUID


def client(token: str) -> Client | None:
    """The client of an access token; None for a token that is unknown, expired or revoked.

    At most one query; none when the same token was looked up within TOKEN_CACHE_SECONDS, which is also how
    long a revoked key may still be taken.
    """
    checksum = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    now = time.monotonic()
    with _lock:
        known = _known.get(checksum)
    if known is not None and known[0] > now:
        return known[1]
    found = _ask(checksum)
    with _lock:
        if found is None:
            _known.pop(checksum, None)
            return None
        _known[checksum] = (now + settings.TOKEN_CACHE_SECONDS, found)
        _known.move_to_end(checksum)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def _ask(checksum: str) -> Client | None:
    keys = ServiceKey.unscoped.filter(
        revoked_at=None,
        account__is_active=True,
        application__in=AccessToken.objects.filter(
            token_checksum=checksum, expires__gt=timezone.now()
        ).values("application"),
    )
    key = keys.select_related("account").first()
    return None if key is None else Client(key.account, key.workspace_id, key.pk)


def forget_all() -> None:
    """Ask anew for every token."""
    with _lock:
        _known.clear()
