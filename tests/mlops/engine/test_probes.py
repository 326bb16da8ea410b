"""What a server is asked, and what its answer is taken for."""

import http.server
import threading

import pytest

from mlops.engine import probes
from tests.waiting import until


class Answering(http.server.BaseHTTPRequestHandler):
    """Says yes to one path and notes what it was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200 if self.path == self.server.yes else 404)
        self.end_headers()

    def log_message(self, *_arguments):
        """Keep still."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as made:
        made.asked, made.yes = [], ""
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/ready", "/ready"),
        ("ready", "/ready"),
        ("/ready?deep=1&of=%2f", "/ready?deep=1&of=%2f"),
        ("/two words", "/two%20words"),
        ("/bereit-für", "/bereit-f%C3%BCr"),
    ],
)
def test_any_path_of_a_template_is_asked_for(server, path, wanted):
    server.yes = wanted
    probe = probes.Probe(probes.Checks(*server.server_address, ready=path, live=path, seconds=0.01))
    try:
        until(lambda: probe.is_ready)
        until(lambda: len(server.asked) > 5)
        assert (probe.is_live, set(server.asked)) == (True, {wanted})
    finally:
        probe.close()


def test_a_no_is_told_with_the_path(server):
    assert probes.refusal(*server.server_address, "/ré") == "It answered 404 to /ré."
