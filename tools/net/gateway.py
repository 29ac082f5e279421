"""The HTTP gateway (SSRF protection), the only way to the network: one request, its address checked, its size and time bounded.
May touch: the network, over http and https, at public addresses and at hosts the person allowed by name.
Does not promise: that a public host is a good one, nor that what it says is true. Cookies live as long as one fetch; a proxy only when the person set one.
Start reading at `fetch`; `check_address` is the rule, for anyone else who opens a connection.

A name is resolved once and the connection goes to the address that was checked, so a name that changes its mind
(DNS rebinding) gains nothing. Every redirect is a new request and is checked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from outrider.tools.documents import charset
from outrider.tools.net.addresses import check_address, is_host, is_local_name, is_public, judge, resolve, short
from outrider.tools.net.content_encodings import DamagedEncoding, Undo
from outrider.tools.net.cookies import Jar
from outrider.tools.net.pace import Net, pace
from outrider.tools.net.retry_after import retry_after_s
from outrider.tools.process.deadlines import in_thread
from outrider.tools.tool import ToolError

if TYPE_CHECKING:
    import ssl

    import httpcore2
    import httpx2

__all__ = [
    "Fetched",
    "check_address",
    "checked_backend",
    "fetch",
    "is_public",
    "judge",
    "parse",
    "tls",
    "user_agent",
]

MAX_BYTES = 5_000_000
DEADLINE_S = 30.0
CONNECT_S = 10.0
MAX_REDIRECTS = 20  # as browsers
MAX_HEADERS, MAX_HEADER_BYTES = 256, 65_536
SPARE_S = 0.15  # before the deadline, to give what came by then
ATTEMPTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
REPEATABLE = ("GET", "HEAD")
BUSY = (429, 503)
# Kept when a redirect leaves the host: they say nothing about who asks.
HARMLESS_HEADERS = frozenset({"accept", "accept-language", "content-type", "range"})
Check = Callable[[str], Awaitable[None]]
NET = Net()


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of a server, whatever its status. `cut` says why the body is not whole ("" when it is).

    redirects: the addresses that were followed to `url`, which is the last of them.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str = ""
    redirects: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """`text/html` of "Content-Type: text/html; charset=…"; empty when the server did not say."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def decoded(self) -> charset.Text:
        """The body as text, with the encoding it was read in and what was guessed or lost (documents/charset.py)."""
        named = charset.charset_of(self.headers.get("content-type", ""))
        return charset.decode(
            self.body, named=named, markup=not re.search(r"json|csv|text/plain", self.media_type), whole=not self.cut
        )

    def text(self) -> str:
        """The body as text; what does not decode becomes U+FFFD."""
        return self.decoded().text


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    allowed: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
    max_document: int = 0,
    deadline_s: float = DEADLINE_S,
    max_redirects: int = MAX_REDIRECTS,
    net: Net = NET,
    check: Check | None = None,
) -> Fetched:
    """Ask `url` and follow its redirects, within `deadline_s` seconds in all and `max_bytes` of decompressed body.

    allowed: hosts that may be private, by name: "localhost", "127.0.0.1:8123", "*.internal".
    GET and HEAD are tried up to 3 times when the connection fails or the server is busy (429 and 503; Retry-After is
    obeyed while it fits the deadline); nothing else is repeated. Other methods are not redirected to another host:
    the 3xx is the answer. On leaving a host only HARMLESS_HEADERS go along.
    max_document: how large a PDF, an Office file or another zip may be, if larger than `max_bytes`.
    A body that does not end in time is given as far as it came, and said to be cut. Cookies that redirects need live for
    this one call. net: how often a host is asked, and an HTTP proxy the person chose; it resolves names too, so an address is
    only checked as far as it is known here. check: called with each address before it is asked; what it raises ends the call.
    Raises ToolError for an address that is refused, a server that cannot be reached, and when time is up.
    """
    ends = time.monotonic() + deadline_s
    wanted = {name.lower(): value for name, value in (headers or {}).items()}
    try:
        async with asyncio.timeout(deadline_s):
            asked = _Asked(
                method.upper(), parse(url), wanted, content, tuple(allowed), max_bytes, max_document, ends, net
            )
            return await _follow(asked, max_redirects, check)
    except TimeoutError:
        raise ToolError(
            f"{_host_of(url)} did not answer in time",
            f"the limit is {deadline_s:g} seconds",
            "try later or another source",
        ) from None


def parse(url: str, *, user: bool = False) -> httpx2.URL:
    """The URL if it is one we may ask: http or https, with a host, without a user name unless `user`. Raises ToolError."""
    import httpx2

    fix = 'give a full address such as "https://example.org/page"'
    try:
        parsed = httpx2.URL(url.strip())
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise ToolError("that is not a web address", str(error)[:200], fix) from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ToolError(f"{short(url)} cannot be opened", "only http and https addresses with a host can", fix)
    if not is_host(parsed.raw_host.decode("ascii", "replace")):
        raise ToolError(f"{short(url)} cannot be opened", f"{short(parsed.host)!r} is the name of no host", fix)
    if parsed.userinfo and not user:
        raise ToolError(
            "a web address with a user name in it is refused",
            "it hides the real host",
            "send an Authorization header instead",
        )
    return parsed


