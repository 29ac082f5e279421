"""What can be counted of processes while they run: memory with shared pages counted once, sockets, a user's threads.
Reads /proc, touches nothing. Does not promise more than a moment's picture.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import os

from outrider.tools.sandbox.inside import call as calls


def sockets() -> int:
    """How many sockets there are in this network namespace."""
    try:
        with open("/proc/net/sockstat", "rb", buffering=0) as file:
            return int(file.read(100).split()[2])
    except (OSError, ValueError, IndexError):
        return 0


def hold_more_than(pids: list[int], limit: int) -> bool:
    """Whether the processes hold more than `limit` bytes when shared pages are counted once (smaps_rollup: Pss)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                found = next((line for line in file if line.startswith(b"Pss:")), b"Pss: 0")
        except OSError:
            continue
        total += int(found.split()[1]) * 1024
    return total > limit


def threads_of_user() -> int:
    """Threads the user runs on the whole machine: without a user namespace the kernel counts those too."""
    me, total = os.getuid(), 0
    for pid, (_, threads, _) in calls.table().items():
        try:
            if os.stat(f"/proc/{pid}").st_uid == me:
                total += threads
        except OSError:
            continue
    return total
