"""Every dialect over a loopback socket, its bytes split at every place: what a packet's end may cut is still read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from outrider.agent.models.chat.decode import StreamDecoder
from outrider.agent.models.openai.exchange import Post
from outrider.agent.models.openai.transport import HttpTransport
from tests.agent.models.chat.test_dialects import CASES, TOOLS, check, stream

AT_ONCE = 48
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"


class Splitting(asyncio.Protocol):
    """Answers each request with `data` in two packets, split where the request's body says."""

    data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.seen = b""

    def data_received(self, data: bytes) -> None:
        self.seen += data
        _, blank, body = self.seen.partition(b"\r\n\r\n")
        if blank and body.endswith(b"}"):
            self.seen = b""
            at = int(json.loads(body)["at"])
            self.transport.write(HEAD % len(self.data) + self.data[:at])
            asyncio.get_running_loop().call_later(0.001, self.transport.write, self.data[at:])


async def replay(case: dict[str, Any]) -> tuple[int, int]:
    """(places tried, how often the client really got the bytes in more than one piece)."""
    server_of = type("Server", (Splitting,), {"data": stream(case, 24)})
    server = await asyncio.get_running_loop().create_server(server_of, "127.0.0.1", 0)
    way = HttpTransport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy="")
    places = iter(range(1, len(server_of.data)))
    split = [0, 0]

    async def client() -> None:
        for at in places:
            decoder, pieces = StreamDecoder(None, TOOLS), list[int]()

            def take(piece: bytes, decoder: StreamDecoder = decoder, pieces: list[int] = pieces) -> None:
                pieces.append(len(piece))
                decoder.feed(piece)

            await way.post(Post("/", [], b'{"at":%d}' % at, take, 30.0, 1_000_000))
            check(decoder.reply(), case)
            split[0] += 1
            split[1] += len(pieces) > 1

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    await way.aclose()
    server.close()
    return split[0], split[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
async def test_dialect_is_read_wherever_a_packet_ends(case: dict[str, Any]) -> None:
    """Every byte of the stream is once the last of its packet."""
    tried, split = await replay(case)
    assert tried == len(stream(case, 24)) - 1
    assert split >= 0.95 * tried  # else the kernel joined them and nothing was shown
