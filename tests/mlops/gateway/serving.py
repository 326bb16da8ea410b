"""Deployments whose servers are in the hands of a test, and the clients that ask them."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import httpx
from django.test import Client
from django.utils import timezone

from launchpad.access import Role, system_scope
from launchpad.accounts import bearers, service_keys
from mlops.domain import deployments, replicas
from mlops.models import Deployment, Replica, Worker
from tests.mlops import factories
from tests.servers import answers, free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "/v2/inference/deployments/"
TEMPLATE = """\
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: {name}
  labels:
    scenarios.ai.sap.com/id: petals-tutorial
    ai.sap.com/version: "1"
  annotations:
    scenarios.ai.sap.com/name: Sorting petals
    scenarios.ai.sap.com/description: Tells kinds of flowers apart.
    executables.ai.sap.com/name: Serve petals
spec:
  inputs:
    parameters:
      - name: SERVERS
        default: "1"
      - name: AT_ONCE
        default: "0"
      - name: SECONDS
        default: "300"
      - name: WORD
        default: ""
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: starter
    spec: |
      predictor:
        minReplicas: {{{{inputs.parameters.SERVERS}}}}
        maxReplicas: 8
        containerConcurrency: {{{{inputs.parameters.AT_ONCE}}}}
        timeout: {{{{inputs.parameters.SECONDS}}}}
        containers:
          - name: server
            image: none
            command: [python]
            args: ["{{{{inputs.parameters.WORD}}}}"]
            ports: [{{containerPort: 9001}}]
"""


class Model:
    """The server of `tests.mlops.gateway.model` in a process of its own. address: `host:port`."""

    def __init__(self, word="model"):
        self.word = word
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mlops.gateway.run_model", str(self.port), self.word],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        until(lambda: answers(self.port))

    def open(self, word):
        """Open the gate that requests with the word wait at."""
        httpx.get(f"http://{self.address}/open", params={"word": word})

    def seen(self, word):
        """What befell requests with the word."""
        return httpx.get(f"http://{self.address}/seen", params={"word": word}).json()

    def kill(self):
        """End it at once."""
        self.process.kill()
        self.process.wait(120)

    close = kill


class Scripted:
    """A server in a thread that does on each connection what a function says: `script(socket, number)`."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                made, _ = self.listener.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._run, args=(made, number), daemon=True).start()

    def _run(self, made, number):
        with made:
            try:
                self.script(made, number)
            except OSError:
                return

    def close(self):
        """Take no more connections."""
        # Closed alone, who waits for a connection would go on, on whatever gets its number next.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_head(made):
    """The head of one request, and what of its body came with it."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = made.recv(65536)
        if not part:
            raise OSError("the client left")
        read += part
    return read


def read_request(made):
    """One request whose body has a length, if it has one; its body."""
    head, _, body = read_head(made).partition(b"\r\n\r\n")
    at = head.lower().find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    while len(body) < length:
        part = made.recv(65536)
        if not part:
            raise OSError("the client left")
        body += part
    return body


def configuration(group, name="petals-serve", **values):
    """A configuration; values: of the template's parameters."""
    version = factories.catalog_version(group, text=TEMPLATE.format(name=name))
    given = {key.upper(): str(value) for key, value in values.items()}
    return factories.configuration(group, name=f"serve {given}", version=version, parameters=given)


def worker():
    """A worker that holds servers."""
    now = timezone.now()
    return Worker.unscoped.create(
        id=uuid4(), queue="deployments", host="here", pid=1, slots=9, started_at=now, seen_at=now
    )


def deployment(group, *addresses, **values):
    """A RUNNING deployment whose servers answer at these addresses; PENDING without any."""
    values["servers"] = len(addresses) or 1
    made = deployments.create(system_scope(group), configuration=configuration(group, **values).pk)
    get_ready(made, *addresses)
    return Deployment.unscoped.get(pk=made.pk)


def get_ready(row, *addresses):
    """Replicas that wait are claimed, and ready at these addresses; no other deployment may have any."""
    holder = worker()
    for address in addresses:
        key, attempt = replicas.claim(holder.pk)
        replica = Replica.unscoped.get(pk=key, deployment=row)
        replicas.tell_ready(replica, attempt, address=address)


def token(group, role=Role.EDITOR):
    """A bearer token of a key in the group."""
    issued = service_keys.create(system_scope(group), name=f"key-{time.monotonic_ns()}", role=role)
    return bearers.issue(issued.key).token


def bearer(group, **more):
    """Headers of a client with a token."""
    return {"Authorization": f"Bearer {token(group)}", "AI-Resource-Group": group.slug, **more}


def session(user):
    """The cookie of somebody who is signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def basic(name, word):
    """A header of basic authentication."""
    return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()
