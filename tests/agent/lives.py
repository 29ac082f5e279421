"""A run that is killed and taken up again: processes to kill (forked from this warm one) and a server that counts.
Linux and macOS only: it forks. The parent keeps no thread while it forks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from outrider.agent import Agent, Budget
from outrider.agent.assemble import Listeners
from outrider.agent.models.scripted import ScriptedModel
from outrider.memory.journal import Stored
from outrider.tools.tool import ToolContext, tool

STEPS = 6


class CountingServer:
    """Writes down every request it gets, before it answers. `counts()` tells how often each path came."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "requests.log"
        self._log.touch()

    def __enter__(self) -> CountingServer:
        log = self._log

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with log.open("a") as file:
                    file.write(f"{self.command} {self.path}\n")
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        self._pid = os.fork()
        if self._pid == 0:
            try:
                server.serve_forever()
            finally:
                os._exit(0)
        server.socket.close()
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def counts(self) -> Counter[str]:
        """How often each "METHOD /path" came."""
        return Counter(self._log.read_text().splitlines())


def agent(url: str, port: int, workspace: Path, on_event: Any) -> Agent:
    """An agent with a tool of each effect; what it sends and writes is named by the call that did it."""

    @tool
    def fetch(n: int, ctx: ToolContext) -> str:
        """Read from the server."""
        with urlopen(f"http://127.0.0.1:{port}/fetch/{ctx.run_id}/{ctx.call_id}") as response:
            return f"{response.read().decode()} {n}"

    @tool(effect="network")
    def send(n: int, ctx: ToolContext) -> str:
        """Send to the server."""
        with urlopen(f"http://127.0.0.1:{port}/send/{ctx.run_id}/{ctx.call_id}", data=b"x") as response:
            return f"sent {response.read().decode()} {n}"

    @tool(effect="write")
    def write(n: int, ctx: ToolContext) -> str:
        """Add a line to a file."""
        with (ctx.workspace / "lines.txt").open("a") as file:
            file.write(f"{ctx.run_id} {ctx.call_id}\n")
        return f"wrote {n}"

    names = ("fetch", "send", "write")
    replies: list[dict[str, Any]] = [
        {"calls": [{"tool": names[(i + j) % 3], "arguments": {"n": 10 * i + j}} for j in range(2)]}
        for i in range(STEPS)
    ]
    return Agent(
        model=ScriptedModel(replies=[*replies, {"text": "It is at its end."}]),
        tools=[fetch, send, write],
        memory=url,
        workspace=str(workspace),
        policy={"network": "allow"},
        budget=Budget(steps=50, tokens=10_000_000, calls=100),
        listeners=Listeners(on_event=on_event),
    )


class Life:
    """One process that drives the run. `acked`: (seq, hash) of every event it was told is on disk."""

    def __init__(self, url: str, port: int, workspace: Path, run_id: str = "", die_at: int = 0) -> None:
        self._reader, writer = os.pipe()
        self.acked: list[tuple[int, str, str]] = []
        self.pid = os.fork()
        if self.pid:
            os.close(writer)
            return
        code = 1
        try:
            seen = 0

            def on_event(stored: Stored) -> None:
                nonlocal seen
                seen += 1
                os.write(writer, json.dumps([stored.seq, stored.hash.hex(), stored.run]).encode() + b"\n")
                if seen == die_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            one = agent(url, port, workspace, on_event)
            done = one.resume(run_id) if run_id else one.run("do it all")
            code = 0 if done.state == "answered" else 3
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)

    def end(self, kill_after_s: float | None = None) -> int:
        """Wait for its end (killing it after a while, if asked); returns the exit code, -9 if it was killed."""
        if kill_after_s is not None:
            deadline = time.monotonic() + kill_after_s
            while time.monotonic() < deadline and not select.select([self._reader], [], [], 0)[0]:
                time.sleep(0.0002)
            time.sleep(max(0.0, deadline - time.monotonic()))
            os.kill(self.pid, signal.SIGKILL)
        with os.fdopen(self._reader, "rb") as pipe:
            lines = pipe.read().splitlines()
        status = os.waitpid(self.pid, 0)[1]
        self.acked = [tuple(json.loads(line)) for line in lines if line.endswith(b"]")]
        return os.waitstatus_to_exitcode(status)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
