"""A ready client of the `openai` SDK as the way to a server, for identities that it renews (Azure, rotating tokens).
Touches the network through the client it is given. Our bytes go out as they are; the SDK adds auth and transport.
Does not promise: speed (1.5 ms of CPU a request against 0.3). The SDK is the user's: they made the client.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from outrider.agent.models.openai.exchange import HttpResponse, Post, TransportError

if TYPE_CHECKING:
    import httpx2
    import openai


class SdkTransport:
    """`client` is an `openai.AsyncOpenAI` (or AsyncAzureOpenAI …); its own retries are switched off."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client.with_options(max_retries=0)  # the ledger must see every attempt

    async def post(self, post: Post) -> HttpResponse:
        """See `Transport`. Whether a request that failed half-way had left cannot be known here: it counts as sent."""
        import openai

        try:
            async with asyncio.timeout(post.timeout_s):
                return await self._exchange(post)
        except (TimeoutError, openai.APITimeoutError) as late:
            raise TransportError("timeout", f"no complete answer within {post.timeout_s:g} s", sent=True) from late
        except openai.APIStatusError as refusal:
            fields = {name.lower(): value for name, value in refusal.response.headers.items()}
            return HttpResponse(refusal.status_code, fields, refusal.response.content[: post.max_bytes])
        except openai.APIConnectionError as error:
            connecting = "Connect" in type(error.__cause__).__name__
            why = str(error.__cause__ or error)
            raise TransportError("connect" if connecting else "cut", why, sent=not connecting) from error

    async def aclose(self) -> None:
        """See `Transport`."""
        await self._client.close()

    async def _exchange(self, post: Post) -> HttpResponse:
        import httpx2
        import openai

        answer: Any = await self._client.post(
            post.path,
            cast_to=httpx2.Response,
            content=post.body,
            options={"headers": dict(post.headers), "timeout": post.timeout_s},
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
        response: httpx2.Response = answer  # what `cast_to` asks for, whatever the overloads say
        try:
            return await self._read(response, post)
        except httpx2.HTTPError as error:
            raise TransportError("cut", str(error) or type(error).__name__, sent=True) from error
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response, post: Post) -> HttpResponse:
        fields = {name.lower(): value for name, value in response.headers.items()}
        sink = post.sink if fields.get("content-type", "").startswith("text/event-stream") else None
        whole, received = bytearray(), 0
        async for piece in response.aiter_bytes():
            received += len(piece)
            if received > post.max_bytes:
                raise TransportError("size", f"the answer is larger than {post.max_bytes:,} bytes", sent=True)
            if sink is not None:
                sink(piece)
            else:
                whole += piece
        return HttpResponse(response.status_code, fields, bytes(whole))
