"""A package index of one wheel on this machine, which can keep installers waiting or know nothing."""

from __future__ import annotations

import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, VERSION = "launchpad_probe", "1.0"
_FILE = f"{NAME}-{VERSION}-py3-none-any.whl"


def _wheel() -> bytes:
    """A package whose only module says WORD."""
    packed = io.BytesIO()
    about = f"{NAME}-{VERSION}.dist-info"
    files = {
        f"{NAME}.py": "WORD = 'installed'\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(path, text)
    return packed.getvalue()


class PackageIndex:
    """Serves on a port of its own until closed. `open` lets waiting requests through."""

    def __init__(self, *, waits: bool = False, empty: bool = False) -> None:
        self._gate = threading.Event()
        if not waits:
            self._gate.set()
        gate, pages = self._gate, {}
        if not empty:
            pages = {
                "/simple/launchpad-probe/": (b"text/html", f'<a href="/{_FILE}">{_FILE}</a>'.encode()),
                f"/{_FILE}": (b"application/octet-stream", _wheel()),
            }

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                gate.wait(60)
                kind, body = pages.get(self.path, (b"text/plain", b""))
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", kind.decode())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    # The installer was killed, which is what some tests are about.
                    return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def open(self) -> None:
        """Answer everything from now on, what has waited first."""
        self._gate.set()

    def close(self) -> None:
        """Serve no more."""
        self.open()
        self._server.shutdown()
        self._server.server_close()