def _host_of(url: str) -> str:
    return short(parse(url).host)


# ---- one request after the other -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request. `ends` is on the monotonic clock."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    content: bytes | None
    allowed: tuple[str, ...]
    max_bytes: int
    max_document: int
    ends: float
    net: Net
    jar: Jar = field(default_factory=Jar)


async def _follow(asked: _Asked, redirects: int, check: Check | None) -> Fetched:
    seen: list[str] = []
    asked_for: set[tuple[str, str, str]] = set()
    while True:
        if check:
            await check(str(asked.url))
        asked_for.add((asked.method, str(asked.url), asked.jar.header(str(asked.url))))
        got = await _patiently(asked)
        target = got.headers.get("location", "")
        if got.status not in REDIRECTS or not target:
            return replace(got, redirects=tuple(seen))
        following = _redirected(asked, parse(_joined(asked.url, target)), got.status)
        if following is None:
            return replace(got, redirects=tuple(seen))
        again = (following.method, str(following.url), following.jar.header(str(following.url))) in asked_for
        if again or len(seen) >= redirects:
            why = "it comes back to an address it sent on from" if again else f"more than {redirects} times"
            what = f"{short(asked.url.host)} redirects {'in a circle' if again else 'for ever'}"
            raise ToolError(what, f"{why}; the last address was {short(str(asked.url))}", "use another address")
        asked = following
        seen.append(str(asked.url))


def _redirected(asked: _Asked, url: httpx2.URL, status: int) -> _Asked | None:
    """The request a redirect asks for; None when it is not ours to follow (something sent would go to another host)."""
    leaves = (url.scheme, url.host, url.port) != (asked.url.scheme, asked.url.host, asked.url.port)
    if leaves and asked.method not in REPEATABLE:
        return None
    headers = {k: v for k, v in asked.headers.items() if not leaves or k in HARMLESS_HEADERS}
    if status == 303 or (status in (301, 302) and asked.method == "POST"):
        headers.pop("content-type", None)
        method = "HEAD" if asked.method == "HEAD" else "GET"
        return replace(asked, url=url, method=method, headers=headers, content=None)
    return replace(asked, url=url, headers=headers, content=None if leaves else asked.content)


def _joined(url: httpx2.URL, target: str) -> str:
    import httpx2

    try:
        return str(url.join(target))
    except (httpx2.InvalidURL, ValueError) as error:
        raise ToolError(
            f"{short(url.host)} redirects to no web address", str(error)[:200], "use another address"
        ) from None


class _Busy(Exception):
    """The server asked us to come back later."""

    def __init__(self, answer: Fetched) -> None:
        self.answer = answer


