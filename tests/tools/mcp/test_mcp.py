"""Tools of MCP servers: called right, kept in time, never trusted, and what dies or changes is said."""

from __future__ import annotations

import asyncio
import http.server
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.agent import Agent
from outrider.memory.errors import UsageError
from outrider.memory.events import ToolReturned
from outrider.memory.store import Store
from outrider.tools.mcp.connection import close_all
from outrider.tools.mcp.servers import read_servers
from outrider.tools.mcp.tools import mcp_tools
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError

SERVER = str(Path(__file__).parents[2] / "servers" / "mcp_server.py")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()


def named(tmp_path: Path, **servers: Any) -> Path:
    """A file that names servers."""
    file = tmp_path / "servers.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    return file


def ours(what: str, *more: str, **entry: Any) -> dict[str, Any]:
    """Our test server as an entry."""
    return {"command": sys.executable, "args": [SERVER, what, *more], **entry}


def tools(tmp_path: Path, what: str, *more: str, **entry: Any) -> dict[str, Tool]:
    """Its tools by name."""
    return {tool.name: tool for tool in mcp_tools(named(tmp_path, s=ours(what, *more, **entry)))}


def call(tool: Tool, tmp_path: Path, **arguments: Any) -> Observation:
    """One call as the toolbox makes it."""
    done = asyncio.run(tool.run(tool.check(arguments), ToolContext(workspace=tmp_path)))
    assert isinstance(done, Observation)
    return done


def test_a_tool_of_a_server_is_called_and_its_words_are_untrusted(tmp_path: Path) -> None:
    """What comes back is the server's; an error of it is a failed call; approval is asked unless a person says it reads."""
    found = tools(tmp_path, "plain", read=["ec*"])
    echo = found["s_echo"]
    assert call(echo, tmp_path, text="hi").text == "echo: hi"
    assert not call(echo, tmp_path, text="fail").ok
    assert (echo.origin, echo.effect, found["s_die"].effect) == ("untrusted", "read", "network")


@pytest.mark.parametrize("arguments", [{}, {"text": 7}, {"txt": "hi"}])
def test_arguments_that_do_not_fit_never_reach_the_server(tmp_path: Path, arguments: dict[str, Any]) -> None:
    """They are checked here, and the model reads what is right."""
    echo = tools(tmp_path, "plain")["s_echo"]
    with pytest.raises(ToolError, match="do not fit") as caught:
        echo.check(arguments)
    assert '"required": ["text"]' in str(caught.value)


def test_every_page_of_a_long_list_is_read(tmp_path: Path) -> None:
    """A server of 100 tools has 100 here."""
    found = tools(tmp_path, "many")
    assert len(found) == 100
    assert call(found["s_tool99"], tmp_path, text="x").text == "tool99: x"


def test_a_call_that_hangs_ends_at_its_deadline(tmp_path: Path) -> None:
    """A hung server cannot hold a run past the limit of the call."""
    echo = tools(tmp_path, "hang", timeout_s=1)["s_echo"]
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"in time|[Tt]imed out"):
        call(echo, tmp_path, text="x")
    assert time.monotonic() - began < 15


def test_a_server_that_dies_in_a_call_is_not_asked_twice_and_comes_back_for_the_next(tmp_path: Path) -> None:
    """An effect is not repeated; the outcome is said to be unknown; the next call starts the server again."""
    mark = tmp_path / "mark"
    found = tools(tmp_path, "plain", str(mark))
    with pytest.raises(ToolError, match="died during the call") as caught:
        call(found["s_die"], tmp_path, text="x")
    assert "unknown" in caught.value.why
    assert mark.read_text().count("effect") == 1
    assert call(found["s_echo"], tmp_path, text="again").text == "echo: again"


def test_a_server_that_describes_itself_otherwise_is_refused(tmp_path: Path) -> None:
    """What a person saw is what is called: a tool whose words changed since is not."""
    found = tools(tmp_path, "fickle", str(tmp_path / "mark"))
    assert call(found["s_echo"], tmp_path, text="x").text == "echo: x"
    with pytest.raises(ToolError, match="died"):
        call(found["s_die"], tmp_path, text="x")
    with pytest.raises(ToolError, match="changed its tool 'echo'"):
        call(found["s_echo"], tmp_path, text="x")


