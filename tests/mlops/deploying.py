"""Deployments whose servers really run, in this process, without a worker or a broker."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import deployments, logs, replica_runs, replicas, revisions
from mlops.domain.orders import Orders
from mlops.lifecycle import Status
from mlops.models import Configuration, Deployment, Replica, Revision, Worker
from tests.mlops import factories
from tests.mlops.serving_server import graphs
from tests.waiting import until

# Answers every path with its word, the port it listens on and what it finds of the model.
SERVER = r"""
import http.server, os, pathlib, sys, time
word, port = sys.argv[1], int(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 503 if word == "unready" else 200
        folder = pathlib.Path(os.environ.get("MODEL_DIR", "/none"))
        found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        body = f"{word} {os.environ['PORT']} {' '.join(found)}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/crash":
            os._exit(3)
    do_POST = do_GET
    def log_message(self, *args):
        pass
if word == "crash":
    sys.exit("cannot load the model")
if word == "deaf":
    time.sleep(600)
print("serving", word, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
TEMPLATE = """\
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: {executable}
  labels:
    scenarios.ai.sap.com/id: petals-tutorial
    ai.sap.com/version: "1"
  annotations:
    scenarios.ai.sap.com/name: Sorting petals
    scenarios.ai.sap.com/description: Tells kinds of flowers apart.
    executables.ai.sap.com/name: Serve petals
    artifacts.ai.sap.com/petal-model.kind: model
spec:
  inputs:
    parameters:
      - name: WORD
        default: hello
      - name: SERVERS
        default: "1"
    artifacts:
      - name: petal-model
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: starter
    spec: |
      predictor:
        minReplicas: {{{{inputs.parameters.SERVERS}}}}
        maxReplicas: 4
        terminationGracePeriodSeconds: 2
        containers:
          - name: server
            image: none
            command: [python, -c]
            args:
              - {code}
              - "{{{{inputs.parameters.WORD}}}}"
              - "9001"
            ports: [{{containerPort: 9001}}]
            readinessProbe: {{httpGet: {{path: /ready}}}}
            env:
              - {{name: STORAGE_URI, value: "{{{{inputs.artifacts.petal-model}}}}"}}
"""


def template(executable: str = "petals-serve") -> str:
    """A ServingTemplate whose server answers with its parameter WORD; `crash` and `unready` do so."""
    return TEMPLATE.format(executable=executable, code=json.dumps(SERVER))


def configuration(
    group: ResourceGroup, word: str = "hello", *, servers: int = 1, executable: str = "petals-serve"
) -> Configuration:
    """A configuration of it with a model of one file."""
    version = factories.catalog_version(group, text=template(executable))
    model = factories.artifact(group, kind="model", name="petal-model", files={"model.txt": b"weights"})
    return factories.configuration(
        group,
        name=f"serve {word}",
        version=version,
        parameters={"WORD": word, "SERVERS": str(servers)},
        inputs={"petal-model": model},
    )


def model_configuration(group: ResourceGroup) -> Configuration:
    """A configuration of the built-in server with a small ONNX model: 64 floats in, label and scores out."""
    head, _, _tail = template("small-serve").partition("        containers:")
    storage = "storageUri: '{{inputs.artifacts.petal-model}}'"
    text = f"{head}        model: {{modelFormat: {{name: onnx}}, {storage}}}\n"
    version = factories.catalog_version(group, text=text)
    with tempfile.TemporaryDirectory() as folder:
        made = graphs.classifier(Path(folder) / "model.onnx", width=64, labels=10)
        files = {"model.onnx": made.read_bytes()}
    model = factories.artifact(group, kind="model", name="small", files=files)
    return factories.configuration(group, name="serve small", version=version, inputs={"petal-model": model})


def deployment(group: ResourceGroup, word: str = "hello", *, servers: int = 1, ttl: str = "") -> Deployment:
    """A PENDING deployment of such a configuration."""
    bound = configuration(group, word, servers=servers)
    return deployments.create(system_scope(group), configuration=bound.pk, ttl=ttl)


class Host:
    """A worker in this process that serves whatever waits until it is closed."""

    def __init__(self) -> None:
        now = timezone.now()
        self.worker = Worker.unscoped.create(
            id=uuid4(), queue="deployments", host="here", pid=1, slots=9, started_at=now, seen_at=now
        )
        self.live: dict[str, tuple[Orders, threading.Thread]] = {}

    def take(self) -> bool:
        """Claim one replica that waits and serve it beside; False when none does."""
        taken = replicas.claim(self.worker.pk)
        if taken is None:
            return False
        key, attempt = taken
        orders = Orders()

        def serve() -> None:
            try:
                replica_runs.carry_out(key, attempt, orders)
            finally:
                connection.close()

        thread = threading.Thread(target=serve, name=f"serve-{key}", daemon=True)
        self.live[f"{key}/{attempt}"] = (orders, thread)
        thread.start()
        return True

    def beat(self) -> None:
        """What a heartbeat and a sweep do: take, heed wishes, settle."""
        while self.take():
            continue
        wishes = replicas.wishes(self.worker.pk, {key.split("/")[0] for key in self.live})
        for key, (orders, thread) in list(self.live.items()):
            if not thread.is_alive():
                del self.live[key]
            elif key not in wishes:
                orders.abandon()
            elif wishes[key]:
                orders.stop()
        for key in revisions.unsettled():
            revisions.settle(key)

    def until(self, row: Deployment, status: str, **columns: object) -> Deployment:
        """Beat until the deployment has the status, and these columns."""

        def reached() -> bool:
            self.beat()
            row.refresh_from_db()
            return row.status == status and all(getattr(row, key) == value for key, value in columns.items())

        until(reached)
        return row

    def until_settled(self, row: Deployment) -> None:
        """Beat until it runs or is given up."""

        def settled() -> bool:
            self.beat()
            row.refresh_from_db()
            return row.status in (Status.RUNNING, Status.DEAD)

        until(settled)

    def until_worker(self, row: Deployment) -> None:
        """Beat until every server of it is ready in this worker."""

        def here() -> bool:
            self.beat()
            return {one.worker_id for one in servers(row)} == {self.worker.pk}

        until(here)

    def until_gone(self, replica: Replica) -> None:
        """Beat until a replica has stopped."""

        def gone() -> bool:
            self.beat()
            replica.refresh_from_db()
            return replica.status == Status.STOPPED

        until(gone)

    def until_revision(self, row: Deployment, number: int, status: str) -> None:
        """Beat until one of its revisions has the status."""

        def reached() -> bool:
            self.beat()
            row.refresh_from_db()
            return bool(Revision.unscoped.filter(deployment=row, number=number, status=status).exists())

        until(reached)

    def close(self) -> None:
        """End every server and wait for it."""
        for orders, _thread in self.live.values():
            orders.abandon()
        for _orders, thread in self.live.values():
            thread.join(120)


@contextmanager
def host() -> Iterator[Host]:
    """A Host that is closed afterwards."""
    made = Host()
    try:
        yield made
    finally:
        made.close()


def servers(row: Deployment) -> list[Replica]:
    """Its replicas that may get requests, by revision and index."""
    rows = Replica.unscoped.filter(deployment=row, status="RUNNING", is_ready=True, draining_at=None)
    return list(rows.order_by("revision__number", "index"))


def ask(replica: Replica, path: str = "/") -> str:
    """What a replica answers."""
    address, _, port = replica.address.rpartition(":")
    client = http.client.HTTPConnection(address, int(port), timeout=120)
    try:
        client.request("GET", path)
        return client.getresponse().read().decode()
    finally:
        client.close()


def log(row: Deployment, revision: int = 1) -> str:
    """What the servers of a revision wrote."""
    page = logs.lines(system_scope(row), row, attempt=revision)
    return "\n".join(line.text for line in page.lines)
