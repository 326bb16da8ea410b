"""Proves the README's main job: `make run` in a clean checkout, the demo over HTTP, nothing left behind.

Run as `python -m tests.e2e.main_job` from the project's root. Uses a free port and a throwaway data
folder; prints what it does; exit code 1 with the reason when anything is not as the README says.
"""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from tests.servers import free_port
from tests.waiting import until

START_SECONDS = 300
RUN_SECONDS, SERVE_SECONDS = 420, 240
TUTORIAL = "/w/local/g/tutorial"


class Person:
    """Someone in front of a browser without JavaScript: follows redirects, sends forms with their token."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, follow_redirects=True, timeout=120)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_args: object) -> None:
        self.http.close()

    def get(self, path: str) -> str:
        """The page at a path; raises for anything but success."""
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, data: dict[str, object]) -> httpx.Response:
        """Send a form; the answer after redirects."""
        answer = self.http.post(
            path,
            data={"csrfmiddlewaretoken": self.http.cookies["csrftoken"], **data},
            headers={"Referer": str(self.http.base_url)},
        )
        if answer.is_error:
            raise RuntimeError(f"POST {path}: {answer.status_code}\n{_visible(answer.text)}")
        return answer

    def sign_in(self, name: str, password: str) -> None:
        """Use the sign-in page."""
        self.get("/sign-in")
        answer = self.post("/sign-in", {"username": name, "password": password})
        if answer.url.path == "/sign-in":
            raise RuntimeError("The printed password was refused.")


def _visible(page: str) -> str:
    main = page.split("<main", 1)[-1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))[:1500]


def train(person: Person) -> tuple[str, str]:
    """Dataset, configuration, execution; returns the execution's key and final status."""
    person.get(f"{TUTORIAL}/scenarios/text-clf-tutorial/")
    dataset = person.post(
        f"{TUTORIAL}/datasets/register",
        {
            "name": "tutorial-train-data",
            "way": "address",
            "url": "ai://default/data",
            "scenario": "text-clf-tutorial",
        },
    )
    artifact = re.search(r"/datasets/([0-9a-f-]{36})", str(dataset.url))
    if artifact is None:
        raise RuntimeError(f"No dataset page after registering: {dataset.url}\n{_visible(dataset.text)}")
    configuration = configure(person, artifact[1])
    detail = person.post(f"{TUTORIAL}/executions/create", {"configuration": configuration})
    found = re.search(r"/executions/(e[0-9a-f]{15})", str(detail.url))
    if found is None:
        raise RuntimeError(f"No execution page after starting: {detail.url}\n{_visible(detail.text)}")

    def status() -> str | None:
        page = person.get(f"{TUTORIAL}/executions/{found[1]}/")
        shown = re.search(r'class="pill"[^>]*data-status="([A-Z]+)"', page)
        return shown[1] if shown and shown[1] in ("COMPLETED", "DEAD", "STOPPED") else None

    return found[1], until(status, seconds=RUN_SECONDS, pause=0.5)


def configure(person: Person, artifact: str) -> str:
    """The wizard, step by step as a person would; returns the configuration's key."""
    page = person.get(f"{TUTORIAL}/configurations/create?executable=text-clf-train-tutorial")
    for _ in range(4):
        form = Form(page)
        form.values |= {"action": "next"}
        if "name" in form.values:
            form.values |= {"name": "main job", "executable": "text-clf-train-tutorial"}
        if "artifacts.text-data" in form.names:
            form.values["artifacts.text-data"] = artifact
        answer = person.post(form.action, form.values)
        if found := re.search(r"/configurations/([0-9a-f-]{36})/$", answer.url.path):
            return found[1]
        page = answer.text
    raise RuntimeError(f"The wizard did not end in a configuration.\n{_visible(page)}")