async def _patiently(asked: _Asked) -> Fetched:
    """One request, repeated as far as that is safe and there is time."""
    import httpcore2
    import tenacity

    lost = (httpcore2.NetworkError, httpcore2.ConnectTimeout, httpcore2.RemoteProtocolError)
    repeat = asked.method in REPEATABLE
    waits = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type((_Busy, *lost)) if repeat else tenacity.retry_never,
        stop=lambda state: state.attempt_number >= ATTEMPTS or time.monotonic() + _pause_s(state) >= asked.ends,
        wait=_pause_s,
        reraise=True,
    )
    try:
        async for attempt in waits:
            with attempt:
                async with pace().turn(f"{asked.url.host}:{_port(asked.url)}", asked.net, asked.ends):
                    got = await _once(asked)
                if repeat and got.status in BUSY:
                    raise _Busy(got)
                return got
    except _Busy as busy:
        return busy.answer
    except (*lost, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
        raise ToolError(
            f"{short(asked.url.host)} could not be asked",
            short(str(error) or type(error).__name__),
            "check the address, or try later",
        ) from None
    raise AssertionError("unreachable")


def _pause_s(state: Any) -> float:
    """Seconds before the next attempt: what the server asks for, else 0.3, 0.6 …"""
    error = state.outcome.exception() if state.outcome else None
    asked_s = retry_after_s(error.answer.headers) if isinstance(error, _Busy) else None
    if asked_s is not None:
        return asked_s
    return float(0.3 * 2 ** (state.attempt_number - 1))


async def _once(asked: _Asked) -> Fetched:
    import httpx2

    sent = dict(asked.headers)
    if cookie := asked.jar.header(str(asked.url)):
        sent["cookie"] = "; ".join(filter(None, (sent.get("cookie", ""), cookie)))
    request = httpx2.Request(asked.method, asked.url, headers=_dressed(sent), content=asked.content)
    async with (
        await _connections(asked) as pool,
        pool.stream(
            asked.method, _core_url(asked.url), headers=request.headers.raw, content=asked.content,
            extensions={"timeout": {"connect": CONNECT_S}},
        ) as response,
    ):  # fmt: skip
        heads: dict[str, str] = {}
        _bound(response.headers, asked)
        for raw, value in response.headers:
            name = raw.decode("latin-1").lower()
            heads[name] = f"{heads[name]}, {value.decode('latin-1')}" if name in heads else value.decode("latin-1")
        asked.jar.take(str(asked.url), [v.decode("latin-1") for k, v in response.headers if k.lower() == b"set-cookie"])
        body, cut = (b"", "") if asked.method == "HEAD" else await _body(response, heads, asked)
        return Fetched(str(asked.url), response.status, heads, body, cut)


def _bound(headers: Sequence[tuple[bytes, bytes]], asked: _Asked) -> None:
    """Raises ToolError for headers that are too many or too large (the transport stops at 100 kB of unfinished ones)."""
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise ToolError(
            f"the answer of {short(asked.url.host)} is refused",
            f"its headers are {len(headers):,} lines of {size:,} bytes; {MAX_HEADERS} lines of {MAX_HEADER_BYTES:,} are read",
            "use another address",
        )


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _connections(asked: _Asked) -> httpcore2.AsyncConnectionPool:
    """Where the connection of one request comes from: straight to a checked address, or through the person's proxy."""
    import httpcore2

    secure = tls() if asked.url.scheme == "https" else None
    if not asked.net.proxy:
        return httpcore2.AsyncConnectionPool(secure, network_backend=checked_backend(asked.allowed), max_connections=1)
    proxy = parse(asked.net.proxy, user=True)
    name = (proxy.username.encode(), proxy.password.encode()) if proxy.username else None
    await _check_behind_proxy(asked)
    return httpcore2.AsyncConnectionPool(
        secure, proxy=httpcore2.Proxy(_core_url(proxy), auth=name, ssl_context=tls()), max_connections=1
    )


async def _check_behind_proxy(asked: _Asked) -> None:
    """Refuse what is known here to be private. A name that only the proxy knows is the proxy's to judge."""
    host, port = asked.url.raw_host.decode("ascii"), _port(asked.url)  # as the proxy will be asked for it
    if is_local_name(host):
        judge(host, port, (), asked.allowed)
    with contextlib.suppress(OSError, UnicodeError):
        judge(host, port, await in_thread(resolve, host, port, seconds=CONNECT_S), asked.allowed)


def _core_url(url: httpx2.URL) -> httpcore2.URL:
    import httpcore2

    return httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _dressed(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """The caller's headers over ours. Host, lengths and encodings are the gateway's own business."""
    ours = {"user-agent": user_agent(), "accept": "*/*"}
    theirs = {
        k: v for k, v in headers.items() if k not in ("host", "content-length", "transfer-encoding", "connection")
    }
    merged = {**ours, **theirs, "accept-encoding": "gzip, deflate"}
    return {name.encode("latin-1"): value.encode("latin-1", "replace") for name, value in merged.items()}


@functools.cache
def user_agent() -> str:
    """Who asks, and nothing more: outrider/<version>."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"outrider/{version('outrider')}"
    except PackageNotFoundError:
        return "outrider"


@functools.cache
def tls() -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context()


async def _body(response: httpcore2.Response, headers: Mapping[str, str], asked: _Asked) -> tuple[bytes, str]:
    """(decompressed body of at most the limit for what it is, why it is not whole). Raises TimeoutError if nothing came."""
    import httpcore2

    undo = Undo(headers.get("content-encoding", ""))
    body, wire, most = bytearray(), 0, asked.max_bytes
    try:
        async with asyncio.timeout(asked.ends - SPARE_S - time.monotonic()):
            async for chunk in response.aiter_stream():
                wire += len(chunk)
                body += undo(chunk, max(asked.max_bytes, asked.max_document) + 1 - len(body))
                if len(body) > most and asked.max_document > most and _is_document(headers, body):
                    most = asked.max_document
                if len(body) > most or wire > most + 65_536:  # empty compressed blocks must end too
                    return bytes(body[:most]), f"larger than {most:,} bytes"
    except TimeoutError:
        if not body:
            raise
        return bytes(body), f"the time was over after {len(body):,} bytes"
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException):
        return bytes(body), f"the connection ended after {len(body):,} bytes"
    except DamagedEncoding:
        return bytes(body), f"its compression is damaged after {len(body):,} bytes"
    return bytes(body), f"its compression breaks off after {len(body):,} bytes" if undo.unfinished else ""


def _is_document(headers: Mapping[str, str], body: bytearray) -> bool:
    """Whether what comes is a PDF or a zip (Office files, EPUB are): cut, they cannot be read at all."""
    return b"%PDF-" in body[:1024] or body.startswith(b"PK\x03\x04") or "pdf" in headers.get("content-type", "").lower()


# ---- connecting to what was checked ----------------------------------------------------------------------------------


def checked_backend(allowed: Sequence[str]) -> httpcore2.AsyncNetworkBackend:
    """A network backend that checks the name it is given and connects to the address it checked, never to the name."""
    import httpcore2

    class Checked(httpcore2.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Any:  # type: ignore[override]
            failure: Exception = httpcore2.ConnectError("no address")
            for address in await check_address(host, port, allowed):
                try:
                    return await super().connect_tcp(address, port, timeout=timeout, **options)
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    failure = error
            raise failure

    return Checked()
