"""The tracker speaks the endpoint's language and outlives its failures."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def endpoint(monkeypatch):
    """A real HTTP server; `answers` holds the status codes still to give before 204 for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.seen.append((self.path, self.headers["Content-Type"], body))
            self.send_response(server.answers.pop(0) if server.answers else 204)
            self.end_headers()

        def log_message(self, *args):
            """Quiet: the tests read what was seen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AICORE_TRACKING_ENDPOINT", f"http://127.0.0.1:{server.server_port}/secret/")
    monkeypatch.setenv("AICORE_EXECUTION_ID", "e0123456789abcde")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_is_what_the_endpoint_reads(load, endpoint):
    tracking = load("tracking")

    tracking.Tracker().report(
        [tracking.point("train_loss", 0.5, step=1), tracking.point("accuracy", 1, model="my-model")],
        tags={"rows": 3},
        info={"confusion_matrix": [{"Predicted": "a", "Actual": "b", "value": 2}]},
    )

    ((path, media_type, body),) = endpoint.seen
    loss, accuracy = body["metrics"]
    assert path == "/secret/api/v1/metrics"
    assert media_type == "application/merge-patch+json"
    assert body["executionId"] == "e0123456789abcde"
    assert (loss["name"], loss["value"], loss["step"], loss["labels"]) == ("train_loss", 0.5, 1, [])
    assert loss["timestamp"].endswith("+00:00")
    assert "step" not in accuracy
    assert accuracy["labels"] == [{"name": "metrics.ai.sap.com/Artifact.name", "value": "my-model"}]
    assert body["tags"] == [{"name": "rows", "value": "3"}]
    assert json.loads(body["customInfo"][0]["value"]) == [{"Predicted": "a", "Actual": "b", "value": 2}]


def test_a_passing_fault_is_tried_again_in_silence(load, endpoint, caplog):
    tracking = load("tracking")
    endpoint.answers = [503]

    tracking.Tracker().report([tracking.point("loss", 1, step=1)])

    assert len(endpoint.seen) == 2
    assert endpoint.seen[0] == endpoint.seen[1]
    assert caplog.records == []


def test_points_of_an_outage_arrive_with_the_next_report(load, endpoint, caplog):
    tracking = load("tracking")
    endpoint.answers = [500, 500, 500, 500]
    tracker = tracking.Tracker()

    tracker.report([tracking.point("loss", 1, step=1)], tags={"rows": 3})
    tracker.report([tracking.point("loss", 2, step=2)])
    tracker.report([tracking.point("loss", 3, step=3)])
    tracker.report([])

    sizes = [len(body["metrics"]) for _, _, body in endpoint.seen]
    assert sizes == [1, 1, 1, 2, 3, 0]  # three tries, then one while the endpoint is down, then all at once
    assert endpoint.seen[4][2]["tags"] == [{"name": "rows", "value": "3"}]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_what_the_endpoint_refuses_is_dropped_and_said(load, endpoint, caplog):
    tracking = load("tracking")
    endpoint.answers = [400]
    tracker = tracking.Tracker()

    tracker.report([tracking.point("loss", 1, step=1)])
    tracker.report([tracking.point("loss", 2, step=2)])

    assert [[point["step"] for point in body["metrics"]] for _, _, body in endpoint.seen] == [[1], [2]]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "400" in record.getMessage()
    assert "secret" not in record.getMessage()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "no address"])
def test_an_endpoint_that_is_not_there_ends_nothing(load, monkeypatch, caplog, address):
    monkeypatch.setenv("AICORE_TRACKING_ENDPOINT", address)
    tracking = load("tracking")

    tracking.Tracker().report([tracking.point("loss", 1, step=1)])

    (record,) = caplog.records
    assert "not accepted" in record.getMessage()


def test_without_an_endpoint_nothing_is_sent_and_the_log_says_so(load, monkeypatch, caplog):
    monkeypatch.delenv("AICORE_TRACKING_ENDPOINT", raising=False)
    tracking = load("tracking")

    with caplog.at_level(logging.INFO):
        tracking.Tracker().report([tracking.point("loss", 1, step=1)])

    assert [record.getMessage() for record in caplog.records] == [
        "no tracking endpoint is set: metrics appear only in this log"
    ]


def test_a_report_never_holds_more_than_the_endpoint_takes(load, endpoint):
    tracking = load("tracking")

    tracking.Tracker().report([tracking.point("loss", 1, step=step) for step in range(1500)])

    ((_, _, body),) = endpoint.seen
    assert len(body["metrics"]) == 1000
    assert body["metrics"][-1]["step"] == 1499
