"""Last station before the user's command: takes on its limits and identity, then executes it.

Run by the keeper as a script (`enter.py ORDER_FD STATUS_FD STDERR_FD exec|init`), inside the sandbox where
there is one. `exec` becomes the command; `init` is process 1 of the sandbox: it starts the command, collects
orphans and tells the exact wait status, which bubblewrap itself would blur into an exit code. On STATUS_FD
come the lines `ready` (nothing is left to do but to execute), `failed <why>`, `started` and `exit <status>`.
"""

import ctypes
import errno
import marshal
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


class Order:
    """What the runner wants executed, and within which bounds."""

    def __init__(self, fd: int) -> None:
        order = marshal.loads(os.pread(fd, os.fstat(fd).st_size, 0))
        self.argv: list[str] = order["argv"]
        self.env: dict[str, str] = order["env"]
        self.cwd: str = order["cwd"]
        self.cpus: list[int] = order["cpus"]
        self.owner: tuple[int, int] | None = order["owner"]
        self.bounds: list[tuple[int, int | None]] = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, order["file_bytes"]),
            (resource.RLIMIT_NPROC, order["tasks"]),
        ]


def main() -> None:
    """Become the step's command, or stand as process 1 before it, as the fourth argument says."""
    order_fd, status_fd, stderr_fd = (int(word) for word in sys.argv[1:4])
    order = Order(order_fd)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            close_on_exec(int(name))
    if sys.argv[4] == "exec":
        become(order, status_fd, stderr_fd)
    else:
        init(order, status_fd, stderr_fd)


def close_on_exec(fd: int) -> None:
    """Keep a descriptor from the command; one that is closed already is fine."""
    try:
        os.set_inheritable(fd, False)
    except OSError as error:
        # The descriptor that listed the folder is closed by now.
        if error.errno != errno.EBADF:
            raise


def init(order: Order, status_fd: int, stderr_fd: int) -> None:
    """Start the command as a child, report its fate and stay until the last process is gone."""
    seen, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(seen)
        become(order, told, stderr_fd)
    os.close(told)
    news = b""
    while block := os.read(seen, 65536):
        news += block
    started = news == b"ready\n"
    os.write(status_fd, b"started\n" if started else news)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        if pid == child and started:
            os.write(status_fd, b"exit %d\n" % status)


def become(order: Order, status_fd: int, stderr_fd: int) -> None:
    """Turn this process into the user's command; on failure say why on status_fd and end."""
    try:
        confine(order)
    except OSError as error:
        fail(status_fd, f"The step could not be prepared: {error}.")
    try:
        os.chdir(order.cwd)
    except OSError as error:
        fail(status_fd, f"The working directory {order.cwd} cannot be used: {error.strerror}.")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stderr_fd, 2)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not None:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.write(status_fd, b"ready\n")
    try:
        execute(order.argv, order.env)
    except FileNotFoundError:
        why = "Neither it nor an interpreter it names was found."
        fail(status_fd, f"No such command: {order.argv[0]}. {why}")
    except OSError as error:
        fail(status_fd, f"The command {order.argv[0]} cannot be executed: {error.strerror}.")


def execute(argv: list[str], env: dict[str, str]) -> None:
    """Execute the command found through its own PATH.

    os.execvpe would import a module on the way, which this user may not be able to read any more.
    """
    if "/" in argv[0]:
        os.execve(argv[0], argv, env)
    problem: OSError = FileNotFoundError()
    for folder in env["PATH"].split(":"):
        try:
            os.execve(f"{folder or '.'}/{argv[0]}", argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            # The program may be found further on; a folder on PATH that is closed to us is no fault of it.
            problem = error if os.access(folder or ".", os.X_OK) else problem
    raise problem


def confine(order: Order) -> None:
    """Apply limits, then give up every privilege; the order matters, nothing can be raised afterwards."""
    with open("/proc/self/oom_score_adj", "w") as file:
        # When the whole machine runs out of memory, this is what has to go, not the worker.
        file.write("1000")
    os.umask(0o022)
    for limit, bound in order.bounds:
        if bound is not None:
            hard = resource.getrlimit(limit)[1]
            bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
            resource.setrlimit(limit, (bound, bound))
    if order.cpus:
        os.sched_setaffinity(0, order.cpus)
    if order.owner is not None:
        uid, gid = order.owner
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "new privileges could not be forbidden")
    # The change of user clears the parent-death signal, so it is asked for here and not earlier.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def fail(status_fd: int, why: str) -> None:
    """Report why the command could not be started, and exit."""
    os.write(status_fd, b"failed " + why.replace("\n", " ").encode(errors="replace")[:4000] + b"\n")
    os._exit(127)


main()
