"""Who drives a run: names a process so that others can tell whether it still lives.
May touch: reads /proc. Does not promise: to tell two machines of one host name apart; the fence in journal.py still
keeps the one that lost its lease from writing.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

BEAT_S = 5.0  # a living writer renews its lease at least this often
STALE_S = 30.0  # a lease of another host that has not been renewed for this long is free


def holder_name() -> str:
    """This process, named so that another one on this machine can tell whether it still lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def holder_lives(holder: str, beat: float) -> bool:
    """Whether a lease still counts. On this machine the process table tells; elsewhere only the heartbeat can."""
    if not holder:
        return False
    host, _, rest = holder.partition(":")
    pid, _, started = rest.partition(":")
    if host == socket.gethostname() and pid.isdigit() and Path("/proc/self/stat").exists():
        return _started(int(pid)) == started != ""
    return abs(time.time() - beat) < STALE_S


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot, "" if it is gone (or there is no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]  # a zombie is dead; its parent has not looked yet
    except (OSError, IndexError):
        return ""
