"""The machine a measurement was made on, and how busy it was before."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _line(path: str, name: str) -> str:
    """The value of the first line that begins with a name, in the manner of /proc."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def _says(program: str | Path | None, *arguments: str) -> str:
    """The first line a program prints; "none" where there is no such program."""
    if program is None:
        return "none"
    said = subprocess.run([program, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    return (said.stdout.strip().splitlines() or ["unknown"])[0]


def load() -> str:
    """How many processes wanted a core lately."""
    return ", ".join(f"{value:.2f}" for value in os.getloadavg()) + " (1, 5, 15 min)"


def describe() -> dict[str, str]:
    """Facts by name, in the order they are printed; call it before the measurements."""
    memory_kib = int(_line("/proc/meminfo", "MemTotal").split()[0])
    postgres = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
    version = _says("git", "rev-parse", "--short", "HEAD")
    changed = _says("git", "status", "--porcelain", "--untracked-files=no") not in ("", "unknown")
    return {
        "load average before": load(),
        "CPU": f"{_line('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory_kib / 1024**2:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": _says(postgres, "--version").removeprefix("postgres (PostgreSQL) "),
        "Redis": _says(shutil.which("redis-server"), "--version").removeprefix("Redis server v=").split()[0],
        "browser": _says(shutil.which("chromium") or shutil.which("google-chrome"), "--version"),
        "version": version + (" with uncommitted changes" if changed else ""),
    }
