"""The second way to a server: the `openai` SDK's client, for what the lean one leaves out (proxies, Azure identities, mTLS).
Touches the network through the client it is given or makes. Our bytes go out as they are; the SDK adds auth and transport.
Does not promise: speed (1.5 ms of CPU a request and 0.6 s to import, against 0.3 ms and nothing).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from outrider.agent.models.openai.transport import Answer, Post, WireError

if TYPE_CHECKING:
    import httpx2
    import openai


class SdkWire:
    """`client` is an `openai.AsyncOpenAI` (or AsyncAzureOpenAI …); its own retries are switched off."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client.with_options(max_retries=0)  # the ledger must see every attempt

    async def post(self, post: Post) -> Answer:
        """See `Wire`. Whether a request that failed half-way had left cannot be known here: it counts as sent."""
        import openai

        try:
            async with asyncio.timeout(post.timeout_s):
                return await self._exchange(post)
        except (TimeoutError, openai.APITimeoutError) as late:
            raise WireError("timeout", f"no complete answer within {post.timeout_s:g} s", sent=True) from late
        except openai.APIStatusError as refusal:
            fields = {name.lower(): value for name, value in refusal.response.headers.items()}
            return Answer(refusal.status_code, fields, refusal.response.content[: post.max_bytes])
        except openai.APIConnectionError as error:
            connecting = "Connect" in type(error.__cause__).__name__
            why = str(error.__cause__ or error)
            raise WireError("connect" if connecting else "cut", why, sent=not connecting) from error

    async def aclose(self) -> None:
        """See `Wire`."""
        await self._client.close()

    async def _exchange(self, post: Post) -> Answer:
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
            raise WireError("cut", str(error) or type(error).__name__, sent=True) from error
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response, post: Post) -> Answer:
        fields = {name.lower(): value for name, value in response.headers.items()}
        sink = post.sink if fields.get("content-type", "").startswith("text/event-stream") else None
        whole, received = bytearray(), 0
        async for piece in response.aiter_bytes():
            received += len(piece)
            if received > post.max_bytes:
                raise WireError("size", f"the answer is larger than {post.max_bytes:,} bytes", sent=True)
            if sink is not None:
                sink(piece)
            else:
                whole += piece
        return Answer(response.status_code, fields, bytes(whole))
