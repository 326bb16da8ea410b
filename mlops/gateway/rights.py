"""Who may ask a deployment: decided in a thread, by the same scopes as everything, and kept for seconds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error

from launchpad import viewing
from launchpad.access import NOTHING_HERE, READ_ONLY, Right, open_scope
from launchpad.accounts import bearers
from launchpad.errors import Forbidden, LaunchpadError
from launchpad.streams import Message, in_thread, signed_in
from mlops.domain.routing import Route
from mlops.gateway.refusals import UNKNOWN, Refused
from mlops.gateway.requests import Request

# What is refused may be granted a moment later.
REFUSED_SECONDS = 1.0
# So much longer a right that is known holds while the database is away.
AWAY_SECONDS = 30.0
# How long a request waits for the answer of the database: the first time, and where one is known.
_ASK_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_KEPT = 10_000
_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(settings.PUBLIC_URL)).encode()
# Where a browser would run or apply an answer as a part of one of our own pages.
_EMBEDDING = frozenset(
    b"script style worker sharedworker serviceworker audioworklet paintworklet xslt manifest embed "
    b"object".split()
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether requests may pass. status: 0 for yes, else of the refusal that message explains.

    caller: the name they come under. viewed_as: whose role the caller looks through, "" for nobody's.
    seconds: for how long it holds.
    """

    status: int
    message: str = ""
    caller: str = ""
    viewed_as: str = ""
    seconds: float = REFUSED_SECONDS


class _Entry:
    """A decision, until when it holds, from when on it is asked again beforehand; loop times."""

    __slots__ = ("decision", "last", "renews", "until")

    def __init__(self, decision: Decision, now: float) -> None:
        self.decision = decision
        self.until = now + decision.seconds
        self.renews = now + decision.seconds * 0.7
        self.last = self.until + AWAY_SECONDS


class Rights:
    """Decisions by credential, deployment and group; on one event loop."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Task[Decision]] = {}

    async def decide(self, request: Request, scope: Message, route: Route | None, now: float) -> Decision:
        """Whether the request may pass, by an answer of the database at most TOKEN_CACHE_SECONDS old.

        Raises Refused while the database is away and nothing is known. now: loop time.
        """
        credential = request.credential
        if credential is None:
            return Decision(401, UNKNOWN)
        key = (credential, request.deployment, request.group)
        entry = self._entries.get(key)
        if entry is not None and now < entry.until:
            if now > entry.renews and key not in self._asked and not entry.decision.status:
                # Asked before the old answer is over, so that nobody has to wait.
                self._ask(key, request, scope, route)
            return entry.decision
        task = self._asked.get(key) or self._ask(key, request, scope, route)
        try:
            is_known = entry is not None and not entry.decision.status
            async with asyncio.timeout(_AGAIN_SECONDS if is_known else _ASK_SECONDS):
                return await asyncio.shield(task)
        except (Error, TimeoutError) as error:
            now = asyncio.get_running_loop().time()
            if entry is None or entry.decision.status or now > entry.last:
                sentence = "The database does not answer, so your rights cannot be checked. Try again soon."
                raise Refused(503, sentence, retry_after=2) from error
            # For a moment nobody asks again.
            entry.until = min(now + REFUSED_SECONDS, entry.last)
            return entry.decision

    def _ask(
        self, key: Hashable, request: Request, scope: Message, route: Route | None
    ) -> asyncio.Task[Decision]:
        task = asyncio.get_running_loop().create_task(self._asking(key, request, scope, route))
        # Nobody may be left to be told of an error.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._asked[key] = task
        return task

    async def _asking(self, key: Hashable, request: Request, scope: Message, route: Route | None) -> Decision:
        try:
            decision = await in_thread(_decision, request, scope, route)
        finally:
            self._asked.pop(key, None)
        self._entries[key] = _Entry(decision, asyncio.get_running_loop().time())
        self._entries.move_to_end(key)
        while len(self._entries) > _KEPT:
            self._entries.popitem(last=False)
        return decision


def _decision(request: Request, scope: Message, route: Route | None) -> Decision:
    """In a thread: two or three queries of a token, some more of a session."""
    if request.token is not None:
        found = bearers.ask(request.token)
        if found is None:
            return Decision(401, UNKNOWN)
        client, seconds = found
        if route is None or route.is_archived:
            return Decision(404, NOTHING_HERE)
        if (client.workspace, request.group) != (route.workspace, route.group):
            return Decision(404, NOTHING_HERE)
        try:
            opened = open_scope(client.account, route.workspace, route.group, Right.PARTICIPATE)
        except LaunchpadError as error:
            return _refusal(error)
        return Decision(0, caller=opened.actor, seconds=seconds)
    visit = signed_in(scope)
    if visit is None:
        return Decision(401, UNKNOWN)
    if route is None or route.is_archived:
        return Decision(404, NOTHING_HERE)
    try:
        opened = viewing.opened(visit, route.workspace, route.group, Right.PARTICIPATE)
    except LaunchpadError as error:
        return _refusal(error)
    looking = opened.viewed_as.get_username() if opened.viewed_as is not None else ""
    return Decision(0, caller=opened.actor, viewed_as=looking, seconds=settings.TOKEN_CACHE_SECONDS)


def _refusal(error: LaunchpadError) -> Decision:
    return Decision(403 if isinstance(error, Forbidden) else 404, error.message)


def check(decision: Decision, request: Request) -> None:
    """Raise Refused unless the request may pass: by the decision, and by where a browser sends it from.

    A session's cookie comes with whatever a browser sends. So what may change something must come from one of
    our own pages, and no answer may become a part of one.
    """
    if decision.status:
        raise Refused(decision.status, decision.message)
    if request.token is not None:
        return
    if request.read.get(b"sec-fetch-dest", b"empty") in _EMBEDDING:
        raise Refused(403, "An answer of a model is data: no page may load it as a part of itself.")
    if request.is_safe:
        return
    site = request.read.get(b"sec-fetch-site")
    if site != b"same-origin" and (site is not None or request.read.get(b"origin") != _ORIGIN):
        sentence = f"With a session, {request.method} is taken from Launchpad's own pages only. Send a token."
        raise Refused(403, sentence)
    if decision.viewed_as:
        raise Refused(403, READ_ONLY.format(decision.viewed_as))
