"""Serves the trained model: `POST /v2/predict` with {"text": "…"} answers its label and probabilities."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import arguments
import feedback
from batch import load
from scoring import Scorer

LARGEST_BODY = 1024 * 1024
MOST_TEXTS = 1000
log = logging.getLogger("serve")


class BadRequest(Exception):
    """A request that cannot be answered; the text says why."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    # Where a runner says nothing, only this machine is heard: whoever reaches the port may ask.
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=arguments.whole(1, 65535), default=9001)
    return parser.parse_args()


def predict(scorer: Scorer, labels: list[str], body: bytes) -> dict:
    """The answer to one request: the prediction of a text, or `predictions` of a list in its order."""
    try:
        text = json.loads(body)["text"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadRequest('the body must be JSON such as {"text": "The crew was kind."}') from error
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise BadRequest("text must be a text or a list of texts")
    if len(texts) > MOST_TEXTS:
        raise BadRequest(f"at most {MOST_TEXTS} texts at once; use the batch executable for more")
    found = []
    for row in scorer.probabilities(texts):
        shares = {label: round(float(share), 4) for label, share in zip(labels, row, strict=True)}
        best = max(shares, key=shares.get)
        found.append({"label": best, "probability": shares[best], "probabilities": shares})
    return found[0] if isinstance(text, str) else {"predictions": found}


class Handler(BaseHTTPRequestHandler):
    """One connection; its requests one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = 75  # seconds without a request after which a connection ends
    scorer: Scorer
    labels: list[str]

    def do_GET(self) -> None:
        if self.path == "/v2/health":
            self.answer(HTTPStatus.OK, {"labels": self.labels})
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "there is only GET /v2/health and POST /v2/predict")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True  # where its body ends is unknown
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "send a Content-Length")
        elif int(length) > LARGEST_BODY:
            self.close_connection = True  # its body is not read
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {LARGEST_BODY:,} bytes")
        else:
            self.respond(self.rfile.read(int(length)))

    def respond(self, body: bytes) -> None:
        if self.path != "/v2/predict":
            self.refuse(HTTPStatus.NOT_FOUND, "there is only GET /v2/health and POST /v2/predict")
            return
        try:
            self.answer(HTTPStatus.OK, predict(self.scorer, self.labels, body))
        except BadRequest as error:
            self.refuse(HTTPStatus.BAD_REQUEST, str(error))

    def refuse(self, status: HTTPStatus, reason: str) -> None:
        self.answer(status, {"error": reason})

    def answer(self, status: HTTPStatus, told: dict) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """No line for each request."""


def main() -> None:
    args = parse()
    Handler.scorer, Handler.labels = load(args.model)
    server = ThreadingHTTPServer((args.host, args.port), Handler)
    server.daemon_threads = True  # connections that are only kept open do not hold the end up
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("serving labels %s on port %d", ", ".join(Handler.labels), args.port)
    server.serve_forever()
    log.info("asked to end")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        main()
    except feedback.BadData as error:
        sys.stderr.write(f"ERROR {error}\n")
        sys.exit(2)
