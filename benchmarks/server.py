"""The model server of the benchmarks: one process on loopback that speaks chat completions and costs next to nothing.

What it says stands in the address, so that one server serves every subject and every measure, and keeps no state:

    http://127.0.0.1:PORT/KIND/STEPS/DELAY_MS/WIDTH/v1

STEPS replies with WIDTH tool calls each, then the answer; each reply DELAY_MS after its request. Where a run stands is
counted in its request (the assistant messages). KIND is how the run ends and what the tool is called: `plain` (tool `look`,
then text), `final` (then a call of `final_answer`), `bash` (tool `bash`, then the command that submits), `stream` (STEPS
pieces of text, streamed). `python -m benchmarks.server` prints its port and serves until stdin closes.
Touches: a loopback socket. Does not promise: to be a correct HTTP server for anybody else.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import cache
from types import TracebackType
from typing import Any

ANSWER = "Done: all steps were looked at."
HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SUBMIT = f"echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT; echo '{ANSWER}'"
TOKENS = 987_654_321  # stands for a number that is not known yet
NOT_FOUND = b'HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n{"error":"not a route"}'


class ModelServer:
    """`with ModelServer() as server: server.url("plain", steps=10, delay_ms=50)`: a server in a process of its own."""

    port = 0

    def __enter__(self) -> ModelServer:
        command = [sys.executable, "-I", __file__]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self.port = int(self._child.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(10)

    def url(self, kind: str, *, steps: int, delay_ms: int = 0, width: int = 1) -> str:
        """The base URL of a conversation of `steps` tool steps: ends in /v1."""
        return f"http://127.0.0.1:{self.port}/{kind}/{steps}/{delay_ms}/{width}/v1"


def _call(name: str, turn: int, at: int, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{turn}_{at}", "type": "function", "function": function}


def _message(kind: str, steps: int, turn: int, width: int) -> dict[str, Any]:
    """What the model says at `turn` (from 0)."""
    if turn < steps:
        name, argument = ("bash", "command") if kind == "bash" else ("look", "n")
        numbers = [turn * width + at for at in range(width)]
        calls = [
            _call(name, turn, at, {argument: f"look {n}" if kind == "bash" else n}) for at, n in enumerate(numbers)
        ]
    elif kind == "final":
        calls = [_call("final_answer", turn, 0, {"answer": ANSWER})]
    elif kind == "bash":
        calls = [_call("bash", turn, 0, {"command": SUBMIT})]
    else:
        return {"role": "assistant", "content": ANSWER}
    return {"role": "assistant", "content": None, "tool_calls": calls}


@cache
def _parts(kind: str, steps: int, turn: int, width: int) -> list[bytes]:
    """The whole HTTP answer, made once, in pieces between which the prompt's tokens go, nine places wide."""
    message = _message(kind, steps, turn, width)
    finish = "tool_calls" if "tool_calls" in message else "stop"
    whole: dict[str, Any] = {
        "id": f"chatcmpl-{turn}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m",
    }
    whole["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    whole["usage"] = {"prompt_tokens": TOKENS, "completion_tokens": 20, "total_tokens": TOKENS}
    body = json.dumps(whole).encode().replace(b"%d" % TOKENS, b" " * 8 + b"\0")
    return (HEADER % len(body) + body).split(b" " * 8 + b"\0")


def reply(kind: str, steps: int, turn: int, width: int, size: int) -> bytes:
    """The HTTP answer to a request of `size` bytes, a token for every four of them."""
    return (b"%9d" % (size // 4)).join(_parts(kind, steps, turn, width))


@cache
def streamed(pieces: int) -> bytes:
    """The whole HTTP answer of `pieces` words of text, one event and one chunk each."""

    def event(delta: dict[str, Any], finish: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        made = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        data = f"data: {json.dumps(made)}\n\n".encode()
        return b"%x\r\n%s\r\n" % (len(data), data)

    events = [event({"role": "assistant", "content": f"w{at} "}, None) for at in range(pieces)]
    return STREAM + b"".join(events) + event({}, "stop") + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


def answer(path: str, body: bytes) -> tuple[bytes, float]:
    """The HTTP answer to a request, and the seconds to wait before it is sent."""
    parts = path.split("?")[0].strip("/").split("/")
    if len(parts) != 7 or parts[4:] != ["v1", "chat", "completions"]:
        return NOT_FOUND, 0.0
    kind, (steps, delay_ms, width) = parts[0], map(int, parts[1:4])
    if kind == "stream":
        return streamed(steps), delay_ms / 1000
    turn = body.count(b'"role":"assistant"') or body.count(b'"role": "assistant"')
    return reply(kind, steps, turn, width, len(body)), delay_ms / 1000


class _Wire(asyncio.Protocol):
    """One connection: requests one after another."""

    def __init__(self) -> None:
        self.buffer, self.need = bytearray(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.need:
            if (end := self.buffer.find(b"\r\n\r\n")) < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self.path, self.start, self.need = (
                bytes(self.buffer[:end]).split(b" ", 2)[1].decode(),
                end + 4,
                end + 4 + length,
            )
        if len(self.buffer) < self.need:
            return
        body = bytes(self.buffer[self.start : self.need])
        del self.buffer[: self.need]
        self.need = 0
        made, delay_s = answer(self.path, body)
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._send, made)
        else:
            self.transport.write(made)

    def _send(self, made: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(made)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Wire, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
