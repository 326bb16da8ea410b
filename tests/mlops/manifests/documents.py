"""The documents the manifest tests start from, and ways to change them."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from mlops.manifests import ExecutableTemplate, Reading, read

TRAINING = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: petal-train
  labels:
    scenarios.ai.sap.com/id: petal-sorting
    ai.sap.com/version: "1.2.0"
  annotations:
    scenarios.ai.sap.com/name: Petal sorting
    executables.ai.sap.com/name: Train a petal classifier
    artifacts.ai.sap.com/petals.kind: dataset
    artifacts.ai.sap.com/petal-model.kind: model
    artifacts.ai.sap.com/petal-model.labels: |
      {"ext.ai.sap.com/task": "classification"}
spec:
  entrypoint: main
  activeDeadlineSeconds: 3600
  arguments:
    parameters:
      - {name: DEPTH, default: "4", description: "Depth of each tree", enum: ["2", "4", "8"]}
      - {name: SEED, description: "Random seed"}        # no default: mandatory
  templates:
    - name: main
      steps:
        - - {name: fit, template: fit}
    - name: fit
      metadata: {labels: {ai.sap.com/resourcePlan: starter}}
      retryStrategy: {limit: "1", retryPolicy: OnError}
      inputs:
        artifacts: [{name: petals, path: /app/petals}]
      outputs:
        artifacts:
          - {name: petal-model, globalName: petal-model, path: /app/model, archive: {none: {}}}
      container:
        image: petal-train:1.2.0
        command: [python, train.py]
        args: ["--data", /app/petals, "--out", /app/model, "--depth", "{{workflow.parameters.DEPTH}}"]
        env: [{name: SEED, value: "{{workflow.parameters.SEED}}"}]
"""

SERVING = """\
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: petal-serve
  labels:
    scenarios.ai.sap.com/id: petal-sorting
    ai.sap.com/version: "1.2.0"
  annotations:
    scenarios.ai.sap.com/name: Petal sorting
    executables.ai.sap.com/name: Serve a petal classifier
    artifacts.ai.sap.com/petalmodel.kind: model
spec:
  inputs:
    parameters:
      - {name: threads, type: string, default: "2"}
    artifacts:
      - name: petalmodel
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: starter
    spec: |
      predictor:
        minReplicas: 1
        maxReplicas: 2
        containers:
          - name: server
            image: petal-serve:1.2.0
            command: [python, serve.py]
            args: ["--port", "9001", "--threads", "{{inputs.parameters.threads}}"]
            ports: [{containerPort: 9001}]
            env:
              - {name: STORAGE_URI, value: "{{inputs.artifacts.petalmodel}}"}
"""

_QUIET = yaml.safe_load(TRAINING)
REMOVED = object()

Path = tuple[str | int, ...]


def changed(*changes: tuple[Path, Any]) -> str:
    """The training example, which has no findings, with values put in.

    changes: (path of keys and indexes, value); REMOVED takes the field away.
    """
    document = copy.deepcopy(_QUIET)
    for path, value in changes:
        place = document
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        if value is REMOVED:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return yaml.safe_dump(document, sort_keys=False)


def field(path: Path) -> str:
    """The way findings write a path."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def reading(*changes: tuple[Path, Any]) -> Reading:
    """What reading the changed training example gives."""
    return read(changed(*changes), file="train.yaml")


def good(text: str) -> ExecutableTemplate:
    """The one template of a text that must have no errors."""
    found = read(text, file="train.yaml")
    assert [str(error) for error in found.errors] == []
    (template,) = found.templates
    return template


def workflow(*templates: dict[str, Any], parameters: tuple[str, ...] = (), entrypoint: str = "main") -> str:
    """A workflow of these templates, quiet metadata around them."""
    return changed(
        (("spec", "templates"), list(templates)),
        (("spec", "arguments", "parameters"), [{"name": name} for name in parameters]),
        (("spec", "entrypoint"), entrypoint),
        (("metadata", "annotations", "artifacts.ai.sap.com/petals.kind"), REMOVED),
        (("metadata", "annotations", "artifacts.ai.sap.com/petal-model.kind"), REMOVED),
        (("metadata", "annotations", "artifacts.ai.sap.com/petal-model.labels"), REMOVED),
    )


def leaf(name: str, *args: str, **fields: Any) -> dict[str, Any]:
    """A template that runs `run` with args; fields: further fields of the template."""
    return {
        "name": name,
        "metadata": {"labels": {"ai.sap.com/resourcePlan": "starter"}},
        "container": {"command": ["run"], "args": list(args)},
        **fields,
    }


def said(*templates: dict[str, Any], parameters: tuple[str, ...] = ()) -> list[str]:
    """The errors of a workflow of these templates, as `field: reason`."""
    found = read(workflow(*templates, parameters=parameters), file="train.yaml")
    return [f"{error.field}: {error.reason}" for error in found.errors]


def call(name: str, template: str, arguments: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A step or task; arguments: parameters by name."""
    made = {"name": name, "template": template, **fields}
    if arguments:
        made["arguments"] = {
            "parameters": [{"name": key, "value": value} for key, value in arguments.items()]
        }
    return made


def dag(
    name: str, *tasks: dict[str, Any], outputs: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """A template that calls tasks by what they depend on; fields: further fields of the dag."""
    made: dict[str, Any] = {"name": name, "dag": {"tasks": list(tasks), **fields}}
    return {**made, "outputs": outputs} if outputs else made


def group(name: str, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A template that calls steps one after the other."""
    return {"name": name, "steps": [[step] for step in steps], **fields}
