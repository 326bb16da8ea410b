"""Which packages a step can import, read from the names of their folders: no interpreter is started."""

import functools
import platform
import sys
from pathlib import Path

from mlops.engine.interpreters import OWN

_SUFFIX = ".dist-info"


@functools.lru_cache(maxsize=256)
def installed(python_env: Path | None) -> tuple[tuple[str, str], ...]:
    """Name and version of each package, by name; of our own interpreter where there is no environment.

    A finished environment never changes, so that each is read once in a process.
    """
    home = python_env or OWN.parent.parent
    found = {
        folder.name.removesuffix(_SUFFIX).rpartition("-")[::2]
        for folder in home.glob(f"lib/python3*/site-packages/*{_SUFFIX}")
    }
    return tuple(sorted(found, key=lambda pair: (pair[0].lower(), pair[1])))


@functools.lru_cache(maxsize=256)
def interpreter(python_env: Path | None) -> str:
    """The Python that a step finds first, such as `CPython 3.11.7`."""
    version = platform.python_version()
    if python_env is not None:
        lines = (python_env / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        told = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
        version = told.get("version_info") or told.get("version") or version
    return f"{platform.python_implementation()} {version}"


def system() -> str:
    """Kernel, machine and C library of this host."""
    return f"{platform.platform()}, {sys.platform}"
