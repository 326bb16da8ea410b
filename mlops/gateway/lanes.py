"""One deployment in use: its branches with their servers, places for requests, and who waits for one."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from django.conf import settings

from mlops.domain.deployments import address
from mlops.domain.routing import Branch, Route, Server
from mlops.gateway.refusals import Refused
from mlops.gateway.servers import Upstream
from mlops.lifecycle import Status

_UP = (Status.PENDING, Status.RUNNING)
_RETRY_SECONDS = 2


class Lane:
    """A revision that answers. open: requests under way now."""

    def __init__(self, deployment: str, revision: int) -> None:
        self.deployment = deployment
        self.revision = revision
        self.header = (b"x-launchpad-revision", str(revision).encode())
        self.open = 0
        self.timeout_seconds = 0.0
        self._places = math.inf
        self._turn = 0
        self._servers: dict[Server, Upstream] = {}
        self._upstreams: list[Upstream] = []

    def update(self, branch: Branch | None) -> None:
        """Take over what the table says; None: it gets no more requests."""
        members = branch.servers if branch is not None else ()
        for gone in set(self._servers) - set(members):
            self._servers.pop(gone).retire()
        for server in members:
            if server not in self._servers:
                self._servers[server] = Upstream(server)
        self._upstreams = [self._servers[server] for server in members]
        if branch is not None:
            self.timeout_seconds = branch.limits.timeout_seconds
            self._places = branch.limits.concurrency * len(members) or math.inf

    @property
    def has_place(self) -> bool:
        """Whether one of its servers may take another request."""
        return self.open < self._places

    def choose(self, tried: set[Upstream], now: float) -> Upstream | None:
        """The server with the fewest open requests, in turn among equals; None when all are down or tried.

        now: loop time.
        """
        best: Upstream | None = None
        count = len(self._upstreams)
        self._turn += 1
        for step in range(count):
            one = self._upstreams[(self._turn + step) % count]
            if one.down_until <= now and one not in tried and (best is None or one.open < best.open):
                best = one
        return best

    def tidy(self, now: float) -> None:
        """Close idle connections."""
        for one in self._upstreams:
            one.tidy(now)


class Line:
    """One deployment as it is known now. route: None where there is none. used_at, known_at: loop times."""

    def __init__(self, deployment: str, route: Route | None, now: float) -> None:
        self.deployment = deployment
        self.route = route
        self.used_at = self.known_at = now
        self.lanes: list[Lane] = []
        self._waiting: deque[asyncio.Future[Lane | None]] = deque()
        self._tokens, self._filled_at = float(settings.GATEWAY_REQUESTS_PER_SECOND), now
        public = address(deployment)
        scheme, _, rest = public.partition("://")
        host, _, prefix = rest.partition("/")
        self.head = (
            f"x-forwarded-proto: {scheme}\r\nx-forwarded-host: {host}\r\nx-forwarded-prefix: /{prefix}\r\n"
        ).encode()
        self.update(route, now)

    def update(self, route: Route | None, now: float) -> None:
        """Take over what the table says."""
        self.route, self.known_at = route, now
        branches = {branch.revision: branch for branch in route.branches} if route is not None else {}
        lanes = {lane.revision: lane for lane in self.lanes}
        for revision, lane in lanes.items():
            lane.update(branches.get(revision))
        for revision, branch in branches.items():
            if revision not in lanes:
                lanes[revision] = Lane(self.deployment, revision)
                lanes[revision].update(branch)
        self.lanes = [lanes[revision] for revision in branches]
        self._hand_out()

    def take_turn(self, now: float) -> None:
        """Count a request against the limit of requests a second. Raises Refused (429)."""
        rate = settings.GATEWAY_REQUESTS_PER_SECOND
        if not rate:
            return
        # Requests come here in another order than they began, as their rights are looked up first.
        since = max(now - self._filled_at, 0.0)
        self._tokens = min(float(rate), self._tokens + since * rate)
        self._filled_at += since
        if self._tokens < 1:
            seconds = math.ceil((1 - self._tokens) / rate)
            sentence = f"This deployment takes {rate} requests a second. Send less, or more in one request."
            raise Refused(429, sentence, retry_after=seconds)
        self._tokens -= 1

    def enter(self) -> Lane | None:
        """A place for a request, to be left again; None when one has to wait. Raises Refused."""
        lane = self._lane()
        if self._waiting or not lane.has_place:
            return None
        lane.open += 1
        return lane

    async def wait(self) -> Lane:
        """A place as soon as there is one; who has waited longest comes first. Raises Refused (429)."""
        ticket: asyncio.Future[Lane | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            async with asyncio.timeout(settings.GATEWAY_WAIT_SECONDS):
                lane = await ticket
        except TimeoutError as error:
            self._withdraw(ticket)
            sentence = "All servers of this deployment are busy. Try again later, or let more servers run."
            raise Refused(429, sentence, retry_after=1) from error
        except asyncio.CancelledError:
            self._withdraw(ticket)
            raise
        if lane is None:
            # There was no server any more, which this says unless there is one again.
            lane = self._lane()
            lane.open += 1
        return lane

    def _withdraw(self, ticket: asyncio.Future[Lane | None]) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif ticket.done() and not ticket.cancelled():
            lane = ticket.result()
            if lane is not None:
                self.leave(lane)

    def leave(self, lane: Lane) -> None:
        """Give a place back."""
        lane.open -= 1
        if self._waiting:
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            lane = self.lanes[0] if self.lanes else None
            if lane is not None and not lane.has_place:
                return
            ticket = self._waiting.popleft()
            if ticket.done():
                continue
            if lane is not None:
                lane.open += 1
            ticket.set_result(lane)

    def _lane(self) -> Lane:
        """The revision that a request goes to: of the only one there is today. Raises Refused (404, 503)."""
        route = self.route
        if route is not None and route.status in _UP:
            if self.lanes:
                return self.lanes[0]
            sentence = f"No server of this deployment is ready. {route.message}".strip()
            raise Refused(503, sentence, retry_after=_RETRY_SECONDS)
        status = route.status.lower() if route is not None else "gone"
        sentence = f"Deployment {self.deployment} is {status} and answers no requests."
        raise Refused(404, f"{sentence} {_ADVICE.get(status, '')}".strip())

    @property
    def waiting(self) -> int:
        """How many requests wait for a place."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way or waits."""
        return bool(self._waiting) or any(lane.open for lane in self.lanes)

    def tidy(self, now: float) -> None:
        """Close idle connections."""
        for lane in self.lanes:
            lane.tidy(now)

    def close(self) -> None:
        """Let it go; requests under way go on."""
        for lane in self.lanes:
            lane.update(None)


_ADVICE = {
    "stopping": "Start it again once it is stopped.",
    "stopped": "Start it again, or deploy its configuration anew.",
    "dead": "Its status says why. Update it with a configuration that works, or start it again.",
    "deleting": "Deploy its configuration anew.",
}
