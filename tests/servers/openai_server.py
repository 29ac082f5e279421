"""A loopback OpenAI-compatible server for tests and benchmarks: it says what it is told, and misbehaves on request.
Listens on 127.0.0.1 only, in a thread of this process or (`apart=True`) in a process of its own.

    with OpenAIServer(replies=[{"tool": "python", "arguments": {"code": "1+1"}}, {"text": "2"}], latency_s=0.05) as server:
        Agent(model="openai:scripted", base_url=server.base_url, api_key="x").run("what is 1+1?")
        assert len(server.requests) == 2
        server.requests[0].json["messages"]

A reply is a dict (or a function `(Seen) -> dict`). What it says:
    text="…"                          words; with a call beside it, both are sent
    tool="name", arguments={…}|"raw"  one tool call; a string is sent as it is (so JSON can be broken)
    calls=[{tool, arguments, id?}]    several calls of one reply; `id` defaults to "call_<request>_<position>"
    usage={…}|None                    what to report; absent: bytes / 4 of what was sent and said. None: nothing
    finish_reason="stop"              absent: "stop" or "tool_calls"
    message={…}                       merged into the message as it is (reasoning_content, function_call, refusal)
How it misbehaves:
    delay_s=0.2                       wait longer before this reply;  chunk_delay_s=0.1: before each streamed chunk
    status=429, headers={…}, body=…   an HTTP answer as given; a dict body is sent as JSON, str/bytes as they are
    drop="before"|"headers"|"body"    close the connection: with nothing sent, after the headers, or in mid-body
    cut=True                          a stream ends without finish_reason and [DONE]; a whole reply is cut in mid-body
    chunk_bytes=3                     streamed bytes go out in pieces of this size, wherever they fall
    no_length=True                    a whole reply without Content-Length, ended by closing the connection
    gzip=True                         a whole reply, compressed although nobody asked
    close=True                        the connection is closed after this (complete) reply, without a word
`select="count"` gives the n-th reply to the n-th request; "turns" counts the assistant messages in the request, so many
runs at once (and a resumed run) each get the right one. After the last reply the last repeats.
`GET /v1/models` lists `models`. Other paths: 404. Does not promise to be a correct HTTP server for anybody else.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Union
from urllib.request import urlopen

Json = dict[str, Any]
Select = Literal["count", "turns"]
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Error"}


@dataclass(frozen=True)
class Seen:
    """A request as it came: `headers` have lower-case names; `json` is the decoded body; `index` counts from 0."""

    index: int
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int = 0

    @property
    def json(self) -> Json:
        """The body, decoded."""
        decoded: Json = json.loads(self.body)
        return decoded


Reply = Union[Json, Callable[[Seen], Json]]  # noqa: UP007  (evaluated at run time by nobody, read by people)


@dataclass
class OpenAIServer:
    """See the module. `requests` holds every POST in order (only in-process); `count()` works either way."""

    replies: Sequence[Reply] = ({"text": "ok"},)
    latency_s: float = 0.0
    select: Select = "count"
    models: Sequence[str] = ("scripted",)
    apart: bool = False
    port: int = 0
    keep_requests: bool = True
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0

    @property
    def base_url(self) -> str:
        """What `--base-url` takes: ends in /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> OpenAIServer:
        if self.apart:
            self._start_process()
        else:
            self._ready = threading.Event()
            self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
            self._thread.start()
            self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self.apart:
            self._child.stdin and self._child.stdin.close()
            self._child.wait(10)
        else:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)

    def count(self) -> int:
        """How many requests have come so far."""
        if not self.apart:
            return len(self.requests)
        with urlopen(f"http://127.0.0.1:{self.port}/count") as response:
            return int(response.read())

    def _start_process(self) -> None:
        script = {"replies": list(self.replies), "latency_s": self.latency_s, "select": self.select}
        script |= {"models": list(self.models), "port": self.port, "keep_requests": False}
        command = [sys.executable, __file__, "--from-stdin"]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(script) + "\n")
        self._child.stdin.flush()
        self.port = int(self._child.stdout.readline())

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self._turns: list[int] = []
        tasks: set[asyncio.Task[None]] = set()
        server = await self._loop.create_server(lambda: _Wire(self, tasks), "127.0.0.1", self.port, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        for task in tasks:
            task.cancel()

    def reply_to(self, seen: Seen) -> Json:
        """The reply this request gets."""
        turn = seen.index if self.select == "count" else seen.body.count(b'"role":"assistant"')
        if self.select == "turns" and not turn:  # somebody else's JSON, with spaces
            turn = seen.body.count(b'"role": "assistant"')
        reply = self.replies[min(turn, len(self.replies) - 1)]
        return reply(seen) if callable(reply) else reply


class _Wire(asyncio.Protocol):
    """One connection: parses requests one after another, answers each."""

    def __init__(self, server: OpenAIServer, tasks: set[asyncio.Task[None]]) -> None:
        self.server, self.tasks, self.buffer, self.need = server, tasks, bytearray(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections += 1
        self.number = self.server.connections

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= self.need and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}
            self.need = end + 4 + int(headers.get("content-length", "0"))
            if len(self.buffer) < self.need:
                return
            body, self.buffer = bytes(self.buffer[end + 4 : self.need]), self.buffer[self.need :]
            self.need = 0
            method, path, _ = head[0].split(" ", 2)
            task = asyncio.get_running_loop().create_task(self._answer(method, path, headers, body))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        server = self.server
        if method == "GET":
            known = {"/v1/models": {"object": "list", "data": [{"id": m} for m in server.models]}}
            known["/count"] = len(server._turns)  # type: ignore[assignment]
            return self._send(200 if path in known else 404, json.dumps(known.get(path, {"error": "no"})).encode())
        if path.partition("?")[0] not in ("/v1/chat/completions", "/chat/completions"):
            return self._send(404, b'{"error": {"message": "Not Found"}}')
        seen = Seen(len(server._turns), path, headers, body, self.number)
        server._turns.append(1)
        if server.keep_requests:
            server.requests.append(seen)
        reply = server.reply_to(seen)
        if wait_s := server.latency_s + reply.get("delay_s", 0.0):
            await asyncio.sleep(wait_s)
        if reply.get("drop") == "before":
            return self.transport.abort()
        if "status" in reply or "body" in reply:
            return self._send_as_given(reply)
        if b'"stream":true' in body or b'"stream": true' in body:
            return await self._stream(seen, reply)
        return self._send_whole(seen, reply)

    def _send_as_given(self, reply: Json) -> None:
        body = reply.get("body", {"error": {"message": "scripted error"}})
        raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self._send(reply.get("status", 200), raw, reply.get("headers", {}))
        if reply.get("close"):
            self.transport.close()

    def _send_whole(self, seen: Seen, reply: Json) -> None:
        body = json.dumps(whole(seen, reply)).encode()
        headers = dict(reply.get("headers", {}))
        if reply.get("gzip"):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        cut = bool(reply.get("cut") or reply.get("drop"))
        upto = (0 if reply.get("drop") == "headers" else len(body) // 2) if cut else None
        self._send(200, body, headers, length=not reply.get("no_length"), upto=upto)
        if cut or reply.get("no_length") or reply.get("close"):
            self.transport.close()

    def _send(
        self, status: int, body: bytes, headers: Json | None = None, *, length: bool = True, upto: int | None = None
    ) -> None:
        fields = {"Content-Type": "application/json"} | (headers or {})
        fields |= {"Content-Length": len(body)} if length else {"Connection": "close"}
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}", *(f"{k}: {v}" for k, v in fields.items())]
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body[:upto])

    async def _stream(self, seen: Seen, reply: Json) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.transport.write(head)
        events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks(seen, reply)]
        if not reply.get("cut"):
            events.append(b"data: [DONE]\n\n")
        pause_s = reply.get("chunk_delay_s", 0.0)
        for piece in _pieces(events, reply.get("chunk_bytes", 0)):
            if pause_s:
                await asyncio.sleep(pause_s)
            self.transport.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if reply.get("drop"):
            self.transport.close()
        else:
            self.transport.write(b"0\r\n\r\n")


