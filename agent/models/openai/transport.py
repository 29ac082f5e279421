"""How a request reaches a model server: aiohttp, one pool of kept-alive connections for each event loop, TLS by the OS trust store.
Touches the network: the one address it is given, or the proxy in front of it; follows no redirect, keeps no cookie.
Does not promise: retries or HTTP/2. May be shared by threads, each with an event loop of its own.

Why aiohttp: docs/decisions/0003-openai-transport.md. It is imported in a thread, beside a run's other starts.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
import threading
import weakref
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from outrider.agent.models.openai.exchange import HttpResponse, Leaving, Post, TransportError
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.models.openai.pool import Pool


class HttpTransport:
    """`base_url` is http or https, with a path the requests go below (a query in it stays at the end).
    proxy: the address of an HTTP proxy; "" for none; None asks the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY).
    tls: for a client's own certificate; None checks the server's against the OS trust store.
    Raises UsageError for an address that is none.
    """

    def __init__(self, base_url: str, *, proxy: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        url = _address(base_url)
        host = url.netloc.rpartition("@")[2]
        self._before, self._after = f"{url.scheme}://{host}{url.path.rstrip('/')}", f"?{url.query}" if url.query else ""
        self._proxy = _checked_proxy(_proxy_for(url) if proxy is None else proxy)
        self._tls, self._secure = tls, url.scheme == "https"
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        weakref.finalize(self, _leave, self._pools)
        _importing()

    async def post(self, post: Post) -> HttpResponse:
        """See `Transport`."""
        leaving = Leaving()
        try:
            async with asyncio.timeout(post.timeout_s):
                pool = self._pools.get(asyncio.get_running_loop()) or await self._open_pool()
                return await pool.exchange(self._before + post.path + self._after, post, leaving)
        except TimeoutError as late:
            why = f"no complete answer within {post.timeout_s:g} s"
            raise TransportError("timeout", why, sent=leaving.begun) from late

    async def aclose(self) -> None:
        """See `Transport`."""
        if (pool := self._pools.pop(asyncio.get_running_loop(), None)) is not None:
            await pool.aclose()
        _leave(self._pools)

    async def _open_pool(self) -> Pool:
        if _importing().is_alive():
            await asyncio.to_thread(_importing().join)
        from outrider.agent.models.openai.pool import Pool

        for old in [loop for loop in self._pools if loop.is_closed()]:
            self._pools.pop(old).leave()
        loop = asyncio.get_running_loop()
        if loop not in self._pools:  # two first requests at once: the other one may have waited for the import as well
            self._pools[loop] = Pool((self._tls or tls_context()) if self._secure else None, self._proxy)
            await self._pools[loop].open()
        return self._pools[loop]


def _leave(pools: dict[asyncio.AbstractEventLoop, Pool]) -> None:
    """The pools of other loops, or of a transport that is no more: closed by their loop, or just let go if it has ended."""
    while pools:
        loop, pool = pools.popitem()
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(pool.aclose(), loop)
        else:
            pool.leave()


@cache
def _importing() -> threading.Thread:
    """aiohttp takes 0.15 s to import: begun when a model is made, needed when it is first asked."""
    name = "outrider.agent.models.openai.pool"
    thread = threading.Thread(target=importlib.import_module, args=(name,), name="import aiohttp", daemon=True)
    thread.start()
    return thread


def _address(given: str) -> SplitResult:
    try:
        url = urlsplit(given)
        good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        good = False
    if good and all("!" <= letter <= "~" for letter in given):
        return url
    why = "it is not http(s)://host[:port]/path in plain ASCII"
    raise UsageError(
        f"not the address of a model server: {given!r}", why, "give --base-url like http://127.0.0.1:8000/v1"
    )


def _proxy_for(url: SplitResult) -> str:
    """The proxy the environment wants before this address; "" for none. This machine itself never has one."""
    host = url.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return ""
    from urllib.request import getproxies, proxy_bypass  # late: 30 ms of imports a loopback server does without

    proxies = getproxies()
    return "" if proxy_bypass(host) else proxies.get(url.scheme) or proxies.get("all") or ""


def _checked_proxy(given: str) -> str:
    """`given`, with a scheme. Raises UsageError for what is no HTTP proxy."""
    if not given:
        return ""
    proxy = given if "://" in given else f"http://{given}"  # as curl reads it
    try:
        url = urlsplit(proxy)
        good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        good = False
    if good:
        return proxy
    shown = proxy.rpartition("@")[2] if "@" in proxy else proxy  # without its password
    raise UsageError(
        f"not a proxy for a model server: {shown!r}",
        "models are reached through HTTP proxies; the variables HTTP_PROXY, HTTPS_PROXY and ALL_PROXY name one",
        "write it like http://proxy.example:3128, or put the server's host into NO_PROXY",
    )


@cache
def tls_context() -> ssl.SSLContext:
    """Certificates are checked against the OS trust store; SSL_CERT_FILE / SSL_CERT_DIR replace it."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    import truststore  # late: a plain http server does without it

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
