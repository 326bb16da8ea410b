"""One running step as the worker sees it: its keeper, its pipes, and the one thread that reads them."""

import ast
import json
import marshal
import os
import selectors
import subprocess
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.engine import orphans, verdict
from mlops.engine.interpreters import OWN
from mlops.engine.output import LineSplitter
from mlops.engine.spec import LogLine, Mode, Observation, RunSpec, Stream

KEEPER = Path(__file__).with_name("keeper.py")
RESULT_BYTES = 256 * 1024
BUFFER_BYTES = 32 * 1024 * 1024
_LINE_COST = 120  # bytes a line costs beside its text
_BLOCK = 64 * 1024
_PARTIAL_SECONDS = 0.4
_CLOSE_SECONDS = 30.0


class Step:
    """A started step. Its methods may be called from any thread.

    mode: how it is confined; notices: sentences about that, for the page of the execution.
    """

    def __init__(self, spec: RunSpec, order: dict[str, Any], mode: Mode, notices: list[str]) -> None:
        self.spec, self.mode, self.notices = spec, mode, notices
        self._changed = threading.Condition()
        self._news = False
        self._lines: deque[LogLine] = deque()
        self._buffered = 0
        self._started_at: datetime | None = None
        self._final: Observation | None = None
        self._facts: dict[str, Any] | None = None
        self._reports = b""
        self._result = bytearray()
        self._open: list[int] = []
        try:
            self._launch(order)
        except BaseException:
            for fd in self._open:
                os.close(fd)
            raise
        self._reader = threading.Thread(target=self._read, name=f"step-{spec.id}", daemon=True)
        self._reader.start()

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def _launch(self, order: dict[str, Any]) -> None:
        """Start the keeper; every descriptor is closed on exec, so no other child can keep a pipe open."""
        order_fd = os.memfd_create("launchpad-step")
        self._open.append(order_fd)
        # By way of JSON, since marshal knows plain types only; the keeper reads it faster than JSON.
        os.write(order_fd, marshal.dumps(json.loads(json.dumps(order))))
        control, self._control = self._pipe()
        stdout, stdout_in = self._pipe()
        stderr, stderr_in = self._pipe()
        if order["owner"] is not None:
            # A command that writes to /dev/stderr opens its pipe anew, which only the pipe's owner may.
            for fd in (stdout_in, stderr_in):
                os.fchown(fd, *order["owner"])
        report, report_in = self._pipe()
        self._keeper = subprocess.Popen(
            [OWN, "-I", "-S", KEEPER, str(order_fd), str(report_in)],
            env={},
            cwd="/",
            stdin=control,
            stdout=stdout_in,
            stderr=stderr_in,
            pass_fds=(order_fd, report_in),
            start_new_session=True,
        )
        for fd in (order_fd, control, stdout_in, stderr_in, report_in):
            os.close(fd)
            self._open.remove(fd)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._open.append(self._wake)
        self._report = report
        self._streams: dict[int, tuple[Stream, LineSplitter]] = {
            stdout: ("stdout", LineSplitter()),
            stderr: ("stderr", LineSplitter()),
        }
        for fd in (report, stdout, stderr, self._control):
            os.set_blocking(fd, False)

    @property
    def keeper_pid(self) -> int:
        """Process id of the keeper, which is also the session of the step."""
        return self._keeper.pid

    def poll(self) -> Observation:
        """What is known now."""
        with self._changed:
            return self._final or Observation(
                running=True, started=self._started_at is not None, started_at=self._started_at, pids_left=1
            )

    def wait(self, seconds: float) -> Observation:
        """Wait for something new since the last call: a report, or output to fetch."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._final is not None, seconds)
            self._news = False
        return self.poll()

    def result(self) -> str:
        """The end of standard output; all of it is there once the end of the step has been seen."""
        text = bytes(self._result[-RESULT_BYTES:]).decode(errors="replace").replace("\0", "\ufffd")
        return text.removesuffix("\n")

    def logs(self, limit_bytes: int) -> list[LogLine]:
        """Take lines up to about limit_bytes of text, at least one where there is any."""
        taken: list[LogLine] = []
        with self._changed:
            while self._lines and limit_bytes > 0:
                line = self._lines.popleft()
                taken.append(line)
                limit_bytes -= len(line.text) + 1
                self._buffered -= len(line.text) + _LINE_COST
            self._news = self._news or bool(self._lines)
            if taken and self._wake in self._open:
                os.eventfd_write(self._wake, 1)
        return taken

    def stop(self) -> None:
        """Tell the keeper to end the step; without effect when it has ended."""
        with self._changed:
            if self._control in self._open:
                try:
                    os.write(self._control, b"stop\n")
                except (BrokenPipeError, BlockingIOError):
                    # Gone already, or told many times: in both cases it ends.
                    return

    def close(self) -> None:
        """End the step if it runs, which is waited for, and give everything back."""
        with self._changed:
            # To the keeper the end of this pipe is the death of its worker.
            self._shut(self._control)
        self._reader.join(_CLOSE_SECONDS)

    def _shut(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            os.close(fd)

    def _read(self) -> None:
        try:
            self._listen()
        finally:
            # Also when reading fails, for want of descriptors say: a step without an end is worse.
            with self._changed:
                self._shut(self._control)
            self._finish()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for fd in (self._report, self._wake, *self._streams):
                selector.register(fd, selectors.EVENT_READ)
            partial_since: dict[int, float] = {}
            while self._report in selector.get_map():
                self._hold_back(selector)
                timeout = _PARTIAL_SECONDS / 4 if partial_since else None
                for key, _ in selector.select(timeout):
                    if key.fd == self._wake:
                        os.eventfd_read(self._wake)
                    elif key.fd == self._report:
                        self._hear(selector)
                    else:
                        if b"\n" in self._take(key.fd, selector):
                            # What waits for its end now is another line than before.
                            partial_since.pop(key.fd, None)
                self._flush_partial(partial_since)

    def _hold_back(self, selector: selectors.BaseSelector) -> None:
        """Stop reading while too much waits to be fetched: the command then waits in its own print."""
        full = self._buffered >= BUFFER_BYTES
        for fd in self._streams:
            if full and fd in selector.get_map():
                selector.unregister(fd)
            elif not full and fd in self._open and fd not in selector.get_map():
                selector.register(fd, selectors.EVENT_READ)

    def _take(self, fd: int, selector: selectors.BaseSelector) -> bytes:
        data = os.read(fd, _BLOCK)
        name, splitter = self._streams[fd]
        self._keep(name, data)
        self._put(name, splitter.feed(data, final=not data))
        if not data:
            selector.unregister(fd)
            with self._changed:
                self._shut(fd)
        return data

    def _flush_partial(self, since: dict[int, float]) -> None:
        now = time.monotonic()
        for fd, (name, splitter) in self._streams.items():
            if not splitter.partial:
                since.pop(fd, None)
            elif now - since.setdefault(fd, now) >= _PARTIAL_SECONDS:
                self._put(name, splitter.flush())
                since.pop(fd)

    def _keep(self, name: Stream, data: bytes) -> None:
        """The end of standard output, for whoever wants it whole; trimmed now and then, not at each block."""
        if name == "stdout":
            self._result += data
            if len(self._result) > 2 * RESULT_BYTES:
                del self._result[:-RESULT_BYTES]

    def _put(self, name: Stream, texts: list[str]) -> None:
        if texts:
            at = datetime.now(UTC)
            with self._changed:
                self._lines.extend(LogLine(at, name, text) for text in texts)
                self._buffered += sum(len(text) + _LINE_COST for text in texts)
                self._tell()

    def _tell(self) -> None:
        self._news = True
        self._changed.notify_all()

    def _hear(self, selector: selectors.BaseSelector) -> None:
        data = os.read(self._report, _BLOCK)
        if not data:
            selector.unregister(self._report)
            return
        *reports, self._reports = (self._reports + data).split(b"\n")
        for report in reports:
            facts = ast.literal_eval(report.decode())
            if "ended" in facts:
                self._facts = facts
            else:
                with self._changed:
                    self._started_at = datetime.fromtimestamp(facts["started"], UTC)
                    self._tell()

    def _finish(self) -> None:
        """The keeper is gone: prove the end of the tree, fetch the last output, then tell the end."""
        self._keeper.wait()
        left = 0
        if self._facts is None:
            left = orphans.end(self.spec.id, self._keeper.pid)
        for fd, (name, splitter) in self._streams.items():
            if fd in self._open:
                rest = _rest(fd)
                self._keep(name, rest)
                self._put(name, splitter.feed(rest, final=True))
        with self._changed:
            if self._facts is None:
                self._final = verdict.lost(self.spec, self._started_at, left)
            else:
                self._final = verdict.ended(self.spec, self._started_at, self._facts)
            for fd in tuple(self._open):
                self._shut(fd)
            self._tell()


def _rest(fd: int) -> bytes:
    """What a pipe still holds. Its writers are gone, so a descriptor somebody else kept is not waited for."""
    data = b""
    while True:
        try:
            block = os.read(fd, _BLOCK)
        except BlockingIOError:
            return data
        if not block:
            return data
        data += block
