"""`python -m tests.bench [--write] [figure …]`: measures the figures; prints one table with the machine."""

from __future__ import annotations

import argparse
import os
import subprocess
import time

import httpx
import psycopg
from playwright.sync_api import Error as BrowserError

from tests.bench import (
    api,
    comparisons,
    deployments,
    execution,
    first_load,
    gateway,
    idle,
    keepalive,
    lists,
    live,
    log,
    machine,
    model_server,
    report,
    schedules,
    start,
    submit,
)
from tests.bench.rows import Row

FIGURES = {
    "start": start,
    "submit": submit,
    "log": log,
    "lists": lists,
    "comparisons": comparisons,
    "api": api,
    "gateway": gateway,
    "execution": execution,
    "first_load": first_load,
    "keepalive": keepalive,
    "live": live,
    "idle": idle,
    "model_server": model_server,
    "deployments": deployments,
    "schedules": schedules,
}
# What a figure fails with when something it measures is not there or does not answer.
TROUBLE = (
    AssertionError,
    RuntimeError,
    OSError,
    subprocess.SubprocessError,
    httpx.HTTPError,
    psycopg.Error,
    BrowserError,
)


def main() -> int:
    """Measure; 0 when everything asked for was measured, whether or not it reached its target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="figure", help=f"of {', '.join(FIGURES)}; default all")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    if unknown := set(asked.figures) - set(FIGURES):
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; choose of {', '.join(FIGURES)}")
    # Where it is set, each process compiles what it imports again; people's processes do not.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    facts = machine.describe()
    for name, fact in facts.items():
        print(f"{name + ':':<21}{fact}")
    rows: list[Row] = []
    unmeasured: dict[str, str] = {}
    names = [name for name in FIGURES if name in asked.figures or not asked.figures]
    for name in names:
        began = time.monotonic()
        print(f"\n{name} …", flush=True)
        try:
            found = FIGURES[name].measure()
        except TROUBLE as error:
            unmeasured[name] = (str(error).strip() or type(error).__name__)[:3000]
            print(f"  not measured: {unmeasured[name]}")
            continue
        rows += found
        print(report.table(found))
        print(f"  in {time.monotonic() - began:.0f} s", flush=True)
    facts["load average after"] = machine.load()
    print(f"\n{report.table(rows)}\n\nload average after: {facts['load average after']}")
    if asked.write:
        first = {name: reason.splitlines()[0] for name, reason in unmeasured.items()}
        report.write(rows, facts, {name: FIGURES[name].HOW for name in names}, first)
    return 1 if unmeasured else 0


if __name__ == "__main__":
    raise SystemExit(main())
