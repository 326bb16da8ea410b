"""The resource plans a template may name."""

from __future__ import annotations

from typing import NamedTuple


class ResourcePlan(NamedTuple):
    """cpu: cores; memory_gb: GiB; gpu: how many and which, "" for none."""

    cpu: int
    memory_gb: int
    gpu: str = ""


DEFAULT_PLAN = "starter"

PLANS: dict[str, ResourcePlan] = {
    "starter": ResourcePlan(1, 3),
    "basic": ResourcePlan(3, 11),
    "basic.8x": ResourcePlan(31, 116),
    "train.l": ResourcePlan(7, 55, "1 V100"),
    "infer.s": ResourcePlan(3, 10, "1 T4"),
    "infer.m": ResourcePlan(7, 26, "1 T4"),
    "infer.l": ResourcePlan(15, 58, "1 T4"),
}
