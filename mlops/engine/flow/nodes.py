"""What a flow tells of its nodes, what it hands out to be run, and what it is told about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mlops.manifests.conditions import State
from mlops.manifests.spec import Template


class Kind(StrEnum):
    """A node that runs a process, or one that holds others.

    They run in turn, by their dependencies, item by item, or at the end.
    """

    LEAF = "leaf"
    STEPS = "steps"
    DAG = "dag"
    LOOP = "loop"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Slot:
    """An artifact that the configuration binds under this name, or none."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """An artifact that the leaf of this index left as this output."""

    index: int
    output: str


@dataclass(frozen=True, slots=True)
class Text:
    """An artifact whose content is given."""

    content: str


Artifact = Slot | Made | Text


@dataclass(slots=True, eq=False)
class Node:
    """One node of a flow, as it is known now.

    name: unique path such as `main.train(0:a)`; label: its own part of it. index: order of arrival. parent:
    index of the node it lies in. after: indices of its neighbours that it waits for. state: how it ended,
    None before. tries: attempts that were begun. cause: one word on its end, as observations have it,
    `skipped` or `omitted`. parameters, result, artifacts: what it gives to others; a loop gives lists.
    """

    index: int
    name: str
    label: str
    kind: Kind
    template: str
    parent: int | None = None
    after: tuple[int, ...] = ()
    is_begun: bool = False
    state: State | None = None
    tries: int = 0
    message: str = ""
    cause: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    listed: str | None = None
    result: str | None = None
    artifacts: dict[str, Artifact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """A leaf to be run now. template: every placeholder filled in; artifacts: inputs that are there, by name.

    tries: 0 for the first attempt. until: when all has to be over; the flow closes what is late by itself.
    """

    index: int
    name: str
    tries: int
    template: Template
    artifacts: Mapping[str, Artifact]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt of a leaf ended: state is Succeeded, Failed (user code) or Errored (runner or host).

    is_transient: the fault lies outside and may pass. artifacts: names of the outputs it left.
    """

    state: State
    message: str = ""
    cause: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_transient: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    artifacts: frozenset[str] = frozenset()


def timestamp(at: datetime | None) -> str:
    """A moment as placeholders have it; "" for none."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def status(state: str | None) -> str:
    """A state as placeholders have it; "" for none."""
    return "Error" if state == "Errored" else state or ""
