"""A real git server on loopback: git's own http-backend behind Basic auth, and sshd with one key."""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.waiting import until

USERNAME, PASSWORD = "ada", "s3cret-of-ada"
_CLEAN = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
    },
}


def git(*arguments: str, at: Path, **more: str) -> str:
    """Run git as a person would; its output."""
    done = subprocess.run(
        ["git", *arguments], cwd=at, env=_CLEAN | more, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Project:
    """A repository that someone pushes to: a bare one, which is served, and a work tree."""

    def __init__(self, home: Path, name: str = "templates") -> None:
        self.name = f"{name}.git"
        self.bare = home / self.name
        self.work = home / f"{name}-work"
        self.bare.mkdir(parents=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", at=self.bare)
        self.work.mkdir()
        git("init", "--quiet", "--initial-branch=main", at=self.work)

    def push(self, files: dict[str, str | None], *, branch: str = "main", tag: str = "") -> str:
        """Write the files (None removes one), commit and push; the commit."""
        for name, text in files.items():
            path = self.work / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.commit(branch=branch, tag=tag)

    def commit(self, *, branch: str = "main", tag: str = "") -> str:
        """Commit what lies in the work tree and push it; the commit."""
        git("add", "--all", at=self.work)
        git("commit", "--quiet", "--allow-empty", "-m", "A change", at=self.work)
        if tag:
            git("tag", "-a", tag, "-m", "A release", at=self.work)
        git("push", "--quiet", "--force", "--tags", str(self.bare), f"HEAD:refs/heads/{branch}", at=self.work)
        return git("rev-parse", "HEAD", at=self.work)


class GitServer:
    """Serves the bare repositories below a folder until closed, on a port of its own.

    requests: (path, whether credentials came along) of each. hang: keeps whoever asks waiting.
    """

    def __init__(self, home: Path, *, public: bool = False) -> None:
        self.home = home
        self.requests: list[tuple[str, bool]] = []
        self.redirect_to = ""
        self.hang = False
        self.username, self.password = USERNAME, PASSWORD
        self._public = public
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self)

            do_POST = do_GET

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    # git was ended, which is what some tests are about.
                    return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = self._server.server_address[1]

    def url(self, project: Project | str) -> str:
        """The address of a repository."""
        return f"http://127.0.0.1:{self.port}/{getattr(project, 'name', project)}"

    def close(self) -> None:
        """Serve no more; who waits is let go."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, call: BaseHTTPRequestHandler) -> None:
        given = call.headers.get("Authorization", "")
        parts = urlsplit(call.path)
        self.requests.append((parts.path, bool(given)))
        body = self._body(call)
        if self.hang:
            self._released.wait(60)
            call.close_connection = True
            return
        if self.redirect_to:
            self._refuse(call, 302, {"Location": self.redirect_to + call.path})
            return
        wanted = "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if not self._public and given != wanted:
            self._refuse(call, 401, {"WWW-Authenticate": 'Basic realm="git"'})
            return
        env = _CLEAN | {
            "GIT_PROJECT_ROOT": str(self.home),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": call.command,
            "CONTENT_TYPE": call.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": call.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": call.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        call.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(content)

    def _body(self, call: BaseHTTPRequestHandler) -> bytes:
        if call.headers.get("Transfer-Encoding", "") != "chunked":
            return call.rfile.read(int(call.headers.get("Content-Length", 0)))
        body = b""
        while size := int(call.rfile.readline().split(b";")[0], 16):
            body += call.rfile.read(size)
            call.rfile.readline()
        call.rfile.readline()
        return body

    def _refuse(self, call: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        call.send_response(status)
        for name, value in (headers | {"Content-Length": "0"}).items():
            call.send_header(name, value)
        call.end_headers()


class SshServer:
    """sshd on a port of its own, for the user who runs the tests; `key` is the private key it lets in."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.mkdir(mode=0o700)
        for name in ("host", "client"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True
            )
        shutil.copy(home / "client.pub", home / "authorized")
        self.key = (home / "client").read_text()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._start()

    def _start(self) -> None:
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        if os.getuid() == 0:
            # Debian makes it when its service starts; as root sshd will not run without.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        options = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": str(self._home / "host"),
            "AuthorizedKeysFile": str(self._home / "authorized"),
            "PidFile": "none",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            # Test folders lie below /tmp, which all may write to.
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        with (self._home / "log").open("wb") as log:
            self._process = subprocess.Popen([sshd, "-D", "-e", "-f", "/dev/null", *words], stderr=log)
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._home / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, project: Project) -> str:
        """The address of a repository."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{project.bare}"

    def change_host_key(self) -> None:
        """Come back as another host."""
        self.close()
        for name in ("host", "host.pub"):
            (self._home / name).unlink()
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._home / "host")], check=True
        )
        self._start()

    def close(self) -> None:
        """Serve no more."""
        self._process.terminate()
        self._process.wait()
