"""The connections of one event loop to one model server: an aiohttp session, made to fit what a paid request needs.
Touches the network: the addresses it is given. Imports aiohttp, so it is imported late (transport.py).
Does not promise: that a request is sent again when a kept connection was lost; that is the caller's to decide.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from outrider.agent.models.openai.exchange import HttpResponse, Leaving, Post, Stage, TransportError

MAX_IDLE_S = 60.0  # routers forget silent connections; a new one costs a round trip or three
_NO_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=None)  # the caller's deadline covers it all


class Pool:
    """tls: how https is checked. proxy: the address of an HTTP proxy, or "". Made on the loop it serves."""

    def __init__(self, tls: ssl.SSLContext | None, proxy: str) -> None:
        self._proxy = proxy or None
        self._session = aiohttp.ClientSession(
            connector=_Connector(ssl=tls or True, limit=0, keepalive_timeout=MAX_IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_LIMIT,
            trust_env=False,  # it would read names and passwords from ~/.netrc as well
        )
        self._life = self._until_closed()

    async def open(self) -> None:
        """From now on the connections are closed with their event loop, whoever forgets to."""
        await anext(self._life, None)

    async def _until_closed(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:  # a loop that ends closes its generators first (`asyncio.run` does)
            await self._session.close()

    async def aclose(self) -> None:
        """Close the connections. May be called twice."""
        await self._life.aclose()
        await self._session.close()

    def leave(self) -> None:
        """For a loop that is gone without closing anything: no warning on the user's screen, sockets go with their objects."""
        self._session.detach()

    async def exchange(self, url: str, post: Post, leaving: Leaving) -> HttpResponse:
        """Send once. Raises TransportError, TimeoutError; what the sink raises passes through."""
        target, body = URL(url, encoded=True), _Body(post.body, leaving)
        try:
            async with self._session.post(
                target, data=body, headers=post.headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                try:
                    return await _read(response, post)
                except BaseException:
                    response.close()  # what is still to come must not be read as the next answer
                    raise
        except TimeoutError:
            raise
        except (aiohttp.ClientError, http_exceptions.HttpProcessingError, OSError, UnicodeError) as error:
            stage = _stage(error)
            sent = leaving.begun and stage not in ("connect", "tls")
            raise TransportError(stage, self._words(error), sent=sent) from error

    def _words(self, error: Exception) -> str:
        """What it says, without the proxy's password."""
        words = str(error) or type(error).__name__
        name, at, _ = urlsplit(self._proxy or "").netloc.rpartition("@")
        return words.replace(name + at, "") if name else words


async def _read(response: aiohttp.ClientResponse, post: Post) -> HttpResponse:
    headers = {name.lower(): value for name, value in response.headers.items()}
    streams = response.status == 200 and headers.get("content-type", "").startswith("text/event-stream")
    take, body, received = (post.sink if streams else None), bytearray(), 0
    async for piece in response.content.iter_any():
        received += len(piece)
        if received > post.max_bytes:
            raise TransportError("size", f"the answer is larger than {post.max_bytes:,} bytes", sent=True)
        if take is not None:
            take(piece)
        else:
            body += piece
    return HttpResponse(response.status, headers, bytes(body))


def _stage(error: Exception) -> Stage:
    """How far it had come."""
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, UnicodeError)):
        return "connect"
    cause = error.__cause__ if isinstance(error, aiohttp.ClientPayloadError) else error
    missing = isinstance(cause, http_exceptions.ContentLengthError | http_exceptions.TransferEncodingError)
    garbled = isinstance(cause, http_exceptions.HttpProcessingError | aiohttp.ClientResponseError)
    return "garbled" if garbled and not missing else "cut"


class _Body(aiohttp.payload.Payload):
    """The request's bytes, as they are; notes when they begin to leave."""

    def __init__(self, data: bytes, leaving: Leaving) -> None:
        super().__init__(data)
        self._size, self._leaving = len(data), leaving

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        self._leaving.begun = True
        await writer.write(self._value)


class _Connector(aiohttp.TCPConnector):
    async def _get(self, *asked: Any) -> Any:
        """A kept connection that is silent: one with bytes (or the end) in it was closed, or answers what nobody asked."""
        while (kept := await super()._get(*asked)) is not None:
            protocol = kept.protocol
            if protocol is not None and not protocol.should_close and not _readable(kept.transport):
                break
            kept.close()
        return kept

    def __del__(self, *_: Any) -> None:
        """Silent, where aiohttp prints "Unclosed connector": only loops that ended without closing leave one."""


def _readable(transport: Any) -> bool:
    """Whether bytes (or the end) wait on the socket, seen without the event loop having run since."""
    try:
        poll = select.poll()
    except AttributeError:  # Windows: the event loop will tell in time
        return False
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
