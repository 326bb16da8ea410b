"""Real receivers of notices on loopback: servers of HTTP and HTTPS that behave as told, and one of SMTP."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server on loopback. url: of a hook of it; received: what came; answers: by request, the last for all
    that follow: a status, or a function of the handler that answers itself."""

    url: str
    port: int
    received: list[Received] = field(default_factory=list)
    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=lambda: [200])
    ended: threading.Event = field(default_factory=threading.Event)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.received.append(Received(self.path, dict(self.headers.items()), body))
            at = min(len(receiver.received), len(receiver.answers)) - 1
            answer = receiver.answers[at]
            if callable(answer):
                with contextlib.suppress(OSError):
                    answer(self)
                return
            said = f"answer {answer}".encode()
            self.send_response(answer)
            self.send_header("content-length", str(len(said)))
            if 300 <= answer < 400:
                self.send_header("location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def listening(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver for as long as the block lasts; with `tls` one that speaks HTTPS."""
    receiver = Receiver("", 0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    receiver.url = f"http{'s' if tls else ''}://{host}:{receiver.port}/hook?key=word"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()


def resets(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection as a machine that crashed."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def never_ends(handler: BaseHTTPRequestHandler) -> None:
    """Answer 200 and send bytes for ever."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


def certified(folder: Path, *names: str) -> ssl.SSLContext:
    """A server's context with a certificate for names and addresses; `folder`/ca.pem is what to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    kinds: list[x509.GeneralName] = []
    for name in names:
        try:
            kinds.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            kinds.append(x509.DNSName(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(kinds), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


class _Mailbox:
    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        self.envelopes: list[object] = []
        self.farewell = "221 Bye"

    async def handle_QUIT(self, _server, _session, _envelope) -> str:
        """Take leave."""
        return self.farewell

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        """Refuse those who are nobody."""
        if address.startswith("nobody"):
            return "550 No such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        """Take it, or answer as told."""
        self.envelopes.append(envelope)
        return self.answers[min(len(self.envelopes), len(self.answers)) - 1]


@contextlib.contextmanager
def mailbox(settings, *answers: str) -> Iterator[_Mailbox]:
    """An SMTP server that the settings lead to; answers: to messages, the last to all that follow."""
    box = _Mailbox(list(answers) or ["250 Taken"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    try:
        yield box
    finally:
        controller.stop()
