"""Containers and scripts: what a template runs, with its environment and its mounts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.manifests.fields import Section, unique
from mlops.manifests.placeholders import Texts
from mlops.manifests.spec import EnvFrom, EnvSecret, Pairs, SecretKey, VolumeMount
from mlops.manifests.volumes import (
    SECRET_KEY,
    SECRET_KEY_WORDS,
    SECRET_NAME,
    SECRET_WORDS,
    read_mounts,
)

MAX_ARGUMENT = 100_000
MAX_SOURCE = 1024 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE_WORDS = "letters, digits, _ - and . are allowed, no digit first"


@dataclass(frozen=True, slots=True)
class Process:
    """The fields of `spec.Template` that a container or script fills."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str | None = None
    env: Pairs = ()
    env_secrets: tuple[EnvSecret, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    working_dir: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()


def read_process(section: Section, texts: Texts, *, script: bool) -> Process:
    """A container or script. texts: gets what may hold placeholders."""
    command = section.texts("command", limit=MAX_ARGUMENT)
    if not section.has("command") or (not command and not section.nodes("command")):
        what = "the interpreter" if script else "the program"
        section.error("command", f"is missing: name {what}, there is no image to take it from")
    elif command and not command[0].strip():
        section.error("command", "its first item, the program, is empty")
    args = section.texts("args", limit=MAX_ARGUMENT)
    source = section.text("source", limit=MAX_SOURCE) if script else None
    if script and not source and not section.has("source"):
        section.error("source", "is missing: it holds the script's text")
    working_dir = section.text("workingDir", limit=1000) or None
    image = section.text("image", limit=1000)
    for key, many in (("command", command), ("args", args)):
        texts += [(text, f"{section.at(key)}[{index}]") for index, text in enumerate(many)]
    for key, single in (("source", source), ("workingDir", working_dir), ("image", image)):
        texts.append((single or "", section.at(key)))
    env, env_secrets = _env(section, texts)
    return Process(
        command=command,
        args=args,
        source=source,
        env=env,
        env_secrets=env_secrets,
        env_from=_env_from(section),
        working_dir=working_dir,
        image=image,
        image_pull_policy=section.text("imagePullPolicy"),
        volume_mounts=read_mounts(section),
    )


def _env(owner: Section, texts: Texts) -> tuple[Pairs, tuple[EnvSecret, ...]]:
    """The variables with a value, and those whose value is a secret's."""
    values: list[tuple[str, str]] = []
    secrets: list[EnvSecret] = []
    names: list[tuple[str, str]] = []
    for section in owner.sections("env", "env"):
        name = section.name("name", _VARIABLE, _VARIABLE_WORDS)
        names.append((name, section.at("name")))
        if section.has("valueFrom"):
            if section.has("value"):
                section.error("valueFrom", "give value or valueFrom, not both")
            secrets.append(EnvSecret(name, _secret_key(section.section("valueFrom", "env source"))))
            continue
        value = section.verbatim("value", limit=MAX_ARGUMENT) or ""
        texts.append((value, section.at("value")))
        values.append((name, value))
    unique(names, owner.report)
    return tuple(values), tuple(secrets)


def _secret_key(origin: Section) -> SecretKey:
    key = origin.section("secretKeyRef", "secret key")
    if not key.present:
        if not origin.refused:
            origin.report.error(origin.path, "names no source")
        return SecretKey("", "")
    return SecretKey(
        secret=key.name("name", SECRET_NAME, SECRET_WORDS),
        key=key.name("key", SECRET_KEY, SECRET_KEY_WORDS),
        optional=key.flag("optional"),
    )


def _env_from(owner: Section) -> tuple[EnvFrom, ...]:
    found = []
    for section in owner.sections("envFrom", "env from"):
        secret = section.section("secretRef", "secret")
        if not secret.present:
            if not section.refused:
                section.error("secretRef", "is missing: name the secret whose values become variables")
            continue
        words = "letters, digits and _ are allowed, no digit first"
        prefix = section.name("prefix", _PREFIX, words) if section.text("prefix") else ""
        name = secret.name("name", SECRET_NAME, SECRET_WORDS)
        found.append(EnvFrom(secret=name, prefix=prefix, optional=secret.flag("optional")))
    return tuple(found)
