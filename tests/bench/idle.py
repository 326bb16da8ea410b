"""What the embedded stack costs while nobody asks it for anything: processor time and memory."""

from __future__ import annotations

import threading
import time

import psutil

from tests.bench import stacks
from tests.bench.rows import Row

HOW = """`manage.py up` on a fresh data folder, 20 s after it is ready: user and system time of all its
processes over the next 60 s, as a part of one core, and at the end the sum of their proportional set sizes
(PSS: memory shared by n processes counts one n-th in each)."""
SETTLE_SECONDS = 20.0
SECONDS = 60.0
MB = 1_000_000


def measure() -> list[Row]:
    """Two rows: percent of a core, and MB."""
    with stacks.embedded() as small:
        threading.Event().wait(SETTLE_SECONDS)
        before, began = _times(small), time.monotonic()
        threading.Event().wait(SECONDS)
        after, ended = _times(small), time.monotonic()
        if before.keys() - after.keys():
            raise RuntimeError("A process of the idle stack ended while it was watched.")
        memory = {key: process.memory_full_info().pss / MB for key, process in _named(small).items()}
    used = {key: (value - before.get(key, 0.0)) / (ended - began) * 100 for key, value in after.items()}
    return [
        Row("idle CPU, embedded stack", sum(used.values()), "%", 3.0, note=_parts(used, "%", 2)),
        Row(
            "idle memory, embedded stack (PSS)",
            sum(memory.values()),
            "MB",
            500.0,
            note=_parts(memory, "MB", 0),
        ),
    ]


def _named(small: stacks.Embedded) -> dict[str, psutil.Process]:
    """Its processes by what they are."""
    named = {}
    for process in small.family():
        words = process.cmdline()
        kinds = ("uvicorn", "executions@%h", "control@%h", "up")
        kind = next((kind for kind in kinds if kind in words), words[0] if words else "?")
        named[f"{kind.removesuffix('@%h')} {process.pid}"] = process
    return named


def _times(small: stacks.Embedded) -> dict[str, float]:
    """Processor seconds of each process and of the children it has outlived."""
    return {key: sum(process.cpu_times()[:4]) for key, process in _named(small).items()}


def _parts(values: dict[str, float], unit: str, digits: int) -> str:
    return ", ".join(f"{key.split()[0]} {value:.{digits}f} {unit}" for key, value in values.items())