def test_what_a_hostile_server_says_of_itself_is_fenced_cut_and_fetches_nothing(tmp_path: Path) -> None:
    """Names become names, words are marked and short, no reference is followed."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    found = tools(tmp_path, "hostile", str(tmp_path / "mark"), str(listener.server_port))
    listener.shutdown()
    listener.server_close()
    assert set(found) == {"s_echo__rm_-rf__", "s_second", "s_cyclic"}
    hostile = found["s_echo__rm_-rf__"]
    assert hostile.description.startswith("Tool of the MCP server s, which says of it: “")
    assert hostile.description.count("”") == 1
    assert len(hostile.description) < 800
    assert not {"\u202e", "\U000e0041"} & set(hostile.description)
    assert "<|im_end|>" not in hostile.description
    assert hostile.parameters == {"type": "object"} == found["s_second"].parameters
    assert found["s_cyclic"].check({"n": {"n": {}}}) == {"n": {"n": {}}}
    assert asked == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"command": sys.executable, "args": ["-c", "import sys; sys.exit('no licence')"]}, "no licence"),
        ({"command": "there-is-no-such-program"}, "there-is-no-such-program"),
        ({"url": "http://127.0.0.1:9/mcp"}, "failed"),
        ({"url": "file:///etc/passwd"}, "failed"),
    ],
)
def test_a_server_that_does_not_start_is_named_with_what_it_said(
    tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    """A run without a tool a person asked for does not begin in silence."""
    with pytest.raises(UsageError, match="'bad'") as caught:
        mcp_tools(named(tmp_path, bad=entry))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"mcpServers": {}}', '{"mcpServers": {"a": 1}}', '{"mcpServers": {"a": {}}}', "{",
     '{"mcpServers": {"a": {"command": "x", "url": "http://y"}}}', '{"mcpServers": {"a b": {"command": "x"}}}',
     '{"mcpServers": {"a": {"command": "x", "env": {"K": "${OUTRIDER_NOT_SET}"}}}}'],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str) -> None:
    """Nothing is started for a file that cannot be meant."""
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(UsageError):
        read_servers(file)


def test_variables_are_filled_from_the_environment_and_toml_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key stands in the environment, not in the file."""
    monkeypatch.setenv("MY_KEY", "s3cret")
    file = tmp_path / "c.toml"
    file.write_text('[mcp.a]\nurl = "http://127.0.0.1:1/mcp"\nheaders = { Authorization = "Bearer ${MY_KEY}" }\n')
    (spec,) = read_servers(file)
    assert spec.headers == {"Authorization": "Bearer s3cret"}


async def test_a_run_uses_a_server_and_needs_a_yes_for_what_is_not_said_to_read(store: Store, tmp_path: Path) -> None:
    """The policy governs these tools like any other: nobody there, no call; allowed, called and recorded as untrusted."""
    script = tmp_path / "s.json"
    script.write_text(json.dumps([{"tool": "s_echo", "arguments": {"text": "42"}}, {"text": "42"}]))
    file = named(tmp_path, s=ours("plain"))
    for policy, ran, text in (({}, False, "Not allowed"), ({"network": "allow"}, True, "echo: 42")):
        agent = Agent(f"scripted:{script}", tools=["plan"], memory=store, tools_from=(str(file),), policy=policy)
        run = await agent.arun("go")
        (returned,) = [stored.event for stored in run.events() if isinstance(stored.event, ToolReturned)]
        assert (returned.ran, returned.origin == "untrusted") == (ran, ran)
        assert text in returned.text


@pytest.mark.slow
def test_public_servers_work_end_to_end(tmp_path: Path) -> None:
    """Reference servers nobody here wrote: time and fetch from the package index, everything from npm, stdio and HTTP."""
    bin_ = Path(sys.executable).parent
    found = {t.name: t for t in mcp_tools(named(tmp_path, time={"command": str(bin_ / "mcp-server-time")},
                                                fetch={"command": str(bin_ / "mcp-server-fetch")}))}  # fmt: skip
    assert "Europe/Rome" in call(found["time_get_current_time"], tmp_path, timezone="Europe/Rome").text
    assert not call(found["time_get_current_time"], tmp_path, timezone="Nowhere/At_all").ok
    assert "fetch_fetch" in found


@pytest.mark.slow
@pytest.mark.node
def test_the_everything_server_works_over_stdio_and_http(tmp_path: Path) -> None:
    """Every feature of the protocol's reference server: text, sums, pictures, resources, prompts."""
    import os
    import socket
    import subprocess

    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = Path(os.environ.get("OUTRIDER_NPM", tmp_path / "npm"))
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "node_modules" / ".bin" / "mcp-server-everything"
    if not program.exists():
        subprocess.run(
            [npm, "install", "--silent", "@modelcontextprotocol/server-everything"], cwd=folder, check=True, timeout=300
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        ["node", str(program), "streamableHttp"], env=os.environ | {"PORT": str(port)}, stdout=-3, stderr=-3
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        file = named(
            tmp_path, io={"command": "node", "args": [str(program)]}, web={"url": f"http://127.0.0.1:{port}/mcp"}
        )
        found = {tool.name: tool for tool in mcp_tools(file)}
        for server in ("io", "web"):
            assert call(found[f"{server}_echo"], tmp_path, message="hi").text == "Echo: hi"
            assert "42" in call(found[f"{server}_get-sum"], tmp_path, a=2, b=40).text
            picture = call(found[f"{server}_get-tiny-image"], tmp_path)
            assert picture.files[0].data.startswith(b"\x89PNG")
            assert call(found[f"{server}_get_prompt"], tmp_path, name="simple-prompt").ok
    finally:
        close_all()
        serving.terminate()
        serving.wait(10)
