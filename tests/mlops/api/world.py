"""One of everything that the AI API knows, in a place of one's own, beside one and in another workspace."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.test import Client

from launchpad.access import Role, system_scope
from launchpad.accounts import service_keys
from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Status
from tests.aiapi.operations import Operation
from tests.mlops import deployed, factories

UNKNOWN = {
    "scenario": "no-such-scenario",
    "executable": "no-such-executable",
    "artifact": "0b9a4f1e-7d59-4a53-9f7e-2f0a5d1c3b77",
    "configuration": "0b9a4f1e-7d59-4a53-9f7e-2f0a5d1c3b77",
    "execution": "e0123456789abcde",
    "waiting": "e0123456789abcde",
    "served": "0b9a4f1e-7d59-4a53-9f7e-2f0a5d1c3b77",
    "deployment": "d0123456789abcde",
    "serving": "d0123456789abcde",
    "schedule": "0b9a4f1e-7d59-4a53-9f7e-2f0a5d1c3b77",
    "group": "no-such-group",
    "store": "no-such-store",
    "registry": "no-such-registry",
    "secret": "no-such-secret",
    "repository": "no-such-repository",
    "unused_repository": "no-such-repository",
    "application": "no-such-application",
    "file": "default/no-such-file.csv",
    "service": "no-such-service",
}


class World:
    """Names by argument, bodies by operation, tokens by role.

    own: what is there in the group `red`, or in its workspace. foreign: what only `blue` or the workspace of
    `green` has.
    """

    def __init__(self, red: ResourceGroup, blue: ResourceGroup, green: ResourceGroup) -> None:
        self.client = Client(enforce_csrf_checks=True)
        ResourceGroup.unscoped.get_or_create(workspace=red.workspace, slug="default")
        self.tokens = {
            "admin": self._token(red.workspace, "admin", Role.EDITOR),
            "editor": self._token(red, "editor", Role.EDITOR),
            "viewer": self._token(red, "viewer", Role.VIEWER),
            "stranger": self._token(green, "stranger", Role.EDITOR),
        }
        ours, theirs = self._rows(red), self._rows(blue)
        other = factories.catalog_version(green, scenario="tulips-tutorial", executable="tulips-train")
        self.own = ours | {
            "scenario": factories.SCENARIO,
            "executable": factories.EXECUTABLE,
            "group": "indigo",
            "store": "lake",
            "registry": "docker-hub",
            "secret": "mail",
            "repository": "flowers",
            "unused_repository": "weeds",
            "application": "petals-app",
            # Files outlive the transaction of a test.
            "file": f"default/made/{uuid4()}.csv",
            "new_file": f"default/made/{uuid4()}.csv",
            "service": "ml-operations",
        }
        self.foreign = theirs | {
            "scenario": other.executable.scenario.slug,
            "executable": other.executable.slug,
        }
        self.foreign |= {"group": "green"}
        self.bodies = self._bodies()
        self._fill()

    def _token(self, place: Any, name: str, role: Role) -> str:
        issued = service_keys.create(system_scope(place), name=name, role=role)
        form = {
            "grant_type": "client_credentials",
            "client_id": issued.client_id,
            "client_secret": issued.client_secret,
        }
        answer = self.client.post("/oauth/token", urlencode(form), "application/x-www-form-urlencoded")
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]

    def _rows(self, group: ResourceGroup) -> dict[str, str]:
        petals = factories.artifact(group)
        bound = factories.configuration(group, inputs={"petals": petals})
        served = deployed.configuration(group)
        return {
            "served": str(served.pk),
            "deployment": deployed.deployment(served, status=Status.STOPPED).pk,
            "serving": deployed.deployment(served, status=Status.RUNNING).pk,
            "configuration": str(bound.pk),
            "artifact": str(petals.pk),
            "url": petals.url,
            "execution": factories.execution(bound, status=Status.COMPLETED).pk,
            "waiting": factories.execution(bound, status=Status.PENDING).pk,
            "schedule": str(factories.schedule(bound).pk),
        }

    def _bodies(self) -> dict[str, dict[str, Any]]:
        own, word = self.own, base64.b64encode(b"word").decode()
        label = [{"key": "ext.ai.sap.com/team", "value": "gardeners"}]
        s3 = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "secret"}
        lake = {
            "type": "S3",
            "bucket": "petals",
            "region": "r",
            "endpoint": "s3.test",
            "data": s3,
        }
        docker = {"data": {".dockerconfigjson": json.dumps({"auths": {}})}}
        waiting = {"configurationId": own["configuration"]}
        stop = {"targetStatus": "STOPPED"}
        place = {"repositoryUrl": "https://git.test/flowers.git", "revision": "HEAD", "path": "templates"}
        return {
            "POST /lm/artifacts": {
                "name": "petals",
                "kind": "dataset",
                "url": own["url"],
                "scenarioId": own["scenario"],
                "labels": label,
            },
            "POST /lm/configurations": {
                "name": "three epochs",
                "scenarioId": own["scenario"],
                "executableId": own["executable"],
                "versionId": "ignored",
                "parameterBindings": [{"key": "OWNER", "value": "Ada"}],
                "inputArtifactBindings": [{"key": "petals", "artifactId": own["artifact"]}],
            },
            "POST /lm/executions": waiting,
            "PATCH /lm/executions": {"executions": [{"id": own["waiting"], **stop}]},
            "PATCH /lm/executions/{waiting}": stop,
            "PATCH /lm/metrics": {
                "executionId": own["execution"],
                "metrics": [{"name": "loss", "value": 0.5}],
            },
            "POST /lm/deployments": {"configurationId": own["served"], "ttl": "5h"},
            "PATCH /lm/deployments": {"deployments": [{"id": own["serving"], **stop}]},
            "PATCH /lm/deployments/{serving}": stop,
            "POST /lm/executionSchedules": {"name": "nightly", "cron": "0 3 * * *", **waiting},
            "PATCH /lm/executionSchedules/{schedule}": {"status": "INACTIVE"},
            "POST /admin/resourceGroups": {"resourceGroupId": "violet", "labels": label},
            "PATCH /admin/resourceGroups/{group}": {"labels": label},
            "POST /admin/objectStoreSecrets": {"name": "pond", **lake},
            "PATCH /admin/objectStoreSecrets/{store}": {"name": "lake", **lake},
            "POST /admin/dockerRegistrySecrets": {"name": "docker-new", **docker},
            "PATCH /admin/dockerRegistrySecrets/{registry}": docker,
            "POST /admin/secrets": {"name": "post", "data": {"PASSWORD": word}},
            "PATCH /admin/secrets/{secret}": {"data": {"PASSWORD": word}},
            "POST /admin/repositories": {
                "name": "trees",
                "url": "https://git.test/trees.git",
                "username": "someone",
                "password": "secret",
            },
            "PATCH /admin/repositories/{repository}": {"username": "another", "password": "secret"},
            "POST /admin/applications": {"applicationName": "more-petals", **place, "path": "more"},
            "PATCH /admin/applications/{application}": place | {"path": "elsewhere"},
            "PATCH /admin/resources/nodes": {"resourcePlans": [{"name": "starter", "request": 1}]},
        }

    def _fill(self) -> None:
        """What can be made over the API is made over it."""
        flowers = {"name": "flowers", "url": "https://git.test/flowers.git"}
        made = (
            ("POST", "/admin/resourceGroups", {"resourceGroupId": "indigo"}),
            ("POST", "/admin/objectStoreSecrets", {"name": "lake"}),
            ("POST", "/admin/dockerRegistrySecrets", {"name": "docker-hub"}),
            ("POST", "/admin/secrets", {"name": "mail"}),
            ("POST", "/admin/repositories", flowers),
            ("POST", "/admin/repositories", {"name": "weeds", "url": "https://git.test/weeds.git"}),
            ("POST", "/admin/applications", {"applicationName": "petals-app", "path": "templates"}),
            ("PATCH", "/lm/metrics", {}),
        )
        for method, path, more in made:
            answer = self.send(method, path, body=self.bodies[f"{method} {path}"] | more)
            assert answer.status_code < 300, f"{method} {path}: {answer.content!r}"
        self.put_file()

    def put_file(self) -> None:
        """Make the file that is there; no transaction brings it back."""
        address = f"/lm/dataset/files/{self.own['file']}"
        answer = self.send("PUT", address, body=b"a,b\n", media="text/csv")
        assert answer.status_code == 201, answer.content

    def path(self, operation: Operation, **instead: str) -> str:
        """The operation's address with one's own names in it, some of them others."""
        return operation.path.format_map(UNKNOWN | self.own | instead)

    def query(self, operation: Operation, execution: str | None = None) -> dict[str, str]:
        """What the operation must be asked with."""
        named = execution or self.own["execution"]
        return {
            "GET /lm/metrics": {"executionIds": named},
            "DELETE /lm/metrics": {"executionId": named},
        }.get(operation.name, {})

    def call(self, operation: Operation, who: str | None = None, **changed: Any) -> Any:
        """Ask for an operation as it is meant; changed: what `send` takes, or names in the path."""
        names = {key: changed.pop(key) for key in list(changed) if key in operation.arguments}
        body = self.bodies.get(operation.name)
        if "file" in operation.path and operation.method == "PUT":
            body, changed = b"a,b\n", {"media": "text/csv"} | changed
        asked = {
            "body": body,
            "query": self.query(operation),
            "who": self.actor(operation) if who is None else who,
        } | changed
        return self.send(operation.method, self.path(operation, **names), **asked)

    def actor(self, operation: Operation) -> str:
        """Whose key is needed: an administrator's outside groups."""
        return "editor" if operation.place in ("group", "token") else "admin"

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        who: str = "admin",
        group: str | None = "red",
        media: str = "application/json",
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> Any:
        """The answer to a request below /v2. group: None sends no header; who: "" sends no token."""
        if who:
            headers = {"Authorization": f"Bearer {self.tokens.get(who, who)}"} | headers
        if group is not None:
            headers["AI-Resource-Group"] = group
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        address = f"/v2{path}" + (f"?{urlencode(query)}" if query else "")
        return self.client.generic(
            method, address, data, content_type=media if data or body is not None else "", headers=headers
        )
