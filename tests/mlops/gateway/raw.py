"""A client of bytes: what it sends and reads is exactly what goes over the wire."""

import socket


class Raw:
    """One connection to a web server."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.read = b""

    def send(self, *parts):
        """Send bytes."""
        for part in parts:
            self.socket.sendall(part)

    def head(self, method, path, headers, *, length=None):
        """Send the head of a request; without a length its body comes in chunks. length 0: it has none."""
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", framing]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, part):
        """Send a chunk of a body; an empty one ends it."""
        self.send(b"%x\r\n%b\r\n" % (len(part), part))

    def until(self, mark):
        """Read until the mark has come; all up to it. Raises ConnectionError when the server hangs up."""
        while mark not in self.read:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError(self.read[-500:])
            self.read += part
        found, _, self.read = self.read.partition(mark)
        return found + mark

    def rest(self):
        """Read until the server hangs up."""
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return self.read
            self.read += part

    def close(self):
        """Hang up."""
        self.socket.close()
