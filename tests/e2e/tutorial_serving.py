"""Rows 8 to 11 of the tutorial: models are deployed, asked, changed without a gap, stopped and deleted."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import httpx

from tests.aiapi.client import MERGE, Client
from tests.e2e.main_job import TUTORIAL, Person
from tests.waiting import until

SCENARIO, SERVING = "text-clf-tutorial", "text-clf-infer-tutorial"
SERVE_SECONDS = 240
KIND, BITTER = "The crew was friendly and helpful.", "They lost my bag and nobody apologised."
NOTHING = "d000000000000000"


def serve(client: Client, other: Client, models: tuple[str, str], person: Person) -> None:
    """From two versions of a model to a deployment that is gone again."""
    before_there_is_any(client)
    first, second = (configure(client, number, model) for number, model in enumerate(models, 1))
    deployment = deploy(client, other, first)
    page = f"{TUTORIAL}/deployments/{deployment}/"
    assert 'data-status="RUNNING"' in person.get(page)
    assert deployment[:8] in person.get(f"{TUTORIAL}/deployments/")
    ask(client, other, deployment)
    change(client, deployment, second, person)
    read_log(client, deployment)
    stop_and_delete(client, other, deployment, second, person)


def before_there_is_any(client: Client) -> None:
    """What is not there is not found."""
    wanted = {"configurationId": NOTHING, "ttl": "5h"}
    client.call("POST", "/lm/deployments", wanted, status=404)
    client.call("GET", f"/lm/deployments/{NOTHING}", status=404)
    assert client.call("GET", "/lm/deployments", status=200, shape="Deployments")["count"] == 0
    assert client.call("GET", "/lm/deployments/$count", status=200, shape="integer") == 0
    client.call("PATCH", f"/lm/deployments/{NOTHING}", {"targetStatus": "STOPPED"}, status=404)
    client.call("DELETE", f"/lm/deployments/{NOTHING}", status=404)
    answer = client.send("POST", f"/inference/deployments/{NOTHING}/v2/predict", json={"text": KIND})
    assert answer.status_code == 404 and "error" in answer.json()


def configure(client: Client, number: int, model: str) -> str:
    """Row 8, its first half: a configuration of what serves with a trained model; its id."""
    body = {
        "name": f"serve model {number}",
        "scenarioId": SCENARIO,
        "executableId": SERVING,
        "inputArtifactBindings": [{"key": "textmodel", "artifactId": model}],
    }
    return str(client.call("POST", "/lm/configurations", body, status=201, shape="Done")["id"])


def deploy(client: Client, other: Client, configuration: str) -> str:
    """Row 8, its second half, and row 9; the id of the deployment, which runs."""
    wanted = {"configurationId": configuration, "ttl": "5h"}
    client.call("POST", "/lm/deployments", wanted | {"ttl": "4h30m"}, status=400)
    made = client.call("POST", "/lm/deployments", wanted, status=202, shape="DeploymentCreated")
    assert (made["message"], made["status"]) == ("Deployment scheduled.", "UNKNOWN")
    assert (made["deploymentUrl"], made["ttl"]) == ("", "5h")
    deployment = str(made["id"])
    assert re.fullmatch(r"d[0-9a-f]{15}", deployment)
    wait_for(other, deployment, "RUNNING")
    read = client.call("GET", f"/lm/deployments/{deployment}", status=200, shape="AiDeployment")
    assert read["deploymentUrl"] == address(client, deployment)
    assert (read["configurationId"], read["configurationName"]) == (configuration, "serve model 1")
    assert (read["executableId"], read["scenarioId"]) == (SERVING, SCENARIO)
    assert (read["targetStatus"], read["lastOperation"], read["ttl"]) == ("RUNNING", "CREATE", "5h")
    assert read["latestRunningConfigurationId"] == configuration
    assert read["submissionTime"] <= read["startTime"]
    asked = {"executableIds": [SERVING], "status": "RUNNING", "configurationId": configuration}
    listed = client.call("GET", "/lm/deployments", status=200, shape="Deployments", asked=asked)
    assert [one["id"] for one in listed["resources"]] == [deployment]
    return deployment


def address(client: Client, deployment: str) -> str:
    """Where requests to it go, as `deploymentUrl` has to say."""
    return f"{client.key['serviceurls']['AI_API_URL']}/v2/inference/deployments/{deployment}"


def wait_for(client: Client, deployment: str, wanted: str) -> None:
    """Poll as clients do until it has the status, which has to be the one it ends with."""

    def reached() -> str | None:
        path = f"/lm/deployments/{deployment}"
        read = client.call("GET", path, status=200, shape="DeploymentStatus", dollar_select="status")
        return read["status"] if read["status"] in (wanted, "DEAD") else None

    status = until(reached, seconds=SERVE_SECONDS, pause=0.5)
    assert status == wanted, log(client, deployment)[-20:]


def ask(client: Client, other: Client, deployment: str) -> None:
    """Row 10: answers with sense in them, for whoever has a token and names the group."""
    for one, text, label in ((client, KIND, "compliment"), (other, BITTER, "complaint")):
        answer = one.send("POST", f"/inference/deployments/{deployment}/v2/predict", json={"text": text})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["label"] == label
        assert 0.5 < told["probability"] == max(told["probabilities"].values()) <= 1
        assert answer.headers["x-launchpad-revision"] == "1"
    # What the model's own server answers passes as it is, refusals among it.
    said = client.send("POST", f"/inference/deployments/{deployment}/v2/predict", json={"words": []})
    assert said.status_code == 400 and "the body must be JSON" in said.json()["error"]
    url = f"{address(client, deployment)}/v2/predict"
    assert httpx.post(url, json={"text": KIND}).status_code == 401
    wrong = client.send(
        "POST",
        f"/inference/deployments/{deployment}/v2/predict",
        json={"text": KIND},
        headers={"AI-Resource-Group": "default"},
    )
    assert wrong.status_code == 404 and wrong.json()["error"]["message"]


def change(client: Client, deployment: str, second: str, person: Person) -> None:
    """The deployment gets another model; whoever asks meanwhile notices by the answer alone."""
    path = f"/lm/deployments/{deployment}"
    client.call(
        "PATCH", path, {"configurationId": second, "targetStatus": "STOPPED"}, status=400, media=MERGE
    )
    client.call("PATCH", path, {}, status=400, media=MERGE)
    asking = Asking(client, deployment, "/v2/predict", {"text": KIND}, lambda told: told["probability"])
    rolled_over(client, deployment, second, person, asking)


def rolled_over(client: Client, deployment: str, second: str, person: Person, asking: Asking) -> None:
    """A running deployment gets a second configuration; no call fails, and no answer is of both."""
    path = f"/lm/deployments/{deployment}"
    with asking:
        until(lambda: asking.heard)
        done = client.call("PATCH", path, {"configurationId": second}, status=202, shape="Done", media=MERGE)
        assert done["message"] == "Deployment modification scheduled"
        until(lambda: asking.failures or "2" in asking.heard, seconds=SERVE_SECONDS)

        def old_one_is_gone() -> bool:
            page = person.get(f"{TUTORIAL}/deployments/{deployment}/?tab=revisions")
            return asking.failures != [] or 'data-status="STOPPED"' in page

        until(old_one_is_gone, seconds=SERVE_SECONDS, pause=0.5)
    assert asking.failures == []
    # Each revision has one model and so one answer, and the old one does not come back.
    assert [len(asking.heard[number]) for number in ("1", "2")] == [1, 1]
    assert asking.heard["1"] != asking.heard["2"]
    assert asking.order == ["1", "2"]
    read = client.call("GET", path, status=200, shape="AiDeployment")
    assert (read["configurationId"], read["latestRunningConfigurationId"]) == (second, second)
    assert (read["status"], read["lastOperation"]) == ("RUNNING", "UPDATE")
    assert read["deploymentUrl"] == address(client, deployment)


class Asking:
    """Somebody who asks a deployment one call after the other, on one connection, until told to end.

    path, body: of each call; read: what is noted of its answer. heard: revision → what was noted; order:
    revisions as they took turns; failures: answers that were none.
    """

    def __init__(
        self, client: Client, deployment: str, path: str, body: Any, read: Callable[[Any], float]
    ) -> None:
        self.heard: dict[str, set[float]] = {}
        self.order: list[str] = []
        self.failures: list[str] = []
        self._url, self._body, self._read = f"{address(client, deployment)}{path}", body, read
        self._headers = {"Authorization": f"Bearer {client.token}", "AI-Resource-Group": client.group}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(120)

    def _ask(self) -> None:
        with httpx.Client(headers=self._headers, timeout=120) as http:
            while not self._over.wait(0.01):
                try:
                    answer = http.post(self._url, json=self._body)
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                if answer.status_code != 200:
                    self.failures.append(f"{answer.status_code} {answer.text}")
                    continue
                revision = answer.headers["x-launchpad-revision"]
                self.heard.setdefault(revision, set()).add(self._read(answer.json()))
                if self.order[-1:] != [revision]:
                    self.order.append(revision)


def log(client: Client, deployment: str, **asked: Any) -> list[dict[str, Any]]:
    """The lines its servers wrote."""
    path = f"/lm/deployments/{deployment}/logs"
    found = client.call("GET", path, status=200, shape="Log", start="2020-01-01T00:00:00Z", **asked)
    return list(found["data"]["result"])


def read_log(client: Client, deployment: str) -> None:
    """Both revisions have said what they serve."""
    lines = log(client, deployment)
    assert len([one for one in lines if "serving labels complaint, compliment" in one["msg"]]) == 2, lines
    assert log(client, deployment, order="desc", top=2) == lines[::-1][:2]


def stop_and_delete(
    client: Client, other: Client, deployment: str, configuration: str, person: Person
) -> None:
    """Row 11."""
    path, predict = f"/lm/deployments/{deployment}", f"/inference/deployments/{deployment}/v2/predict"
    client.call("DELETE", path, status=412)
    done = client.call("PATCH", path, {"targetStatus": "STOPPED"}, status=202, shape="Done", media=MERGE)
    assert done["message"] == "Deployment modification scheduled"
    wait_for(other, deployment, "STOPPED")
    refused = client.send("POST", predict, json={"text": KIND})
    assert refused.status_code == 404 and "stopped" in refused.json()["error"]["message"]
    assert client.send("PATCH", path, json={"targetStatus": "STOPPED"}).status_code in (400, 412)
    client.call("PATCH", path, {"configurationId": configuration}, status=412, media=MERGE)
    done = client.call("DELETE", path, status=202, shape="Done")
    assert (done["message"], done["targetStatus"]) == ("Deployment deletion scheduled", "DELETED")
    until(lambda: client.send("GET", path).status_code == 404)
    client.call("GET", path, status=404)
    assert client.call("GET", "/lm/deployments", status=200, shape="Deployments")["count"] == 0
    assert client.send("POST", predict, json={"text": KIND}).status_code == 404
    assert person.http.get(f"{TUTORIAL}/deployments/{deployment}/").status_code == 404
