"""A lean HTTP/1.1 client for one server: kept-alive connections on asyncio, framing by h11, TLS by the OS trust store.
Touches the network: the one address it is given, nothing else; follows no redirect, keeps no cookie, obeys no proxy.
Does not promise: retries, HTTP/2, or thread safety (one event loop at a time; a new loop starts with new connections).

Why not httpx2 or the SDK: docs/decisions/0003-openai-transport.md.
"""

from __future__ import annotations

import asyncio
import os
import select
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol
from urllib.parse import SplitResult, urlsplit

import h11

from outrider.memory.errors import UsageError

Stage = Literal["connect", "tls", "timeout", "cut", "garbled", "size"]
Sink = Callable[[bytes], None]
Headers = list[tuple[str, str]]
MAX_IDLE_S = 60.0  # routers forget silent connections; a new one costs a round trip or three


class WireError(Exception):
    """No usable answer. `sent`: the request (or part of it) had left, so the server may have worked, and charged."""

    def __init__(self, stage: Stage, why: str, *, sent: bool) -> None:
        super().__init__(stage, why)
        self.stage, self.why, self.sent = stage, why, sent


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `headers` have lower-case names. `body` is empty if a sink took it."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """What to send. `sink` gets the pieces of a 200 answer that is an event stream; any other answer comes whole.
    `timeout_s` covers everything, connecting included; `max_bytes` bounds the decoded body of the answer."""

    path: str
    headers: Headers
    body: bytes
    sink: Sink | None
    timeout_s: float
    max_bytes: int


class Wire(Protocol):
    """How a request reaches the server. Both transports keep this contract."""

    async def post(self, post: Post) -> Answer:
        """Send once. Raises WireError; what the sink raises passes through."""
        ...

    async def aclose(self) -> None:
        """Close every connection. May be called twice."""
        ...


class LeanWire:
    """`base_url` is http or https, with a path the requests go below. Raises UsageError if it is not."""

    def __init__(self, base_url: str) -> None:
        url = _address(base_url)
        self._tls = url.scheme == "https"
        self._host, self._path = url.hostname or "", url.path.rstrip("/")
        self._port = url.port or (443 if self._tls else 80)
        self._host_header = url.netloc.rpartition("@")[2]
        self._idle: list[_Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(self, post: Post) -> Answer:
        """See `Wire`."""
        fields = [("Host", self._host_header), ("Content-Length", str(len(post.body))), *post.headers]
        request = h11.Request(method="POST", target=self._path + post.path, headers=fields)
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(post.timeout_s):
                connection = self._take_idle() or await self._connect()
                answer = await connection.exchange(request, post)
        except TimeoutError as late:
            why = f"no complete answer within {post.timeout_s:g} s"
            raise WireError("timeout", why, sent=connection is not None) from late
        if connection.reusable:
            self._idle.append(connection)
        return answer

    async def aclose(self) -> None:
        """See `Wire`."""
        while self._idle:
            self._idle.pop().abort()

    def _take_idle(self) -> _Connection | None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._idle.clear()  # they belong to a loop that is gone
        while self._idle:
            if (connection := self._idle.pop()).still_good():
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        context = tls_context() if self._tls else None
        try:
            _, connection = await loop.create_connection(
                _Connection, self._host, self._port, ssl=context, happy_eyeballs_delay=0.25
            )
        except ssl.SSLError as error:
            raise WireError("tls", str(error), sent=False) from error
        except TimeoutError:
            raise  # ours, or the kernel's for an address that never answers: both mean too late
        except (OSError, UnicodeError) as error:
            raise WireError("connect", str(error), sent=False) from error
        return connection


def _address(base_url: str) -> SplitResult:
    try:
        url = urlsplit(base_url)
        good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        good = False
    if good and all("!" <= letter <= "~" for letter in base_url):
        return url
    why = "it is not http(s)://host[:port]/path in plain ASCII"
    raise UsageError(
        f"not the address of a model server: {base_url!r}", why, "give --base-url like http://127.0.0.1:8000/v1"
    )


@cache
def tls_context() -> ssl.SSLContext:
    """Certificates are checked against the OS trust store; SSL_CERT_FILE / SSL_CERT_DIR replace it."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    import truststore  # late: a plain http server does without it

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Connection(asyncio.Protocol):
    """One kept-alive connection; one exchange at a time. Streamed pieces go to the sink with no task switch between."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._waiter: asyncio.Future[Answer] | None = None
        self._sink: Sink | None = None
        self._inflate: Any = None  # zlib's decompressor has no public type
        self._lost = False
        self._idle_since = 0.0

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            return self.abort()  # bytes nobody asked for: not a connection to trust with the next request
        try:
            self._http.receive_data(data)
            self._read_events()
        except h11.RemoteProtocolError as error:
            self._fail(WireError("garbled", str(error), sent=True))
        except Exception as error:  # the sink's, or a bad compressed body: the caller's to see, not the event loop's
            self._fail(error)

    def eof_received(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            try:
                self._http.receive_data(b"")  # the end of a body without a length, or a body cut short
                self._read_events()
            except h11.RemoteProtocolError as error:
                self._fail(WireError("cut", str(error), sent=True))
            except Exception as error:
                self._fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._fail(WireError("cut", str(error or "the server closed the connection"), sent=True))

    # what the wire calls

    async def exchange(self, request: h11.Request, post: Post) -> Answer:
        """Send one request and wait for its whole answer. The connection is dropped unless that ended well."""
        if self._lost:
            raise WireError("cut", "the server closed the connection", sent=False)
        self._waiter = asyncio.get_running_loop().create_future()
        self._sink, self._max_bytes, self._inflate = post.sink, post.max_bytes, None
        self._status, self._headers = 0, dict[str, str]()
        self._body, self._received = bytearray(), 0
        head = self._http.send(request) or b""
        parts = self._http.send_with_data_passthrough(h11.Data(data=post.body)) or []
        self._http.send(h11.EndOfMessage())
        try:
            for part in (head, *parts):  # not writelines: before 3.12 it joins them, one more copy of a long history
                self._transport.write(part)
            return await self._waiter
        except BaseException:
            self.abort()
            raise
        finally:
            self._waiter, self._sink = None, None

    @property
    def reusable(self) -> bool:
        """Whether the last exchange left the connection ready for another; marks it idle."""
        ended = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if self._lost or not ended or self._http.trailing_data[0]:  # more than the answer came: not the next one's
            self.abort()
            return False
        self._http.start_next_cycle()
        self._idle_since = asyncio.get_running_loop().time()
        return True

    def still_good(self) -> bool:
        """Whether an idle connection can carry a request: young, open, and silent (readable means closed by the server)."""
        if self._lost or self._transport.is_closing():
            return False
        age_s = asyncio.get_running_loop().time() - self._idle_since
        return age_s < MAX_IDLE_S and not _readable(self._transport)

    def abort(self) -> None:
        """Close at once; whoever waits gets a WireError."""
        self._lost = True
        self._transport.abort()

    def _read_events(self) -> None:
        while True:
            event = self._http.next_event()
            kind = type(event)
            if kind is h11.Data:
                self._take(event.data)  # type: ignore[union-attr]
            elif kind is h11.Response:
                self._start(event)
            elif kind is h11.EndOfMessage:
                return self._finish()
            elif kind is not h11.InformationalResponse:  # NEED_DATA, PAUSED, ConnectionClosed
                return None

    def _start(self, response: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
        self._status, self._headers = response.status_code, headers
        if headers.get("content-encoding", "") in ("gzip", "deflate", "x-gzip"):
            self._inflate = zlib.decompressobj(47)  # 47: gzip or zlib, told apart by the header
        if response.status_code != 200 or not headers.get("content-type", "").startswith("text/event-stream"):
            self._sink = None

    def _take(self, data: bytes) -> None:
        if self._inflate:
            data = self._inflate.decompress(data, self._max_bytes + 1 - self._received)
        self._received += len(data)
        if self._received > self._max_bytes:
            raise WireError("size", f"the answer is larger than {self._max_bytes:,} bytes", sent=True)
        if self._sink is not None:
            self._sink(data)
        else:
            self._body += data

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Answer(self._status, self._headers, bytes(self._body)))

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
            self.abort()


def _readable(transport: asyncio.Transport) -> bool:
    """Whether bytes (or the end) wait on the socket, seen without the event loop having run since."""
    try:
        poll = select.poll()
    except AttributeError:  # Windows: the event loop will tell in time
        return False
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
