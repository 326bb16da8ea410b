"""The sandbox of a step: an empty root made by bubblewrap, holding only what the step needs."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

from mlops.engine import places
from mlops.engine.interpreters import OWN, interpreters, search_path
from mlops.engine.launch import Launch
from mlops.engine.spec import RunSpec

ENTER = Path(__file__).with_name("enter.py")
ENTER_INSIDE = "/.launchpad/enter.py"
_SHARED_MEMORY_BYTES = 1024**3
_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "fonts", "gai.conf",
    "group", "host.conf", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime",
    "mime.types", "nsswitch.conf", "os-release", "passwd", "pki", "protocols", "resolv.conf", "services",
    "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip


def launch(spec: RunSpec, script: Path | None) -> Launch:
    """The command and the bubblewrap words that give it its own root, processes and shared memory.

    The network stays: steps report metrics and fetch what they need. Raises ValueError for a declared path
    that collides with something the step cannot do without.
    """
    home = spec.folder / "home"
    env = {
        "PATH": search_path(spec),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        **{name: value for name, value in spec.env.items() if name != "PATH"},
        "LAUNCHPAD_STEP": spec.id,
    }
    start = spec.source or home
    return Launch(
        prefix=[*_base(spec.limits.memory_bytes), *_binds(spec, script), "--remount-ro", "/", "--"],
        argv=[*spec.argv] if script is None else [*spec.argv, str(script)],
        env=env,
        cwd=str(start / spec.working_dir) if spec.working_dir else str(start),
    )


def _base(memory_bytes: int | None) -> list[str]:
    """Namespaces, privileges and the system's own folders."""
    words = [_bubblewrap(), "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    words += ["--as-pid-1"]
    if os.geteuid() == 0:
        # Root needs no user namespace, and is better off without: the command then becomes another user for
        # real, not root in disguise. Of root's privileges only this change is left.
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user"]
    words += ["--ro-bind", "/usr", "/usr"]
    for name in _FOLDERS:
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    words += _folders(Path("/etc/ssl/certs"))
    for name in _ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    shared = min(memory_bytes or _SHARED_MEMORY_BYTES, _SHARED_MEMORY_BYTES)
    words += ["--proc", "/proc", "--dev", "/dev"]
    # bubblewrap's own /dev/shm belongs to root, and multiprocessing needs to write there.
    words += ["--perms", "1777", "--size", str(shared), "--tmpfs", "/dev/shm"]
    return words


def _binds(spec: RunSpec, script: Path | None) -> list[str]:
    """The interpreter, the environment, the step's own folders and the declared paths, parents first."""
    bases = [path for path in interpreters(spec.python_env) if not places.within(path, Path("/usr"))]
    tmp = spec.folder / "tmp"
    own = {spec.folder / "home": spec.folder / "home", tmp: tmp, Path("/tmp"): tmp}
    fixed = [*bases, *(path for path in (spec.python_env, spec.source, script) if path is not None)]
    parts = {path: _bind(real, path, read_only=False) for path, real in own.items()}
    parts |= {path: _bind(path, path, read_only=True) for path in fixed}
    parts[Path(ENTER_INSIDE)] = _bind(ENTER, Path(ENTER_INSIDE), read_only=True)
    taken = tuple(parts)
    for mount in spec.mounts:
        path = Path(places.normal(mount.path))
        if needed := next((item for item in taken if places.within(item, path)), None):
            raise ValueError(f"The path {path} cannot be provided: the step needs {needed} for itself.")
        parts[path] = _bind(mount.real, path, read_only=mount.read_only)
    for hidden in (path.resolve() for path in spec.hidden):
        if any(places.within(hidden, path.resolve()) for path in (Path("/usr"), *bases)):
            parts[hidden] = ["--perms", "0755", "--tmpfs", str(hidden)]
    return [word for path in sorted(parts, key=lambda path: len(path.parts)) for word in parts[path]]


def _bind(real: Path, path: Path, *, read_only: bool) -> list[str]:
    return [*_folders(path.parent), "--ro-bind" if read_only else "--bind", str(real), str(path)]


def _folders(path: Path) -> list[str]:
    """Make the folders down to path, passable: left to itself bubblewrap closes them to other users."""
    words: list[str] = []
    for folder in (*reversed(path.parents), path):
        if str(folder) != "/":
            words += ["--perms", "0755", "--dir", str(folder)]
    return words


def _bubblewrap() -> str:
    return shutil.which("bwrap") or "/usr/bin/bwrap"


@functools.cache
def refusal(owner: tuple[int, int] | None) -> str:
    """Why the sandbox cannot be used here, or "" when a trial of all its parts went well.

    owner: the (uid, gid) that steps take on, None when this process is not root. Asked once a process.
    """
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    become = "" if owner is None else f"os.setgroups([]); os.setresgid({owner[1]}, {owner[1]}, {owner[1]}); "
    become += "" if owner is None else f"os.setresuid({owner[0]}, {owner[0]}, {owner[0]}); "
    trial = f"import os; {become}assert os.getpid() == 1; os.execv('/usr/bin/env', ['env', 'true'])"
    bases = [path for path in interpreters(None) if not places.within(path, Path("/usr"))]
    binds = [word for path in bases for word in _bind(path, path, read_only=True)]
    command = [*_base(None), *binds, "--remount-ro", "/", "--", str(OWN), "-I", "-S", "-c", trial]
    try:
        done = subprocess.run(
            command, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run ({error})"
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()
    return f"bubblewrap cannot be used ({said[-1] if said else f'exit code {done.returncode}'})"
