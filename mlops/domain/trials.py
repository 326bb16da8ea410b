"""Trials: calls that people make from a deployment's page, sent to one of its servers and kept for them."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Invalid, NotFound
from mlops.lifecycle import Status
from mlops.models import Deployment, Replica, Trial

KEPT = 20
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
REQUEST_LIMIT = 1024 * 1024
ANSWER_LIMIT = 1024 * 1024
# Of both the beginning is kept with the trial.
KEPT_CHARACTERS = 64 * 1024
SECONDS = 20.0
AT_ONCE = 4
_HUNG_UP = (ConnectionError, http.client.IncompleteRead)
BUSY = "Others are trying it right now; send it again in a moment."
_PATH = re.compile(r"/[!-~]*", re.ASCII)
_PATH_LIMIT = 1024
# A page holds one of its process's few threads while it waits for a server.
_room = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Call:
    """What is sent. path: from the server's root, percent-encoded. body: JSON text, "" for none."""

    method: str
    path: str
    body: str

    def check(self) -> None:
        """Raise Invalid, with the fields `method`, `path` and `body`, for what cannot be sent."""
        wrong = {}
        if self.method not in METHODS:
            wrong["method"] = f"One of {', '.join(METHODS)}."
        if not _PATH.fullmatch(self.path) or len(self.path) > _PATH_LIMIT:
            wrong["path"] = (
                f"A path begins with / and has no blanks; at most {_PATH_LIMIT:,} characters, "
                "others percent-encoded."
            )
        if len(self.body.encode(errors="replace")) > REQUEST_LIMIT:
            wrong["body"] = "A trial sends at most 1 MiB. Use the API for more."
        if wrong:
            raise Invalid("This call cannot be sent.", fields=wrong)


@dataclass(frozen=True)
class Answer:
    """What came back. problem: why nothing did, in a sentence; status and seconds are None then.

    body: at most 1 MiB; is_cut: there was more. milliseconds: until the last byte. revision: of the server
    that was asked, None when none was.
    """

    problem: str = ""
    status: int | None = None
    reason: str = ""
    content_type: str = ""
    body: bytes = b""
    is_cut: bool = False
    milliseconds: float | None = None
    revision: int | None = None

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode(errors="replace").replace("\x00", "\ufffd")


def send(scope: Scope, deployment: Deployment, call: Call) -> Answer:
    """Send a call to a ready server of the deployment and wait for its answer, at most 20 s.

    At most four at once in a process; another one is told to come again. Asks the network, so that it must
    not run inside a transaction. Raises Invalid for a call that cannot be sent, Forbidden.
    """
    scope.require(Right.PARTICIPATE)
    call.check()
    server = _ready(scope, deployment)
    if server is None:
        return Answer("No server is ready: nothing was sent. The page tells when one is.")
    if not _room.acquire(blocking=False):
        return Answer(BUSY)
    try:
        return _ask(server.address, call, revision=server.revision.number)
    finally:
        _room.release()


def _ready(scope: Scope, deployment: Deployment) -> Replica | None:
    """The server that has been ready longest, of the revision that gets the requests."""
    if deployment.serving is None:
        return None
    rows = scope.of(Replica).filter(
        deployment=deployment,
        revision__number=deployment.serving,
        status=Status.RUNNING,
        is_ready=True,
        draining_at=None,
    )
    found: Replica | None = rows.exclude(address="").select_related("revision").order_by("ready_at").first()
    return found


def _ask(address: str, call: Call, *, revision: int) -> Answer:
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
    body = call.body.encode(errors="replace") if call.body else None
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
    began = time.monotonic()
    watch = None
    try:
        connection.connect()
        # The connection forgets its socket as soon as the server says that it will close.
        watch = threading.Timer(SECONDS, _hang_up, (connection.sock,))
        watch.daemon = True
        watch.start()
        connection.request(call.method, call.path, body=body, headers=headers)
        response = connection.getresponse()
        received = response.read(ANSWER_LIMIT + 1)
        took = (time.monotonic() - began) * 1000
        # Ends that come too early are told neither by a length nor by the watch.
        if took >= SECONDS * 990:
            raise TimeoutError
        if response.length and len(received) <= ANSWER_LIMIT:
            raise ConnectionResetError
        return Answer(
            "",
            response.status,
            response.reason,
            response.headers.get("Content-Type", ""),
            received[:ANSWER_LIMIT],
            len(received) > ANSWER_LIMIT,
            took,
            revision,
        )
    except (OSError, http.client.HTTPException) as error:
        is_late = time.monotonic() - began >= SECONDS * 0.99
        return Answer(_problem(error, is_late=is_late), revision=revision)
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def _hang_up(open_socket: socket.socket) -> None:
    """End a call whose server sends a byte now and then, which no time limit of a socket would notice."""
    # It may have been closed at this very moment.
    with contextlib.suppress(OSError):
        open_socket.shutdown(socket.SHUT_RDWR)


def _problem(error: Exception, *, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return f"The server did not answer within {SECONDS:g} s. Look into its log."
    if isinstance(error, ConnectionRefusedError):
        return "The server does not accept connections now. Look into its log."
    if isinstance(error, http.client.HTTPException) and not isinstance(error, _HUNG_UP):
        return "What the server sent is no HTTP. Look into its log."
    return "The server hung up before its answer was whole. Look into its log."


@command(right=Right.PARTICIPATE, audit=False)
def record(scope: Scope, deployment: Deployment, call: Call, answer: Answer) -> Trial:
    """Keep a call with its answer for the person who made it; of each person the last 20 stay."""
    if scope.user is None:
        raise TypeError("A trial is somebody's, the scope names nobody.")
    trial: Trial = scope.of(Trial).create(
        deployment=deployment,
        user=scope.user,
        revision=answer.revision or deployment.serving or deployment.newest,
        at=timezone.now(),
        method=call.method,
        path=call.path,
        request=call.body[:KEPT_CHARACTERS].replace("\x00", "\ufffd"),
        status=answer.status,
        response=(answer.problem or answer.text)[:KEPT_CHARACTERS],
        milliseconds=answer.milliseconds,
    )
    own = _own(scope, deployment)
    # Read apart: no database deletes from a subquery that is limited.
    kept = list(own.values_list("pk", flat=True)[:KEPT])
    own.exclude(pk__in=kept).order_by().delete()
    return trial


def _own(scope: Scope, deployment: Deployment) -> Any:
    return scope.of(Trial).filter(deployment=deployment, user=scope.user).order_by("-at", "-id")


def recent(scope: Scope, deployment: Deployment) -> list[Trial]:
    """The person's own last calls, newest first; nobody sees those of others."""
    return list(_own(scope, deployment)[:KEPT])


def get(scope: Scope, deployment: Deployment, key: str) -> Trial:
    """One of the person's own calls. Raises NotFound."""
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise NotFound("There is no such call of yours.")
    found: Trial = scope.one(_own(scope, deployment), pk=int(key))
    return found
