"""Deployments whose one server is a small HTTP server in this process, for trials of them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.utils import timezone

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import deployments, revisions
from mlops.lifecycle import Status
from mlops.models import ArtifactFacts, Deployment, Replica, Worker
from tests.mlops import factories

TEMPLATE = """\
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: {executable}
  labels:
    scenarios.ai.sap.com/id: digits-tutorial
    ai.sap.com/version: "1"
  annotations:
    scenarios.ai.sap.com/name: Handwritten digits
    executables.ai.sap.com/name: Serve digits
    artifacts.ai.sap.com/digits-model.kind: model
spec:
  inputs:
    artifacts:
      - name: digits-model
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: starter
    spec: |
      predictor:
        minReplicas: 1
        maxReplicas: 3
        {served}
"""
BUILT_IN = "model: {modelFormat: {name: FORMAT}, storageUri: '{{inputs.artifacts.digits-model}}'}"
OWN = "containers: [{name: server, image: digits:1, command: [serve], ports: [{containerPort: 9001}]}]"
PIXELS = ({"name": "pixels", "type": "float32", "shape": "[N, 64]"},)
Respond = Callable[[str, str, bytes], tuple[int, Any]]


def configuration(
    group: ResourceGroup,
    *,
    inputs: tuple[dict[str, str], ...] = PIXELS,
    executable: str = "digits-serve",
    served: str = "onnx",
    name: str = "serve digits",
) -> Any:
    """A configuration of a server of digits.

    inputs: of its ONNX model, as is known of its file; none for no ONNX model. served: the format that
    Launchpad's own server serves, "" for a server of its own.
    """
    body = BUILT_IN.replace("FORMAT", served) if served else OWN
    version = factories.catalog_version(group, text=TEMPLATE.format(executable=executable, served=body))
    model = factories.artifact(group, kind="model", name="digits-model", files={"model.onnx": b"weights"})
    told = [{"path": "model.onnx", "inputs": list(inputs), "outputs": []}] if inputs else []
    ArtifactFacts.unscoped.update_or_create(artifact=model, defaults={"onnx": told})
    return factories.configuration(group, name=name, version=version, inputs={"digits-model": model})


def served(bound: Any, address: str = "127.0.0.1:9") -> Deployment:
    """A running deployment of a configuration whose server answers at an address."""
    made = deployments.create(system_scope(bound.resource_group), configuration=bound.pk)
    answer_at(made, address)
    return made


def answer_at(made: Deployment, address: str) -> None:
    """Have every server of the newest revision be ready at an address, and what follows from it."""
    now = timezone.now()
    worker = Worker.unscoped.create(
        id=uuid4(), queue="deployments", host="worker-1", pid=1, slots=2, started_at=now, seen_at=now
    )
    servers = Replica.unscoped.filter(deployment=made, revision__number=made.newest)
    told = {"address": address, "worker": worker, "started_at": now, "ready_at": now, "message": ""}
    servers.update(status=Status.RUNNING, is_ready=True, attempt=1, memory_bytes=187_000_000, **told)
    revisions.settle(made.pk)
    made.refresh_from_db()


@contextmanager
def answering(respond: Respond) -> Iterator[str]:
    """A server that answers with `respond(method, path, body)`: a status, and JSON or bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, told = respond(self.command, self.path, self.rfile.read(length))
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *args: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(120)
        server.server_close()


def digits(_method: str, path: str, body: bytes) -> tuple[int, Any]:
    """What a server of digits answers: how bright the middle is decides."""
    if path != "/v1/predict":
        return 404, {"error": "There is nothing at this address."}
    (row,) = json.loads(body)["rows"]
    if len(row) != 64:
        return 400, {"error": f"pixels has {len(row)} values, not 64."}
    share = 0.93 if row[27] == 0 else 0.2
    names = {"0": share, "1": round(0.97 - share, 3), "7": 0.03}
    best = max(names, key=lambda name: names[name])
    return 200, {"predictions": [{"label": best, "probability": names[best], "probabilities": names}]}
