"""Runs what is measured: driver processes that are asked in JSON lines, and commands that start and end.

Touches: child processes it started. Whatever a subject does (crash, hang, talk), the answer is a dict: its cost, or `error`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.subjects import DRIVERS, Subject, python_of

START_S = 120.0
Cost = dict[str, Any]


def environment() -> dict[str, str]:
    """Of every subject: byte code is kept, and no key or proxy of this machine gets in."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "OUTRIDER_MODEL", "http_proxy", "https_proxy", "all_proxy")
    kept = {name: value for name, value in os.environ.items() if name not in left_out and not name.endswith("_API_KEY")}
    quiet = {"LANGSMITH_TRACING": "false", "MSWEA_SILENT_STARTUP": "1", "MSWEA_COST_TRACKING": "ignore_errors"}
    return kept | quiet | {"OPENAI_API_KEY": "x", "NO_PROXY": "127.0.0.1"}


class Driver:
    """The process of one subject: starts when first asked, and again after it crashed or was too slow."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.kind = subject, "plain"
        self._child: subprocess.Popen[bytes] | None = None
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115  (for as long as the driver)

    def start(self) -> Cost:
        """Start it, if it does not run; `{"error": why}` if it cannot. Raises Unavailable if it cannot be installed."""
        if self._child is not None:
            return {}
        script, *flags = self.subject.driver
        command = [str(python_of(self.subject)), str(DRIVERS / script), *flags]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._noise, env=environment(),
            start_new_session=True,
        )  # fmt: skip
        said = self._answer(START_S)
        self.kind = said.get("kind", self.kind)
        return said

    def ask(self, do: str, limit_s: float, *, wait_s: float = 0.0, calls: int | None = None, **arguments: Any) -> Cost:
        """Have a job done within `limit_s`: its cost, or `{"error": why}`."""
        if "error" in (begun := self.start()):
            return begun
        job: dict[str, Any] = {"do": do, "arguments": arguments, "wait_s": wait_s}
        if calls is not None:
            job["calls"] = calls
        assert self._child is not None
        assert self._child.stdin is not None
        with suppress(OSError):  # it has died: `_answer` says so
            self._child.stdin.write(json.dumps(job).encode() + b"\n")
            self._child.stdin.flush()
        return self._answer(limit_s)

    def _answer(self, limit_s: float) -> Cost:
        assert self._child is not None
        assert self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], limit_s)
        line = self._child.stdout.readline() if ready else b""
        if line:
            answer: Cost = json.loads(line)
            return answer
        why = f"ended by itself: {self._last_words()}" if ready else f"took longer than {limit_s:.0f} s"
        self.stop()
        return {"error": why}

    def _last_words(self) -> str:
        self._noise.seek(0)
        lines = self._noise.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "without a word"

    def stop(self) -> None:
        """End it and what it started."""
        if self._child is None:
            return
        with suppress(OSError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._child = None


def command_cost(command: Sequence[str | Path], limit_s: float = 120.0) -> Cost:
    """A command from its start to its end: seconds on the clock and of CPU, megabytes at most; `{"error": why}` if it failed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as noise, tempfile.TemporaryDirectory() as home:
        child = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=noise, stderr=noise,
            env=environment() | {"OUTRIDER_HOME": home}, start_new_session=True,
        )  # fmt: skip
        alarm = time.monotonic() + limit_s
        while True:  # wait4 tells what this child alone has used
            ended, status, used = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > alarm:
                os.killpg(child.pid, signal.SIGKILL)
                os.wait4(child.pid, 0)
                child.returncode = -9
                return {"error": f"took longer than {limit_s:.0f} s"}
            time.sleep(0.002)
        child.returncode = os.waitstatus_to_exitcode(status)
        cost = {"wall_s": time.perf_counter() - began, "cpu_s": used.ru_utime + used.ru_stime}
        if child.returncode:
            noise.seek(0)
            lines = noise.read().decode(errors="replace").strip().splitlines()
            return {"error": f"exit code {child.returncode}: {lines[-1][:200] if lines else ''}"}
    return cost | {"peak_mb": used.ru_maxrss / 1024}
