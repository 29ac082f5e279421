"""The python and shell tools: what the model reads for every way a call can end, and what is kept between calls."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outrider.tools.code import code_tools as tools
from outrider.tools.code.replay_safety import why_not_again
from outrider.tools.sandbox import choose
from outrider.tools.tool import Observation, ToolContext, ToolError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(50)).decode()


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[ToolContext]:
    """A run's context with a small sandbox, closed at the end as the run does."""
    limits = {"seconds": 10, "memory_mb": 512, "disk_mb": 32, "processes": 32, "output_chars": 5000}
    made = ToolContext(workspace=tmp_path, settings={"sandbox": limits})
    yield made
    for value in made.scratch.values():
        value.close()


async def python(context: ToolContext, code: str) -> Observation:
    seen = await tools.python.run(tools.python.check({"code": code}), context)
    assert isinstance(seen, Observation)
    return seen


async def shell(context: ToolContext, command: str) -> Observation:
    seen = await tools.shell.run(tools.shell.check({"command": command}), context)
    assert isinstance(seen, Observation)
    return seen


async def test_the_last_value_is_shown_and_state_is_kept(context: ToolContext) -> None:
    """As in a notebook."""
    assert await python(context, "x = 48317 * 271 - 999\nx") == Observation("13092908")
    assert await python(context, "print('is'); x") == Observation("is\n13092908")
    assert await python(context, "y = 1") == Observation("done (no output)")


async def test_a_traceback_begins_at_the_users_code(context: ToolContext) -> None:
    """Nothing of ours is in it, and lines of earlier calls are shown."""
    await python(context, "def f(n):\n    return 1 / n")
    seen = await python(context, "f(0)")
    assert not seen.ok
    assert seen.text.startswith('Traceback (most recent call last):\n  File "<cell 2>", line 1')
    assert "return 1 / n" in seen.text
    assert seen.text.endswith("ZeroDivisionError: division by zero")
    assert "inside_runner" not in seen.text


@pytest.mark.parametrize(
    ("code", "said", "state_is_kept"),
    [
        ("import time; time.sleep(60)", "stopped: it ran longer than it may", False),
        ("x = bytearray(5 << 30)", "stopped: it used more than 512 MB of memory", True),
        ("while True: print('x' * 100_000)", "stopped: it printed without end", False),
        ("open('f', 'wb').write(bytes(60 << 20))", "stopped: its files are over 32 MB", True),
        ("import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(1,)).start()", "more than 32 processes", True),
        ("import os; os._exit(3)", "exit code 3", False),
        ("import os; os.abort()", "exit code 134", False),
    ],
)  # fmt: skip
async def test_every_ending_is_told(context: ToolContext, code: str, said: str, state_is_kept: bool) -> None:
    """What stopped it, what to do, and whether the variables are gone."""
    context.settings["sandbox"]["seconds"] = 1.5
    await python(context, "kept = 5")
    seen = await python(context, code)
    assert not seen.ok
    assert said in seen.text
    assert ("variables of earlier calls are gone" in seen.text) != state_is_kept
    after = await python(context, "kept")
    assert after.ok == state_is_kept


async def test_the_runs_own_time_bounds_a_call(context: ToolContext) -> None:
    """A call never outlives what is left of the run."""
    context.seconds_left = lambda: 2.4
    seen = await python(context, "import time; time.sleep(60)")
    assert "it ran longer than it may (0.4 s)" in seen.text


async def test_a_cancelled_call_takes_its_code_down(context: ToolContext) -> None:
    """Ctrl-C in the agent ends the code too."""
    await python(context, "x = 1")
    call = asyncio.create_task(
        python(context, "open('mark', 'w').close()\nimport time\ntime.sleep(3)\nopen('late', 'w').close()")
    )
    await asyncio.sleep(0.5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0.3)
    assert (await shell(context, "ls")).text == "mark"


async def test_files_and_pictures_come_back(context: ToolContext) -> None:
    """Changed files are named; pictures are kept with the run."""
    seen = await python(
        context, f"import base64\nopen('p.png', 'wb').write(base64.b64decode('{PNG}'))\nopen('t.txt', 'w').write('x');"
    )
    assert seen.text.endswith("[files changed: p.png, t.txt]")
    assert [(file.name, file.media_type, len(file.data)) for file in seen.files] == [("p.png", "image/png", 58)]
    assert (context.workspace / "t.txt").read_text() == "x"


async def test_a_figure_left_open_becomes_a_picture(context: ToolContext) -> None:
    """Figures of matplotlib are saved as plot-1.png, plot-2.png, each once, over no file that was there."""
    context.settings["sandbox"]["memory_mb"] = 1024
    (context.workspace / "plot-2.png").write_bytes(b"mine")
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.figure(); plt.plot([2, 1]); None"
    seen = await python(context, draw)
    assert [(file.name, file.media_type) for file in seen.files] == [
        ("plot-1.png", "image/png"),
        ("plot-3.png", "image/png"),
    ]
    assert all(file.data.startswith(b"\x89PNG\r\n\x1a\n") and len(file.data) > 1000 for file in seen.files)
    assert (context.workspace / "plot-2.png").read_bytes() == b"mine"
    assert not (await python(context, "1 + 1")).files


