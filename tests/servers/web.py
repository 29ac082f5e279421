"""A web server on loopback that answers as each route says, byte for byte: honest pages and hostile ones.

with WebServer({"/page": page("<p>hi</p>")}) as web:
    web.url("/page"); web.host; web.requests
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(frozen=True)
class Asked:
    """A request as it came in. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


Route = Callable[[socket.socket, Asked], None]


@dataclass
class WebServer:
    """Serves `routes` (path → Route) in threads; a path without a route is a 404. `tls`: a server context for https."""

    routes: dict[str, Route]
    tls: ssl.SSLContext | None = None
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> WebServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._open = False
        self._listener.close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}{path}"

    def _accept(self) -> None:
        while self._open:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            asked = _read(connection)
            if asked is not None:
                self.requests.append(asked)
                self.routes.get(asked.path, answer(b"not here", status=404))(connection, asked)
            connection.close()


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    path, _, query = target.partition("?")
    return Asked(method, path, query, headers, body)


def answer(body: bytes = b"", *, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
    """An honest answer."""

    def route(connection: socket.socket, asked: Asked) -> None:
        shown = {"Content-Length": str(len(body)), "Content-Type": "text/plain; charset=utf-8", **(headers or {})}
        lines = "".join(f"{k}: {v}\r\n" for k, v in shown.items())
        sent = b"" if asked.method == "HEAD" else body
        connection.sendall(f"HTTP/1.1 {status} X\r\n{lines}Connection: close\r\n\r\n".encode("latin-1") + sent)

    return route


def page(html: str, *, charset: str = "utf-8") -> Route:
    """A web page."""
    return answer(html.encode(charset), headers={"Content-Type": f"text/html; charset={charset}"})


def redirect(target: str, status: int = 302) -> Route:
    return answer(status=status, headers={"Location": target})


def one_after_the_other(*routes: Route) -> Route:
    """The first request gets the first answer, and so on; the last one stays."""
    left = list(routes)
    lock = threading.Lock()

    def route(connection: socket.socket, asked: Asked) -> None:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        now(connection, asked)

    return route


def raw(data: bytes) -> Route:
    """These bytes and the end of the connection, whatever HTTP says about them."""
    return lambda connection, asked: connection.sendall(data)


def drip(seconds: float = 60.0) -> Route:
    """A body that arrives one byte every tenth of a second."""

    def route(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            connection.sendall(b"x")
            time.sleep(0.1)

    return route


def endless() -> Route:
    """A body that never ends, as fast as the reader takes it."""

    def route(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65_536)

    return route


def gzip_bomb(megabytes: int) -> Route:
    """A small body that decompresses to many megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    return answer(packed, headers={"Content-Encoding": "gzip"})


def gzipped(body: bytes, **headers: str) -> Route:
    return answer(gzip.compress(body), headers={"Content-Encoding": "gzip", **headers})
