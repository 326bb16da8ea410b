"""Volumes: folders of steps and executions, files of secrets, and where they are mounted."""

from __future__ import annotations

import re
from decimal import Decimal

from mlops.manifests.fields import Section, unique
from mlops.manifests.nodes import shown
from mlops.manifests.paths import absolute_path, inner_path
from mlops.manifests.spec import Volume, VolumeMount

VOLUME_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
VOLUME_WORDS = "letters, digits, _ and - are allowed, at most 63 in all"
SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,251}")
SECRET_WORDS = "letters, digits, . _ and - are allowed, placeholders are not"
SECRET_KEY = re.compile(r"[A-Za-z0-9._-]{1,253}")
SECRET_KEY_WORDS = "letters, digits, . _ and - are allowed, placeholders are not"
MAX_BYTES = 2**50
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(Ki|Mi|Gi|Ti|k|M|G|T)?")
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def read_volumes(owner: Section) -> tuple[Volume, ...]:
    """`volumes` of a workflow, a template or a predictor."""
    sections = owner.sections("volumes", "volume")
    found = tuple(_volume(section) for section in sections)
    unique(
        [(item.name, section.at("name")) for item, section in zip(found, sections, strict=True)], owner.report
    )
    return found


def read_claims(spec: Section) -> tuple[Volume, ...]:
    """`volumeClaimTemplates`: folders that the steps of one execution share."""
    found = []
    sections = spec.sections("volumeClaimTemplates", "claim")
    for section in sections:
        metadata = section.section("metadata", "claim metadata")
        requests = (
            section.section("spec", "claim spec")
            .section("resources", "claim resources")
            .section("requests", "claim requests")
        )
        name = metadata.name("name", VOLUME_NAME, VOLUME_WORDS)
        found.append(Volume(name, "shared", size_bytes=_size(requests, "storage")))
    paths = [section.at("metadata.name") for section in sections]
    unique([(item.name, path) for item, path in zip(found, paths, strict=True)], spec.report)
    return tuple(found)


def read_mounts(owner: Section) -> tuple[VolumeMount, ...]:
    """`volumeMounts` of a process; that the volumes exist is checked by `references`."""
    sections = owner.sections("volumeMounts", "volume mount")
    found = tuple(
        VolumeMount(
            volume=section.name("name", VOLUME_NAME, VOLUME_WORDS),
            path=absolute_path(section, "mountPath"),
            read_only=section.flag("readOnly"),
            sub_path=inner_path(section, "subPath"),
        )
        for section in sections
    )
    paths = [(item.path, section.at("mountPath")) for item, section in zip(found, sections, strict=True)]
    unique(paths, owner.report)
    return found


def _volume(section: Section) -> Volume:
    name = section.name("name", VOLUME_NAME, VOLUME_WORDS)
    kinds = [key for key in ("emptyDir", "secret") if key in section.entries]
    if len(kinds) > 1 or not (kinds or section.refused):
        section.report.error(section.path, "needs exactly one of emptyDir and secret")
    if kinds != ["secret"]:
        return Volume(name, "scratch", size_bytes=_size(section.section("emptyDir", "emptyDir"), "sizeLimit"))
    secret = section.section("secret", "secret volume")
    return Volume(
        name,
        "secret",
        secret=secret.name("secretName", SECRET_NAME, SECRET_WORDS),
        items=_items(secret),
        optional=secret.flag("optional"),
    )


def _items(secret: Section) -> tuple[tuple[str, str], ...]:
    sections = secret.sections("items", "secret item")
    found = []
    for section in sections:
        path = inner_path(section, "path") if section.has("path") else None
        if path is None:
            section.error("path", "is missing: name the file inside the mounted folder")
        found.append((section.name("key", SECRET_KEY, SECRET_KEY_WORDS), path or ""))
    unique([(path, part.at("path")) for (_, path), part in zip(found, sections, strict=True)], secret.report)
    return tuple(found)


def _size(section: Section, key: str) -> int | None:
    """Bytes of a quantity such as 500Mi; None when absent or wrong."""
    given = section.text(key)
    if given is None:
        return None
    match = _QUANTITY.fullmatch(given)
    size = int(Decimal(match[1]) * _UNITS.get(match[2], 1)) if match else 0
    if not 1 <= size <= MAX_BYTES:
        section.error(key, f"{shown(given)!r} must be a size such as 500Mi or 2Gi, at most 1024Ti")
        return None
    return size
