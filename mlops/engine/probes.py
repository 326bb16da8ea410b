"""Whether a server answers: asked in a thread of its own, often until it does, now and then afterwards."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import quote

FAILURES = 3
_TIMEOUT_SECONDS = 2.0
# (seconds since the start, pause): most servers are there within a second, some load for minutes.
_PAUSES = ((2.0, 0.05), (15.0, 0.2), (float("inf"), 1.0))


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked of a server at host:port; a path "" means that it is enough when the port accepts.

    ready: before it gets requests, and while it does; live: whether it works at all. Each answer from 200 to
    399 is a yes. seconds: the pause between questions to one that is ready.
    """

    host: str
    port: int
    ready: str = ""
    live: str = ""
    seconds: float = 5.0


class Probe:
    """Asks one server until it is closed.

    is_ready: whether it has said so, and has not failed FAILURES times in a row since. is_live: False once a
    server that was ready did not accept, or said no to `live`, FAILURES times in a row. told: the last
    refusal, in words.
    """

    def __init__(self, checks: Checks) -> None:
        self.is_ready, self.is_live, self.told = False, True, "Its port is not open yet."
        self._checks = checks
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._ask, name=f"probe-{checks.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask no more; returns at once."""
        self._closed.set()

    def _ask(self) -> None:
        begun, unready, dead = time.monotonic(), 0, 0
        was_ready = False
        while not self._closed.is_set():
            no = refusal(self._checks.host, self._checks.port, self._checks.ready)
            if no:
                self.told, unready = no, unready + 1
                self.is_ready = self.is_ready and unready < FAILURES
            else:
                unready, self.is_ready, was_ready = 0, True, True
            if was_ready:
                no = refusal(self._checks.host, self._checks.port, self._checks.live)
                dead = dead + 1 if no else 0
                if dead >= FAILURES:
                    self.told, self.is_live, self.is_ready = no, False, False
            self._closed.wait(self._checks.seconds if self.is_ready and not unready else self._pause(begun))

    @staticmethod
    def _pause(begun: float) -> float:
        passed = time.monotonic() - begun
        return next(pause for until, pause in _PAUSES if passed < until)


def refusal(host: str, port: int, path: str) -> str:
    """Why a server does not say yes, in words; "" when it does. Blocks for two seconds at most."""
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS) as plain:
            if not path:
                return ""
            connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
            connection.sock = plain
            connection.request("GET", _target(path), headers={"Connection": "close"})
            status = connection.getresponse().status
    except ConnectionRefusedError:
        return "Its port is not open."
    except TimeoutError:
        return f"It did not answer {path or 'on its port'} within {_TIMEOUT_SECONDS:g} s."
    except (OSError, http.client.HTTPException) as error:
        return f"It broke off while it was asked for {path or 'its port'}: {error or type(error).__name__}."
    return "" if 200 <= status < 400 else f"It answered {status} to {path}."


def _target(path: str) -> str:
    """A path of a template as a request has it: from the root, what no address may hold percent-encoded."""
    return quote(path if path.startswith("/") else f"/{path}", safe="%/?:@!$&'()*+,;=")


def free_port(host: str) -> int:
    """A port of this host that nothing listens on now."""
    with socket.socket() as found:
        found.bind((host, 0))
        port: int = found.getsockname()[1]
        return port
