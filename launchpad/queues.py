"""How many messages wait in the broker's queues, as Redis tells at once or not at all."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from launchpad.celery import app

TIMEOUT_SECONDS = 0.5


@dataclass(frozen=True)
class Queues:
    """Messages by queue, in the order they are declared. answers: whether the broker said anything."""

    lengths: dict[str, int] = field(default_factory=dict)
    answers: bool = True


def lengths() -> Queues | None:
    """The length of each queue, in one round trip; None where the broker is no server.

    Takes no longer than two tries of TIMEOUT_SECONDS, each for connecting and for the answer. Raises nothing.
    """
    if not settings.REDIS_URL:
        return None
    names = [queue.name for queue in app.conf.task_queues]
    asked = _client(settings.REDIS_URL).pipeline(transaction=False)
    for name in names:
        asked.llen(name)
    try:
        return Queues(dict(zip(names, asked.execute(), strict=True)))
    except (RedisError, OSError):
        return Queues(answers=False)


@functools.lru_cache(maxsize=1)
def _client(url: str) -> Redis:
    """A client whose connections are kept; the second try is for one that the server has closed meanwhile."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
