"""The body of a ServingTemplate, whose inner parts are texts of several lines that hold YAML again."""

from __future__ import annotations

import re

from mlops.manifests.fields import Section, unique
from mlops.manifests.limits import resource_plan
from mlops.manifests.nodes import Map, Text, compose, shown
from mlops.manifests.parameters import NAME, NAME_WORDS, read_parameters
from mlops.manifests.placeholders import Texts, names
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.manifests.process import read_process
from mlops.manifests.serving_values import AUTOSCALING, KNATIVE, PLAN, SCALING, numbers, problems
from mlops.manifests.spec import Parameter, ServedModel, Server, Serving
from mlops.manifests.volumes import read_volumes
from mlops.manifests.workflow import read_pull_secrets

_API, _OLD_API = "serving.kserve.io/v1beta1", "serving.kubeflow.org/v1alpha2"
_FORMATS = ("onnx", "sklearn")
_ARTIFACT = re.compile(r"\{\{\s*inputs\.artifacts\.([^\s{}]+)\s*\}\}")


def read_serving(
    spec: Section, *, cascade_update: bool
) -> tuple[Serving, tuple[Parameter, ...], tuple[str, ...]]:
    """`spec`, its parameters, and the names of its input artifacts."""
    inputs = spec.section("inputs", "serving inputs")
    parameters = read_parameters(inputs, None, "serving parameter")
    for section in inputs.sections("parameters", "serving parameter"):
        if section.text("type") not in (None, "string"):
            section.error(
                "type", f"{shown(section.text('type') or '')!r} is refused: every parameter is a string"
            )
    artifacts = _artifacts(inputs)
    template = spec.section("template", "serving template")
    api_version = template.required("apiVersion")
    if api_version == _OLD_API:
        template.notice("apiVersion", f"read as {_API}")
    elif api_version not in ("", _API):
        template.error("apiVersion", f"must be {_API} or {_OLD_API}")
    metadata = template.section("metadata", "serving metadata")
    labels, annotations = _pairs(metadata, "labels"), _pairs(metadata, "annotations")
    predictor = _predictor(template)
    texts: Texts = [(node.text, node.path) for node in (*labels.values(), *annotations.values())]
    server, model = _server(predictor, texts), _model(predictor, texts)
    serving = Serving(
        api_version=_API,
        server=server,
        model=model,
        resource_plan=resource_plan(labels, spec.report, lambda text: text in PLANS or any(names(text))),
        autoscaling=_autoscaling(annotations, spec),
        min_replicas=predictor.text("minReplicas"),
        max_replicas=predictor.text("maxReplicas"),
        concurrency=predictor.text("containerConcurrency"),
        timeout_seconds=predictor.text("timeout"),
        grace_seconds=predictor.text("terminationGracePeriodSeconds"),
        volumes=read_volumes(predictor),
        image_pull_secrets=(*read_pull_secrets(spec), *read_pull_secrets(predictor)),
        cascade_update=cascade_update,
    )
    if (predictor.text("minReplicas") or "").strip() == "0":
        predictor.notice("minReplicas", "one server is kept: servers are not put to sleep")
    if not labels:
        reason = f"no resource plan is named: the default plan {DEFAULT_PLAN} is used"
        metadata.notice("labels", reason)
    _check(serving, parameters, artifacts, texts, predictor, metadata)
    return serving, parameters, artifacts


def _artifacts(inputs: Section) -> tuple[str, ...]:
    sections = inputs.sections("artifacts", "serving artifact")
    found = tuple(section.name("name", NAME, NAME_WORDS) for section in sections)
    unique([(name, part.at("name")) for name, part in zip(found, sections, strict=True)], inputs.report)
    return found


def _unfold(section: Section, key: str) -> None:
    """Put what a text of several lines holds in its place; a mapping stays as it is."""
    node = section.entries.get(key)
    if not isinstance(node, Text) or node.type == "null":
        return
    del section.entries[key]
    if not node.text.strip():
        return
    line = section.report.blocks.get(node.path) or section.report.line_of(node.path)
    inner = compose(node.text, section.report, line, node.path, masked=True)
    if inner is not None:
        section.entries[key] = inner


def _pairs(metadata: Section, key: str) -> dict[str, Text]:
    _unfold(metadata, key)
    return metadata.pairs(key)


def _predictor(template: Section) -> Section:
    """The predictor, also where the older nesting puts it."""
    written = template.entries.get("spec")
    _unfold(template, "spec")
    given = "spec" in template.entries
    # What cannot be parsed has its error already.
    if not given and not (isinstance(written, Text) and written.text.strip()):
        template.error("spec", "is missing or empty: it holds the predictor")
    body = template.section("spec", "serving body")
    if body.has("default"):
        body.notice("default", "an older nesting, read as predictor")
        body = body.section("default", "serving default")
    if given and not isinstance(body.entries.get("predictor"), Map):
        body.error("predictor", "is missing")
    return body.section("predictor", "predictor")