async def test_the_shell_tells_its_status(context: ToolContext) -> None:
    """Output first, then what the status was."""
    assert await shell(context, "echo hi") == Observation("hi")
    seen = await shell(context, "echo out; echo err >&2; exit 1")
    assert (seen.ok, seen.text) == (False, "out\nstderr:\nerr\n[exit code 1]")


async def test_code_calls_tools_of_the_run(context: ToolContext) -> None:
    """`tools.<name>()` goes through the run, JSON comes back as values, a refusal as an exception."""
    asked: list[tuple[str, dict[str, Any]]] = []

    async def call_tool(name: str, arguments: dict[str, Any]) -> Observation:
        asked.append((name, arguments))
        if name == "send":
            raise ToolError("code may not call send", "its effect is network", "call it as a tool of its own")
        return Observation('{"rows": 3}') if name == "table" else Observation("plain text")

    context.call_tool = call_tool
    assert (await python(context, "tools.table(path='a.csv')['rows'] + 1")).text == "4"
    assert (await python(context, "tools.read_file(path='a')")).text == "'plain text'"
    assert "code may not call send" in (await python(context, "tools.send(to='x')")).text
    assert asked[0] == ("table", {"path": "a.csv"})


async def test_without_isolation_nothing_runs_and_the_fix_is_told(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the way round, and nothing was run."""
    monkeypatch.setattr(choose, "IN_ORDER", ())
    with pytest.raises(ToolError, match="--unsafe-no-sandbox"):
        await python(context, "open('ran', 'w')")
    assert not (context.workspace / "ran").exists()


async def test_unsafe_runs_without_a_sandbox_and_says_so(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when the person gave it up."""
    monkeypatch.setattr(choose, "IN_ORDER", ())
    context.unsafe = True
    seen = await python(context, "1 + 1")
    assert seen.text == "2\n[this ran without a sandbox (--unsafe-no-sandbox)]"


async def test_reduced_isolation_is_asked_for_once(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there: refused. A yes holds for the run. (A stand-in of that name: the question is what is tested.)"""
    import dataclasses

    from outrider.tools.sandbox.namespaces import NAMESPACES

    monkeypatch.setattr(choose, "IN_ORDER", (dataclasses.replace(NAMESPACES, name="landlock"),))
    monkeypatch.setattr(choose, "_known", {})  # what another test found out about the real one
    with pytest.raises(ToolError, match="nobody allowed it"):
        await python(context, "1")
    questions = []

    async def ask(question: str) -> str:
        questions.append(question)
        return "yes"

    context.ask = ask
    assert "[this ran in reduced isolation (landlock)]" in (await python(context, "1")).text
    await python(context, "2")
    assert len(questions) == 1


async def test_restore_runs_harmless_cells_again(context: ToolContext) -> None:
    """Variables are back, and what could not be repeated is told."""
    said = await tools.restore(context, ["import math\nx = math.floor(2.5)", "def f(): return x + 1"])
    assert said == "python was started again, and all 2 calls run again: its variables are there"
    assert (await python(context, "f()")).text == "3"


async def test_restore_repeats_no_effect(context: ToolContext) -> None:
    """It stops at the first call that did something, and says which."""
    said = await tools.restore(context, ["x = 1", "open('ran', 'w').write('x')", "y = 2"])
    assert "variables of its first 1 calls are there again" in said
    assert "those of the last 2 are gone (call 2: it" in said
    assert not (context.workspace / "ran").exists()
    assert await tools.restore(context, []) == ""


@pytest.mark.parametrize(
    "code",
    [
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.groupby('a').b.sum().to_dict()",
        "rows = open('a.csv').read().splitlines()",
        "with open('a', 'rb') as f: x = f.read()",
        "from pathlib import Path\nx = Path('a').read_text()",
        "class A:\n    x = 1\n[y for y in range(3)]",
    ],
)
def test_reading_and_thinking_may_be_run_again(code: str) -> None:
    """What a table is loaded and summed with."""
    assert why_not_again(code) == ""


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "import subprocess as math",
        "from os import path",
        "__import__('os')",
        "open('a', 'w')",
        "open('a', mode='a')",
        "open('a', m)",
        "Path('a').open('w')",
        "Path('a').write_text('x')",
        "Path('a').unlink()",
        "df.to_csv('x')",
        "eval('1')",
        "tools.send()",
        "datetime.datetime.now()",
        "().__class__.__bases__",
        "x = (",
    ],
)
def test_effects_and_chance_are_not_run_again(code: str) -> None:
    """When in doubt, no."""
    assert why_not_again(code)


async def test_granted_hosts_go_through_the_rule_for_addresses(context: ToolContext) -> None:
    """A host by name is not enough: its address must be public, or the person must have allowed it."""
    door = tools._Hosts(("localhost", "granted.invalid"), ())
    with pytest.raises(PermissionError, match="not granted"):
        door.connect("other.example", 80)
    with pytest.raises(PermissionError, match=r"private|local"):
        door.connect("localhost", 80)
    with pytest.raises(OSError):
        tools._Hosts(("localhost:9",), ("localhost:9",)).connect("localhost", 9)
