"""The one way out, when hosts are granted: an HTTP proxy whose listening socket lies inside the sandbox's own network.
May touch: connections that `Door.connect` opens; the door decides which. Runs in threads of the agent, outside.
Does not promise: to look into what is sent (TLS passes through); a granted host can be told anything.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Protocol
from urllib.parse import urlsplit

_LONGEST_HEAD = 64 << 10  # bytes of a request's first line and headers
_MOST_CONNECTIONS = 32
_IDLE_S = 60.0


class Door(Protocol):
    """Who opens connections for the sandbox. Raises OSError to refuse; its text is shown to the code."""

    def connect(self, host: str, port: int) -> socket.socket:
        """A connected TCP socket to `host` and `port`, if that may be."""
        ...


class Proxy:
    """Serves CONNECT and plain HTTP on `listener` until closed."""

    def __init__(self, listener: socket.socket, door: Door) -> None:
        self._listener, self._door = listener, door
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._closing = threading.Event()
        self._listener.settimeout(0.5)
        self._thread = threading.Thread(target=self._accept, name="sandbox-proxy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections."""
        self._closing.set()
        self._thread.join(2)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if not self._slots.acquire(blocking=False):
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), name="sandbox-connection", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError, ValueError, UnicodeError):
                client.settimeout(_IDLE_S)
                head, rest = _read_head(client)
                host, port, first = _target(head)
                try:
                    server = self._door.connect(host, port)
                except OSError as error:
                    client.sendall(_refusal(str(error)))
                    return
                with server:
                    if first is None:
                        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    server.sendall((first or b"") + rest)
                    self._relay(client, server)
        finally:
            self._slots.release()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        open_ends = [client, server]
        while open_ends and not self._closing.is_set():
            readable, _, _ = select.select(open_ends, [], [], _IDLE_S)
            if not readable:
                return
            for end in readable:
                data = end.recv(1 << 16)
                if data:
                    other[end].sendall(data)
                else:
                    open_ends.remove(end)
                    other[end].shutdown(socket.SHUT_WR)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(4096)
        data += piece
        if not piece or len(data) > _LONGEST_HEAD:
            raise ValueError("not a request")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _target(head: bytes) -> tuple[str, int, bytes | None]:
    """(host, port, what to send first). CONNECT sends nothing of its own; plain HTTP gets its path made relative."""
    line, _, headers = head.partition(b"\r\n")
    method, url, version = line.split(b" ")
    if method == b"CONNECT":
        host, _, port = url.decode("ascii").rpartition(":")
        return host.strip("[]"), int(port), None
    parts = urlsplit(url.decode("ascii"))
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("only http:// and CONNECT")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [h for h in headers.split(b"\r\n") if not h.lower().startswith((b"proxy-", b"connection:"))]
    lines = [b" ".join((method, path.encode(), version)), *kept, b"Connection: close", b"", b""]
    return parts.hostname, parts.port or 80, b"\r\n".join(lines)


def _refusal(why: str) -> bytes:
    body = f"refused by the agent's network rules: {why}\n".encode()
    return (
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
        % (len(body), body)
    )
