"""The HTTP client of an MCP server: the same checks as every other request (SSRF protection), one host, no redirects.
May touch: the network, at the address the person named and nowhere else. Does not promise: that the server is a good one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpcore2
import httpx2

from outrider.tools.mcp.servers import ServerSpec
from outrider.tools.net.gateway import checked_backend, parse, tls, user_agent
from outrider.tools.net.pace import Net, pace

CONNECT_S = 10.0


def checked_client(spec: ServerSpec) -> httpx2.AsyncClient:
    """A client whose connections go to checked addresses. The person named this host, so it may be private."""
    url = parse(spec.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    headers = {"user-agent": user_agent()} | spec.headers
    return httpx2.AsyncClient(
        transport=_Checked((f"{url.host}:{port}",)), headers=headers, follow_redirects=False, trust_env=False,
        timeout=httpx2.Timeout(spec.timeout_s, connect=CONNECT_S),
    )  # fmt: skip


class _Checked(httpx2.AsyncBaseTransport):
    """httpx2 over a pool whose backend checks each address before it connects."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._pool = httpcore2.AsyncConnectionPool(tls(), network_backend=checked_backend(allowed), max_connections=8)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, its body and its answer streamed."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        asked = httpcore2.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        try:
            async with pace().turn(f"{request.url.host}:{request.url.port}", Net()):
                answer = await self._pool.handle_async_request(asked)
        except httpcore2.ConnectError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except httpcore2.TimeoutException as error:
            raise httpx2.ReadTimeout(str(error), request=request) from error
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.stream:
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()
