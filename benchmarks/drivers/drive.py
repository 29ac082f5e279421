"""What every driver shares: one process for each subject, asked in JSON lines on stdin, answered on stdout.

A driver is run by the Python of the subject's own environment, so this imports the standard library only. A job names a
method of `Subject` and its arguments; the answer is what it cost: seconds of CPU (this process with all its threads, and the
children it waited for), seconds on the clock, megabytes before and at most, bytes on disk. A job whose runs did not all end
with the server's answer, or whose tool was not called as often as it was told to, is an error and no figure.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ANSWER = "Done: all steps were looked at."
OBSERVATION = "a line of what the tool saw, as long as such lines are. " * 4  # 224 bytes
SYSTEM = "You are a careful agent that works step by step. " * 16
LOCK = threading.Lock()
CALLS = [0]
WAIT_S = [0.0]  # how long the tool takes


def looked(n: object) -> str:
    """What the tool `look` returns; it counts its calls."""
    with LOCK:
        CALLS[0] += 1
    if WAIT_S[0]:
        time.sleep(WAIT_S[0])
    return f"{n}: {OBSERVATION}"


def is_answer(said: object) -> None:
    """Raises RuntimeError if a run did not end with the server's answer."""
    if ANSWER not in str(said):
        raise RuntimeError(f"a run ended with {str(said)[:200]!r}")


class Subject:
    """Base of the drivers: `run` is what each must have. `folder` is a fresh one for each job."""

    kind = "plain"  # how the server speaks to it

    def run(self, url: str, steps: int, folder: Path) -> None:
        """One run: `steps` tool calls, then the answer."""
        raise NotImplementedError

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        """`runs` runs at once: in threads, where the subject has no async way."""
        with ThreadPoolExecutor(runs) as pool:
            list(pool.map(lambda n: self.run(url, steps, _made(folder / str(n))), range(runs)))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _memory_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _disk_bytes(folder: Path) -> int:
    """What a job left on disk, the write-ahead logs of its databases folded in."""
    for file in folder.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def measured(subject: Subject, job: dict[str, Any]) -> dict[str, Any]:
    """Do one job; what it cost. `wait_s`: how long a tool call takes; `calls`: how many there must be."""
    folder = Path(tempfile.mkdtemp(prefix="outrider-bench-"))
    CALLS[0], WAIT_S[0] = 0, job.get("wait_s", 0.0)
    try:
        gc.collect()
        with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123  (resets the peak)
            file.write("5")
        before_mb, cpu_s, wall_s = _memory_mb("VmRSS"), _cpu_s(), time.perf_counter()
        extra = getattr(subject, job["do"])(folder=folder, **job["arguments"])
        cost: dict[str, Any] = {"wall_s": time.perf_counter() - wall_s, "cpu_s": _cpu_s() - cpu_s}
        if "calls" in job and CALLS[0] != job["calls"]:
            raise RuntimeError(f"the tool was called {CALLS[0]} times and not {job['calls']}")
        cost |= {"before_mb": before_mb, "peak_mb": _memory_mb("VmHWM"), "disk_bytes": _disk_bytes(folder)}
        return cost | (extra or {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(subject: Subject) -> None:
    """Answer jobs until stdin ends. What the subject prints goes to stderr. `--once URL` does one run and ends: a cold start."""
    if "--once" in sys.argv:
        folder = Path(tempfile.mkdtemp(prefix="outrider-bench-"))
        subject.run(sys.argv[sys.argv.index("--once") + 1], 0, folder)
        shutil.rmtree(folder, ignore_errors=True)
        return
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"kind": subject.kind}), file=out, flush=True)
    for line in sys.stdin:
        try:
            answer = measured(subject, json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(answer), file=out, flush=True)
    os._exit(0)  # some subjects leave threads that never end
