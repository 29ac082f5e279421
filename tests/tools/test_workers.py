"""Threads and children that may hang: both end for the caller at the deadline, and a child for good."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outrider.tools.process.deadlines import in_child, in_thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


async def test_in_thread_gives_the_value_or_the_exception_or_the_time_is_up() -> None:
    """The caller goes on at the deadline, whatever the function does."""
    assert await in_thread(lambda a: a + 1, 1, seconds=5) == 2
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0, seconds=5)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await in_thread(time.sleep, 3, seconds=0.2)
    assert time.monotonic() - began < 2


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A child that writes its number and sleeps."""
    (tmp_path / "sleeper.py").write_text(
        "import os, time\nprint(os.getpid(), dict(os.environ), flush=True)\ntime.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "sleeper"


async def test_in_child_kills_the_child_at_the_deadline_and_keeps_its_output(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote is there, it is gone, and it never saw a secret of the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "topsecret")
    done = await in_child(module, seconds=1.5)
    assert done.timed_out
    assert b"topsecret" not in done.output
    assert not _alive(int(done.output.split()[0]))


def _children() -> set[int]:
    return {int(p) for p in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


async def test_in_child_kills_the_child_when_the_caller_is_cancelled(module: str) -> None:
    """Ctrl-C leaves nothing behind."""
    others = _children()  # of tests that ran before in this process: a database server, a sandbox
    task = asyncio.create_task(in_child(module, seconds=30))
    await asyncio.sleep(1)
    children = _children() - others
    assert children
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(_alive(pid) for pid in children)


async def test_in_child_bounds_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that writes without end costs bounded memory."""
    (tmp_path / "noisy.py").write_text("import sys\nfor _ in range(2000): sys.stdout.write('x' * 10_000)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = await in_child("noisy", seconds=20, max_output=100_000)
    assert (len(done.output), done.exit_code) == (100_000, 0)


def test_a_child_ends_when_the_agent_is_killed(tmp_path: Path) -> None:
    """Kill -9 of the agent leaves no child that goes on reading or asking."""
    (tmp_path / "child_of.py").write_text(
        "import time\nfrom outrider.tools.process.limits import limit_self\nlimit_self(60)\nprint('up', flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys, time\n"
         "c = subprocess.Popen([sys.executable, '-m', 'child_of'], stdout=subprocess.PIPE)\n"
         "c.stdout.readline()\nprint(c.pid, flush=True)\ntime.sleep(60)"],
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _alive(pid), "the control: it runs while its parent does"
    parent.kill()
    parent.wait()
    ends = time.monotonic() + 2
    while _alive(pid) and time.monotonic() < ends:
        time.sleep(0.02)
    assert not _alive(pid)
