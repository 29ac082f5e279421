"""Outrider driven by another program's MCP client: a goal is answered, memory is searched, the policy holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

PROGRAM = "import sys; from outrider.agent.cli import main; sys.exit(main())"


async def test_another_program_hands_over_a_goal_and_uses_tools(tmp_path: Path) -> None:
    """run answers with evidence, recall finds it, a tool that reads works, one that asks is refused, nonsense is an error."""
    import os

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
