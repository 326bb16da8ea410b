"""A real web server on the test's own database, and a reader of its event streams."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection
from django.test import Client

from tests.servers import answers, free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """One uvicorn process, as in production; `close` ends it. variables: more of its environment."""

    def __init__(self, home, **variables):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (home / "web.log").open("w+")
        name = connection.settings_dict["NAME"]
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.mlops.served_settings",
            "LAUNCHPAD_DATA": str(settings.LAUNCHPAD_DATA),
            "LAUNCHPAD_EMBEDDED": "1",
            "SECRET_KEY": settings.SECRET_KEY,
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
        }
        if connection.vendor == "postgresql":
            place = connection.settings_dict
            address = f"{place['HOST']}:{place['PORT'] or 5432}"
            env["DATABASE_URL"] = f"postgres://{place['USER']}:{place['PASSWORD']}@{address}/{name}"
        else:
            env.pop("DATABASE_URL", None)
            file = Path(settings.LAUNCHPAD_DATA) / "launchpad.sqlite3"
            # Another server may be using it.
            if not file.is_symlink():
                file.unlink(missing_ok=True)
                file.symlink_to(name)
        self.env = env | variables
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "launchpad.asgi:application", "--port", str(self.port)),
                *("--loop", "uvloop", "--http", "httptools", "--ws", "none"),
            ],
            cwd=ROOT,
            env=self.env,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._open = []
        until(self._answers)
        assert self.browser().get("/healthz").status_code == 200

    def _answers(self):
        assert self.process.poll() is None, self.output()
        return answers(self.port)

    def output(self):
        """What it has written so far."""
        self.log.flush()
        return Path(self.log.name).read_text()

    def browser(self, user=None):
        """A client in which the user is signed in."""
        cookies = {}
        if user is not None:
            signed_in = Client()
            signed_in.force_login(user)
            cookies = {"sessionid": signed_in.cookies["sessionid"].value}
        client = httpx.Client(base_url=self.url, cookies=cookies, timeout=120)
        self._open.append(client)
        return client

    def follow(self, user, address, **headers):
        """A reader of a stream, which has begun."""
        follower = Follower(self.browser(user), address, **headers)
        self._open.insert(0, follower)
        return follower

    def close(self):
        """End it, kindly first."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(120)
        for one in self._open:
            one.close()
        self.log.close()


def _lines(response):
    """Lines as the format of event streams has them; httpx would split at U+2028 and the like too."""
    rest = b""
    for part in response.iter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode() for line in lines)


class Follower:
    """Reads a stream in a thread. events: (event, id, data) so far; is_over: the server ended it.

    stop: set it to hang up with the next line.
    """

    def __init__(self, browser, address, **headers):
        self.events = []
        self.status = None
        self.is_over = False
        self._browser, self._address, self._headers = browser, address, headers
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        until(lambda: self.status is not None or self.is_over)

    def _read(self):
        try:
            with self._browser.stream("GET", self._address, headers=self._headers) as response:
                self.status = response.status_code
                kind = place = ""
                for line in _lines(response):
                    name, _, value = line.partition(": ")
                    if name == "event":
                        kind = value
                    elif name == "id":
                        place = value
                    elif name == "data":
                        self.events.append((kind, place, json.loads(value)))
                    if self.stop.is_set():
                        return
        except httpx.TransportError:
            pass
        finally:
            self.is_over = True

    @property
    def texts(self):
        """Log lines so far."""
        return [line["text"] for kind, _, data in self.events if kind == "log" for line in data]

    @property
    def kinds(self):
        """Kinds of events so far."""
        return [kind for kind, _, _ in self.events]

    def last_id(self):
        """Where the log goes on."""
        return next(place for kind, place, _ in reversed(self.events) if kind == "log")

    def close(self):
        """Hang up, at the latest with the next line."""
        self.stop.set()
        self._thread.join(120)