def _pieces(events: list[bytes], size: int) -> list[bytes]:
    if not size:
        return events
    whole_stream = b"".join(events)
    return [whole_stream[at : at + size] for at in range(0, len(whole_stream), size)]


def calls_of(seen: Seen, reply: Json) -> list[Json]:
    """The tool calls of a reply, as the API writes them."""
    drafts = list(reply.get("calls", ()))
    if "tool" in reply:
        drafts.insert(0, reply)
    made = []
    for position, draft in enumerate(drafts):
        arguments = draft.get("arguments", {})
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = draft.get("id", f"call_{seen.index}_{position}")
        made.append({"id": call_id, "type": "function", "function": {"name": draft["tool"], "arguments": text}})
    return made


def usage_of(seen: Seen, reply: Json) -> Json | None:
    """The usage to report: as given, or a deterministic bytes / 4."""
    if "usage" in reply:
        given: Json | None = reply["usage"]
        return given
    said = len(json.dumps(reply))
    return {"prompt_tokens": len(seen.body) // 4, "completion_tokens": said // 4}


def whole(seen: Seen, reply: Json) -> Json:
    """A chat completion in one piece."""
    calls = calls_of(seen, reply)
    message: Json = {"role": "assistant", "content": reply.get("text")}
    if calls:
        message["tool_calls"] = calls
    message |= reply.get("message", {})
    finish = reply.get("finish_reason", "tool_calls" if calls else "stop")
    made: Json = {"id": "chatcmpl-1", "object": "chat.completion", "model": "scripted"}
    made["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    if (usage := usage_of(seen, reply)) is not None:
        made["usage"] = usage
    return made


def chunks(seen: Seen, reply: Json) -> list[Json]:
    """The same completion as stream chunks: words, calls (header, then arguments in halves), finish reason, usage."""

    def chunk(delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}

    made = [chunk({"role": "assistant", "content": ""})]
    words = (reply.get("text") or "").split(" ")
    made += [chunk({"content": word if at == 0 else " " + word}) for at, word in enumerate(words) if word or at]
    calls = calls_of(seen, reply)
    for index, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        first = {"index": index, "id": call["id"], "type": "function"}
        made.append(chunk({"tool_calls": [first | {"function": {"name": call["function"]["name"], "arguments": ""}}]}))
        half = len(arguments) // 2
        for part in (arguments[:half], arguments[half:]):
            made.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]}))
    if reply.get("message"):
        made.append(chunk(reply["message"]))
    if not reply.get("cut"):
        made.append(chunk({}, reply.get("finish_reason", "tool_calls" if calls else "stop")))
        if (usage := usage_of(seen, reply)) is not None:
            made.append({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage})
    return made


def main() -> None:
    """Serve one text reply until stdin closes: by hand, or for `apart=True`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--from-stdin", action="store_true", help="read the script as one line of JSON")
    parser.add_argument("--text", default="ok")
    parser.add_argument("--port", type=int, default=0)
    flags = parser.parse_args()
    script = json.loads(sys.stdin.readline()) if flags.from_stdin else {"replies": [{"text": flags.text}]}
    with OpenAIServer(**({"port": flags.port} | script)) as server:
        print(server.port, flush=True)  # noqa: T201  (the parent reads it)
        sys.stdin.read()


if __name__ == "__main__":
    main()
