"""Guards the process tree of one step: starts it, watches its limits, ends all of it and proves the end.

Run by the local runner as a script (`keeper.py ORDER_FD REPORT_FD`) with nothing but the standard library, so
that it starts in milliseconds and has nothing to leak. Its standard input is a pipe held by the worker: the
line `stop` asks for an end, end of file means that the worker is gone. On REPORT_FD it writes one Python
literal a line: {"started": …}, and {"ended": …} when no process of the tree is left.
"""

import ctypes
import marshal
import os
import select
import signal
import sys
import time

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
TICK_SECONDS, KILL_SECONDS, ORPHAN_GRACE_SECONDS, EXACT_SECONDS = 0.25, 0.02, 1.0, 1.0
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One row of /proc: its parent, whether it still lives, its resident bytes."""

    __slots__ = ("alive", "parent", "pid", "resident")

    def __init__(self, pid: int) -> None:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold anything, parentheses too.
            fields = file.read().rpartition(b")")[2].split()
        self.pid, self.parent = pid, int(fields[1])
        self.alive, self.resident = fields[0] not in (b"Z", b"X"), int(fields[21]) * PAGE


def descendants() -> list[Process]:
    """Every living process below this one; complete, because orphans come to the subreaper."""
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                process = Process(int(name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                # Ended meanwhile, or of another user on a host that hides those.
                continue
            children.setdefault(process.parent, []).append(process)
    found, below = [], children.get(os.getpid(), [])
    while below:
        process = below.pop()
        found.append(process)
        below += children.get(process.pid, [])
    return [process for process in found if process.alive]


def exact_bytes(process: Process) -> int:
    """Proportional memory: pages that forked children share count once, not once for each child."""
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        return process.resident
    return 0


def send(processes: list[Process], number: int) -> None:
    """Signal each process; one that is gone, or that became someone else's, is passed over."""
    for process in processes:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue
        except PermissionError:
            # A set-uid program that has not been refused; the next round tries again.
            continue