def _server(predictor: Section, texts: Texts) -> Server | None:
    containers = predictor.sections("containers", "serving container")
    if len(containers) > 1:
        predictor.error("containers", "give exactly one container: a deployment is one server")
    if predictor.has("containers") == predictor.has("model") and predictor.present:
        predictor.report.error(predictor.path, "needs exactly one of containers and model")
    elif predictor.has("containers") and not containers:
        predictor.error("containers", "is empty")
    if not containers:
        return None
    section = containers[0]
    process = read_process(section, texts, script=False)
    ports = section.sections("ports", "port")
    if len(ports) > 1:
        section.error("ports", "give one port: the one the server listens on")
    port = ports[0].required("containerPort") or None if ports else None
    ready_path, ready_port = _asked(section, "readinessProbe", texts)
    live_path, live_port = _asked(section, "livenessProbe", texts)
    return Server(
        name=section.text("name") or "",
        image=process.image,
        command=process.command,
        args=process.args,
        env=process.env,
        env_secrets=process.env_secrets,
        env_from=process.env_from,
        working_dir=process.working_dir,
        image_pull_policy=process.image_pull_policy,
        volume_mounts=process.volume_mounts,
        model=_fetched(section, process.env),
        port=port,
        ready_path=ready_path,
        ready_port=ready_port,
        live_path=live_path,
        live_port=live_port,
    )


def _asked(section: Section, probe: str, texts: Texts) -> tuple[str | None, str | None]:
    """Path and port of a probe over HTTP. texts: gets what may hold placeholders."""
    asked = section.section(probe, probe).section("httpGet", "httpGet")
    path, port = asked.text("path", limit=1000), asked.text("port")
    if asked.present and not (path or "").startswith(("/", "{{")):
        asked.error("path", "must be a path such as /health")
    texts.append((path or "", asked.at("path")))
    return path, port


def _fetched(section: Section, env: tuple[tuple[str, str], ...]) -> str | None:
    """The input that the variable STORAGE_URI asks for."""
    given = dict(env).get("STORAGE_URI")
    if given is None:
        return None
    match = _ARTIFACT.fullmatch(given.strip())
    if match is None:
        section.error("env", "STORAGE_URI must be {{inputs.artifacts.NAME}}: only artifacts are fetched")
    return match[1] if match else None


def _model(predictor: Section, texts: Texts) -> ServedModel | None:
    section = predictor.section("model", "model")
    if not section.present:
        return None
    form = section.section("modelFormat", "modelFormat")
    name = form.required("name")
    if name and name not in _FORMATS:
        form.error("name", f"{shown(name)!r} is refused: the built-in server reads {' and '.join(_FORMATS)}")
    storage = section.required("storageUri", limit=1000)
    if storage and not _ARTIFACT.fullmatch(storage.strip()):
        section.error("storageUri", "must be {{inputs.artifacts.NAME}}: only artifacts are fetched")
    texts.append((storage, section.at("storageUri")))
    return ServedModel(name, storage)


def _autoscaling(annotations: dict[str, Text], spec: Section) -> tuple[tuple[str, str], ...]:
    found = []
    for key, node in annotations.items():
        name = key.removeprefix(KNATIVE)
        if key.startswith(KNATIVE) and name in AUTOSCALING:
            if name not in SCALING:
                spec.report.notice(node.path, "recorded: servers follow metric, target and window")
            found.append((name, node.text))
        else:
            spec.report.notice(node.path, "ignored: Launchpad does not know it")
    return tuple(found)


def _check(
    serving: Serving,
    parameters: tuple[Parameter, ...],
    artifacts: tuple[str, ...],
    texts: Texts,
    predictor: Section,
    metadata: Section,
) -> None:
    """Placeholders, mounts, and values as far as literals and defaults tell."""
    report = predictor.report
    texts += [(text or "", predictor.at(field)) for field, text, _, _ in numbers(serving)]
    known = {f"inputs.parameters.{each.name}" for each in parameters}
    known |= {f"inputs.artifacts.{name}" for name in artifacts}
    for text, path in texts:
        for name in dict.fromkeys(names(text)):
            if name.startswith("="):
                report.error(path, f"{{{{{shown(name, 60)}}}}} is an expression; only names are supported")
            elif name not in known:
                reason = (
                    "is no input; known are inputs.parameters.NAME and inputs.artifacts.NAME of spec.inputs"
                )
                report.error(path, f"{{{{{shown(name, 60)}}}}} {reason}")
    volumes = {volume.name for volume in serving.volumes}
    for index, mount in enumerate(serving.server.volume_mounts if serving.server else ()):
        if mount.volume and mount.volume not in volumes:
            path = predictor.at(f"containers[0].volumeMounts[{index}].name")
            report.error(path, f"there is no volume {shown(mount.volume)}")
    defaults = {each.name: each.default for each in parameters if each.default is not None}
    for problem in problems(serving, defaults):
        if problem.field == PLAN:
            report.error(metadata.at("labels"), problem.reason)
        elif problem.field.startswith(KNATIVE):
            report.error(metadata.at(f"annotations.{problem.field}"), problem.reason)
        else:
            report.error(predictor.at(problem.field), problem.reason)
