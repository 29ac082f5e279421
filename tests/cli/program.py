"""The program as a person starts it: a process of its own, a home of its own, no key, no configuration, no model server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.cli.app import run_command_line

COMPILED = Path(__file__).parents[2] / ".pytest_cache" / "compiled"  # each process would compile everything again
TOOLS = '''
import time
from pathlib import Path
from outrider.tools import ToolContext, tool

@tool(effect="read")
def price(symbol: str) -> str:
    """Price of a share."""
    return f"{symbol} closed at 41.5 dollars"

@tool(effect="network")
def send(text: str, context: ToolContext) -> str:
    """Send a text."""
    with (context.workspace / "sent.txt").open("a") as file:
        file.write(text + "\\n")
    return "sent"

@tool(effect="read")
def long(count: int) -> str:
    """Many letters."""
    return "L" * count + " end"

@tool(effect="read", fresh_s=0)
def slow(seconds: float) -> str:
    """Wait."""
    time.sleep(seconds)
    return f"waited {seconds}"
'''


@dataclass
class Result:
    """What a process left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Program:
    """`outrider` in a folder of its own. `tools` is a tools file, `script(…)` makes a scripted model."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.work = self.folder / "work"
        self.work.mkdir(parents=True)
        self.tools = self.folder / "my_tools.py"
        self.tools.write_text(TOOLS)

    def script(self, *replies: dict[str, Any], name: str = "script.json") -> str:
        """The spec of a model that gives these replies."""
        (self.folder / name).write_text(json.dumps(list(replies)))
        return f"scripted:{self.folder / name}"

    def __call__(self, *arguments: str, input: str | None = None, timeout: float = 60, **extra: Any) -> Result:
        """Run to the end."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.work, env=self.env(), input=input, timeout=timeout,
            stdin=subprocess.DEVNULL if input is None else None, capture_output=True, text=True, check=False, **extra,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    def here(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str, input: str = ""
    ) -> Result:
        """The same in this process: for what needs no process of its own, a hundred times as quick."""
        for name in set(os.environ) - set(self.env()):
            if name.startswith(("OUTRIDER_", "OPENAI_")):
                monkeypatch.delenv(name)
        for name, value in self.env().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(self.work)
        monkeypatch.setattr(sys, "stdin", io.StringIO(input))
        capfd.readouterr()
        code = run_command_line(list(arguments))
        return Result(code, *capfd.readouterr())

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        """Start, and leave it running."""
        return subprocess.Popen(
            self.command(*arguments), cwd=self.work, env=self.env(), text=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
        )  # fmt: skip

    def run_args(self, model: str, *more: str) -> tuple[str, ...]:
        """`run` with a scripted model and the tools file, and none of the built-in tools but `plan`."""
        return ("run", "go", "--model", model, "--tools-from", str(self.tools), "--tool", "plan", *more)

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The command line that starts the program."""
        return [sys.executable, "-c", "import sys; from outrider.agent.cli import main; sys.exit(main())", *arguments]

    def env(self) -> dict[str, str]:
        """The environment: nothing of the person who runs the tests but the path."""
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR") if name in os.environ
        }
        mine = {
            "OUTRIDER_HOME": str(self.home),
            "PYTHONPYCACHEPREFIX": str(COMPILED),
            "COLUMNS": "100",
            "PAGER": "cat",  # nobody is there to leave one
        }
        return kept | mine | self.environment