class Keeper:
    """Guards one step: starts it, watches memory and deadline, and ends with proof that nothing is left."""

    def __init__(self, order_fd: int, report_fd: int) -> None:
        order = marshal.loads(os.pread(order_fd, os.fstat(order_fd).st_size, 0))
        self.enter: list[str] = order["enter"]
        self.sandboxed: bool = order["sandboxed"]
        self.grace: float = order["grace"]
        self.memory: int | None = order["memory"]
        self.time_limit: float | None = order["deadline"]
        self.order_fd, self.report_fd = order_fd, report_fd
        self.worker = os.getppid()
        self.ready = self.started = self.killed = False
        self.cause = self.failure = ""
        self.status: int | None = None
        self.setup = self.partial = b""
        self.peak = self.leftovers = 0
        self.kill_at: float | None = None
        self.deadline: float | None = None
        self.exact_at = 0.0

    def spawn(self) -> None:
        """Start the command through `enter.py`; its own messages and bubblewrap's come on a pipe apart."""
        self.status_fd, status = os.pipe()
        self.setup_fd, setup = os.pipe()
        self.main = os.fork()
        if self.main == 0:
            stderr = os.dup(2)
            for fd in (self.order_fd, status, stderr):
                os.set_inheritable(fd, True)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(setup, 2)
            role = "init" if self.sandboxed else "exec"
            command = [*self.enter, str(self.order_fd), str(status), str(stderr), role]
            try:
                os.execve(command[0], command, {})
            except OSError as error:
                os.write(status, f"failed {command[0]} cannot be executed: {error.strerror}.\n".encode())
                os._exit(127)
        os.close(status)
        os.close(setup)

    def members(self) -> list[Process]:
        """The user's processes: without bubblewrap and the first process of the sandbox."""
        found = descendants()
        if not self.sandboxed:
            return found
        return [process for process in found if process.pid != self.main and process.parent != self.main]

    def report(self, **facts: object) -> None:
        try:
            os.write(self.report_fd, (repr(facts) + "\n").encode())
        except BrokenPipeError:
            # Nobody is left to hear it; ending the tree is what matters.
            self.lose()

    def end(self, cause: str, grace: float) -> None:
        """Ask the tree to end; the first cause stays, the shorter grace counts."""
        at = time.monotonic() + grace
        if self.kill_at is None:
            self.kill_at = at
            self.ask()
        self.kill_at = min(self.kill_at, at)
        self.cause = self.cause or cause

    def ask(self) -> None:
        members = self.members()
        send(members, signal.SIGTERM)
        # A process that is halted hears nothing.
        send(members, signal.SIGCONT)

    def lose(self) -> None:
        self.end("worker_lost", min(self.grace, ORPHAN_GRACE_SECONDS))

    def listen(self) -> None:
        order = os.read(0, 4096)
        if b"stop" in order and self.status is None:
            self.end("stopped", self.grace)
        elif not order:
            self.poll.unregister(0)
            self.lose()

    def learn(self) -> None:
        """Read the status pipe; its end after `ready`, without `failed`, means that the command runs."""
        block = os.read(self.status_fd, 65536)
        lines = (self.partial + block).split(b"\n")
        self.partial = lines.pop()
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"failed":
                self.failure = rest.decode(errors="replace")
            elif word == b"ready":
                self.ready = True
            elif word == b"started":
                self.begin()
            elif word == b"exit":
                self.finish(int(rest))
        if not block:
            self.poll.unregister(self.status_fd)
            if self.ready and not self.failure:
                self.begin()

    def begin(self) -> None:
        self.started = True
        if self.time_limit is not None:
            self.deadline = time.monotonic() + self.time_limit
        self.report(started=time.time())
        if self.kill_at is not None:
            # The request came before there was anybody to hear it.
            self.ask()

    def finish(self, status: int) -> None:
        """The command itself has ended: whatever it left behind has to go as well."""
        self.status = status
        left = self.members()
        if left and self.kill_at is None:
            self.leftovers = len(left)
            self.end("", self.grace)

    def reap(self) -> bool:
        """Collect ended children; True when none is left, which proves that the tree is gone."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.main and not self.sandboxed:
                while any(fd == self.status_fd for fd, _ in self.poll.poll(0)):
                    self.learn()
                self.finish(status)

    def watch(self) -> float:
        """Hold the limits; return the seconds until the next look."""
        now = time.monotonic()
        if os.getppid() != self.worker:
            # Second line, for a pipe that a fork of the worker still holds open. The parent-death signal
            # would not do: it comes when the *thread* that started the keeper ends.
            self.lose()
        if self.deadline is not None and now >= self.deadline and self.status is None:
            self.deadline = None
            self.end("deadline", self.grace)
        pause = TICK_SECONDS
        if self.memory is not None and self.kill_at is None:
            pause = self.weigh(now, self.memory)
        if self.kill_at is not None:
            if now >= self.kill_at:
                self.kill()
                return KILL_SECONDS
            pause = min(pause, self.kill_at - now)
        if self.deadline is not None:
            pause = min(pause, self.deadline - now)
        return max(pause, 0.001)

    def weigh(self, now: float, limit: int) -> float:
        members = self.members()
        used = sum(process.resident for process in members)
        pause = TICK_SECONDS if used < limit / 2 else TICK_SECONDS / 4
        if used > limit:
            # Resident bytes count shared pages once for each process; the exact figure costs milliseconds a
            # gigabyte, so it is taken only when it matters, and then once a second.
            if now < self.exact_at:
                return pause
            used = sum(exact_bytes(process) for process in members)
            self.exact_at = now + EXACT_SECONDS
            if used > limit:
                self.cause, self.kill_at = "memory", now
        self.peak = max(self.peak, used)
        return pause

    def kill(self) -> None:
        """KILL everything; first freeze, so that nothing forks away between the look and the blow."""
        self.killed = True
        frozen: set[int] = set()
        for _ in range(50):
            found = [process for process in self.members() if process.pid not in frozen]
            if not found:
                break
            send(found, signal.SIGSTOP)
            frozen.update(process.pid for process in found)
        send(descendants(), signal.SIGKILL)

    def run(self) -> None:
        self.poll = select.poll()
        wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for fd in (0, self.status_fd, self.setup_fd, wake):
            self.poll.register(fd, select.POLLIN)
        pause = 0.0
        while not self.reap():
            pause = self.watch()
            for fd, _ in self.poll.poll(pause * 1000):
                if fd == 0:
                    self.listen()
                elif fd == self.status_fd:
                    self.learn()
                elif fd == self.setup_fd:
                    self.hear()
                else:
                    os.read(wake, 4096)
        while any(fd == self.status_fd for fd, _ in self.poll.poll(0)):
            self.learn()
        while any(fd == self.setup_fd for fd, _ in self.poll.poll(0)):
            self.hear()
        self.report(
            ended=time.time(), started=self.started, status=self.status, cause=self.cause, peak=self.peak,
            killed=self.killed, leftovers=self.leftovers, failure=self.failure,
            setup=self.setup.decode(errors="replace"),
        )  # fmt: skip

    def hear(self) -> None:
        block = os.read(self.setup_fd, 65536)
        self.setup = (self.setup + block)[-4000:]
        if not block:
            self.poll.unregister(self.setup_fd)


def main() -> None:
    """Run one keeper on the descriptors its worker passed."""
    order_fd, report_fd = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(order_fd, False)
    os.set_inheritable(report_fd, False)
    # The worker decides when a step ends; a signal to the whole group or terminal must not.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this system cannot adopt orphaned processes")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    keeper = Keeper(order_fd, report_fd)
    keeper.spawn()
    keeper.run()


main()
