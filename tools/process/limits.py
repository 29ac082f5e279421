"""What a child process of ours does about itself before it touches hostile input.
May touch: its own limits and what happens to it when its parent dies. Standard library only.
Does not promise: limits where the system has none; the parent's deadline (workers.py) is always there.
"""

from __future__ import annotations

import contextlib
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
MEMORY_BYTES = 2 << 30  # address space: a 5 MB page takes lxml about 300 MB at worst


def limit_self(cpu_s: int, memory_bytes: int = MEMORY_BYTES) -> None:
    """At most `cpu_s` seconds of CPU and `memory_bytes` of address space from here on; on Linux, an end with the parent."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed agent leaves no child behind
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    for what, most in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