def deploy(person: Person) -> str:
    """From the trained model's page to a deployment that runs; its key."""
    model = re.search(r"/models/([0-9a-f-]{36})/", person.get(f"{TUTORIAL}/models/"))
    if model is None:
        raise RuntimeError("The trained model is not listed under Models.")
    address = f"{TUTORIAL}/deployments/create?model={model[1]}"
    server = re.search(r'name="executable" value="(text-clf-infer-tutorial[^"]*)"', person.get(address))
    if server is None:
        raise RuntimeError("Nothing is offered that serves the trained model.")
    review = person.post(address, {"executable": html.unescape(server[1]), "action": "next"})
    detail = person.post(str(review.url), {"action": "next"})
    found = re.search(r"/deployments/(d[0-9a-f]{15})/$", detail.url.path)
    if found is None:
        raise RuntimeError(f"The wizard did not end in a deployment.\n{_visible(detail.text)}")

    def status() -> str | None:
        page = person.get(detail.url.path)
        shown = re.search(r'class="pill"[^>]*data-status="([A-Z]+)"', page)
        return shown[1] if shown and shown[1] in ("RUNNING", "DEAD") else None

    if until(status, seconds=SERVE_SECONDS, pause=0.5) != "RUNNING":
        raise RuntimeError(_visible(person.get(detail.url.path)))
    return found[1]


def predict(person: Person, deployment: str, text: str) -> str:
    """The label that the deployed model gives a text, asked at its address."""
    answer = person.http.post(
        f"/v2/inference/deployments/{deployment}/v2/predict",
        json={"text": text},
        headers={"Origin": str(person.http.base_url)},
    )
    answer.raise_for_status()
    return str(answer.json()["label"])


class Form:
    """The wizard's form on a page: where it goes, the names it knows and the values it holds."""

    def __init__(self, page: str) -> None:
        match = re.search(r'<form[^>]*id="wizard-form"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page, re.S)
        if match is None:
            raise RuntimeError(f"No wizard form on the page.\n{_visible(page)}")
        self.action = html.unescape(match[1])
        self.values: dict[str, object] = {}
        self.names: set[str] = set()
        for tag in re.findall(r"<input[^>]*>", match[2]):
            self._read_input(tag)
        for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', match[2], re.S):
            self.values[html.unescape(name)] = html.unescape(text)
        for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', match[2], re.S):
            chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]*\bselected', options)
            first = re.search(r'<option[^>]*value="([^"]*)"', options)
            if found := chosen or first:
                self.values[html.unescape(name)] = html.unescape(found[1])
        self.names |= set(self.values)

    def _read_input(self, tag: str) -> None:
        fields = {key: html.unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        name, kind = fields.get("name"), fields.get("type", "text")
        if not name or name == "csrfmiddlewaretoken":
            return
        self.names.add(name)
        if kind not in ("radio", "checkbox") or re.search(r"\schecked\b", tag):
            self.values[name] = fields.get("value", "")


def main() -> int:
    """Do the job once, from `make run` to the proof that nothing is left running."""
    with tempfile.TemporaryDirectory(prefix="launchpad-main-job-") as data:
        port = free_port()
        began = time.monotonic()
        log = Path(data) / "run.log"
        with log.open("w") as out:
            make = subprocess.Popen(
                ["make", "run"],
                env=os.environ | {"PORT": str(port), "LAUNCHPAD_DATA": f"{data}/data"},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        family: list[psutil.Process] = []
        try:
            until(lambda: "Launchpad is ready" in log.read_text(), seconds=START_SECONDS)
            print(f"make run answered after {time.monotonic() - began:.1f} s")
            family = psutil.Process(make.pid).children(recursive=True)
            passwords = json.loads(Path(data, "data", "passwords.json").read_text())
            if passwords["editor"] not in log.read_text():
                raise RuntimeError("make run did not print the editor's password.")
            with Person(f"http://127.0.0.1:{port}") as person:
                person.sign_in("editor", passwords["editor"])
                execution, status = train(person)
                print(f"execution {execution} is {status}")
                if status != "COMPLETED":
                    raise RuntimeError(_visible(person.get(f"{TUTORIAL}/executions/{execution}/")))
                if "text-model-tutorial" not in person.get(f"{TUTORIAL}/models/"):
                    raise RuntimeError("The trained model is not listed under Models.")
                deployment = deploy(person)
                label = predict(person, deployment, "The crew was friendly and helpful.")
                print(f"deployment {deployment} answers: {label}")
                if label != "compliment":
                    raise RuntimeError(f"A compliment was taken for a {label}.")
            family += psutil.Process(make.pid).children(recursive=True)
        except (RuntimeError, AssertionError, httpx.HTTPError) as error:
            print(f"The main job failed: {error}\n--- make run said ---\n{log.read_text()[-4000:]}")
            return 1
        finally:
            os.killpg(make.pid, signal.SIGINT)
            make.wait(120)
        left = [process for process in family if process.is_running() and process.status() != "zombie"]
        if left:
            print(f"Left running: {left}")
            return 1
        print("Stopped; nothing is left running.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
