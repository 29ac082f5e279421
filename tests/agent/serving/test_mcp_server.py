"""Outrider driven by another program's MCP client: a goal is answered, memory is searched, the policy holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from outrider.agent.history.file_changes import undo
from outrider.agent.history.run_view import list_runs
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from tests.servers.web import WebServer, answer

PROGRAM = "import sys; from outrider.agent.cli import main; sys.exit(main())"


async def test_another_program_hands_over_a_goal_and_uses_tools(tmp_path: Path) -> None:
    """run answers with evidence, recall finds it, a tool that reads works, one that asks is refused, nonsense is an error."""
    script = tmp_path / "s.json"
    script.write_text(json.dumps([{"tool": "calculate", "arguments": {"expression": "6*7"}}, {"text": "6*7 is 42"}]))
    server = StdioServerParameters(
        command=sys.executable, args=["-c", PROGRAM, "mcp", "--model", f"scripted:{script}"], cwd=str(tmp_path),
        env={"OUTRIDER_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    async with Client(stdio_client(server)) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"run", "recall", "read_file", "calculate"} <= names
        assert not {"ask_user", "delegate", "plan"} & names
        done = await client.call_tool("run", {"goal": "compute"})
        answered = json.loads(done.content[0].text)
        assert (done.is_error, answered["state"], answered["answer"]) == (False, "answered", "6*7 is 42")
        found = await client.call_tool("recall", {"query": "42"})
        assert answered["run"] in found.content[0].text
        (tmp_path / "a.txt").write_text("hello")
        assert "hello" in (await client.call_tool("read_file", {"path": "a.txt"})).content[0].text
        for name, arguments in (
            ("http_request", {"url": "http://example.org", "method": "POST"}), ("read_file", {"path": "../home/memory.db"}),
            ("read_file", {"nope": 1}), ("nothing", {}), ("run", {"goal": ""}), ("recall", {}),
        ):  # fmt: skip
            refused = await client.call_tool(name, arguments)
            assert refused.is_error or name == "recall", name


SECRET = "planted/Value+0123456789=x"


async def session(
    folder: Path, calls: list[tuple[str, dict[str, Any]]], *flags: str, url: str = ""
) -> list[tuple[str, bool]]:
    """What another program's MCP client gets for its calls, in one session: (text, whether it is an error)."""
    script = folder / "s.json"
    script.write_text(json.dumps([{"tool": "http_request", "arguments": {"url": url}}, {"text": "ok"}]))
    server = StdioServerParameters(
        command=sys.executable, args=["-c", PROGRAM, "mcp", "--model", f"scripted:{script}", *flags], cwd=str(folder / "work"),
        env={"OUTRIDER_HOME": str(folder / "home"), "PATH": os.environ["PATH"], "HOME": str(folder), "PLANTED_TOKEN": SECRET},
    )  # fmt: skip
    got = []
    async with Client(stdio_client(server)) as client:
        for name, arguments in calls:
            done = await client.call_tool(name, arguments)
            got.append((done.content[0].text, bool(done.is_error)))
    return got


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "notes.txt").write_text("canary7719alpha")
    (tmp_path / "work" / "env.txt").write_text(f"token={SECRET} key=sk-abcdefABCDEF0123456789abcd")
    return tmp_path


async def test_a_tool_call_shows_and_stores_no_secret(folder: Path) -> None:
    """Masked as in a run: in what the other program gets, in errors, and in every byte of the database."""
    got = await session(
        folder,
        [("read_file", {"path": "env.txt"}), ("read_file", {"path": f"no/{SECRET}"}), ("calculate", {"expression": SECRET}),
         (f"tool-{SECRET}", {}), ("search_files", {"pattern": "token"})],
    )  # fmt: skip
    assert got[0] == ("token={{secret:PLANTED_TOKEN}} key=[hidden: sk key]", False)
    assert not [text for text, _ in got if SECRET in text]
    stored = b"".join(file.read_bytes() for file in (folder / "home").glob("memory.db*"))
    assert b"planted/Value" not in stored
    assert b"sk-abcdef" not in stored


async def test_what_a_session_has_read_is_not_sent_by_its_next_call(folder: Path) -> None:
    """The rule of two holds over the calls of one client; before it read anything private, looking up is free."""
    with WebServer({"/a": answer(b"hello")}) as server:
        look = ("read_page", {"url": server.url("/a")})
        leak = ("read_page", {"url": server.url("/canary7719alpha")})
        allow = ("--allow-host", server.host)
        free, _, refused, by_run, code = await session(
            folder,
            [look, ("read_file", {"path": "notes.txt"}), leak, ("run", {"goal": f"fetch {server.url('/x')} for me"}),
             ("python", {"code": f"tools.read_page(url={server.url('/canary7719alpha')!r})"})],
            *allow, url=server.url("/x"),
        )  # fmt: skip
        assert free[0].endswith("hello")
        assert not free[1]
        assert refused[1]
        assert "has read the file notes.txt" in refused[0]
        assert '"run"' in by_run[0]
        assert "has read" in code[0]
        assert not [asked for asked in server.requests if "canary" in asked.path or asked.path == "/x"]


async def test_a_session_is_recorded_as_a_run(folder: Path) -> None:
    """It verifies, it is told by show, and undo brings back what its calls changed."""
    await session(
        folder, [("write_file", {"path": "notes.txt", "content": "gone"}), ("calculate", {"expression": "6*7"})]
    )
    with closing(Store(f"sqlite:///{folder / 'home' / 'memory.db'}")) as store:
        (run_id,) = [listed.id for listed in list_runs(store)]
        events = [stored.event for stored in Journal.open_for_reading(store, run_id).read()]
        assert [e.kind for e in events if e.kind == "tool_called"] == ["tool_called"] * 2
        assert events[-1].kind == "stopped"
        assert verify(Journal.open_for_reading(store, run_id)).ok
        assert undo(store, run_id).restored == ("notes.txt",)
    assert (folder / "work" / "notes.txt").read_text() == "canary7719alpha"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_session_though_its_client_says_nothing_more(
    folder: Path, number: signal.Signals, code: int
) -> None:
    """The server waits for no other line: the run is ended, and the process is gone while its stdin is still open."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "mcp", "--model", "scripted:none.json"], cwd=folder / "work", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"OUTRIDER_HOME": str(folder / "home"), "PATH": os.environ["PATH"], "HOME": str(folder)},
    ) as server:  # fmt: skip
        assert server.stdin
        assert server.stdout
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        for message in (
            {"id": 0, "method": "initialize", "params": client},
            {"method": "notifications/initialized"},
            {"id": 1, "method": "tools/call", "params": {"name": "calculate", "arguments": {"expression": "6*7"}}},
        ):
            server.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")
            server.stdin.flush()
        while b'"id":1' not in server.stdout.readline():
            assert server.poll() is None
        server.send_signal(number)
        try:
            assert server.wait(60) == code
        finally:
            server.kill()
    with closing(Store(f"sqlite:///{folder / 'home' / 'memory.db'}")) as store:
        (listed,) = list_runs(store)
        assert listed.state == "answered"
        Journal.open_for_writing(store, listed.id).release()
