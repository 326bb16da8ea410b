"""Where the Python of a step lives on this host, and the PATH that leads to it."""

import os
import sys
from pathlib import Path

from mlops.engine.spec import RunSpec

# The one interpreter that also runs the keeper: it is a file of its own, outside any virtual environment.
OWN = Path(os.path.realpath(sys.executable))
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def interpreters(python_env: Path | None) -> list[Path]:
    """Folders of the interpreters a sandbox holds: our own, and those the virtual environment points to."""
    found = [Path(sys.base_prefix), OWN.parent.parent]
    return list(dict.fromkeys(found + (bases(python_env) if python_env else [])))


def bases(python_env: Path) -> list[Path]:
    """Folders of the interpreter that a virtual environment points to, by its link and by its word."""
    found = [Path(os.path.realpath(python_env / "bin" / "python")).parent.parent]
    for line in (python_env / "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            found.append(Path(value.strip()).parent)
    return found


def search_path(spec: RunSpec) -> str:
    """PATH of the step: its virtual environment, then what it asks for or our interpreter and the system."""
    rest = spec.env.get("PATH") or f"{Path(sys.base_prefix) / 'bin'}:{_SYSTEM_PATH}"
    return f"{spec.python_env / 'bin'}:{rest}" if spec.python_env else rest
