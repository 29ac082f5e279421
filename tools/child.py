"""What a child process of ours does about itself before it touches hostile input.
May touch: its own limits. Standard library only.
Does not promise: limits where the system has none; the parent's deadline (workers.py) is always there.
"""

from __future__ import annotations

import contextlib

MEMORY_BYTES = 2 << 30  # address space: a 5 MB page takes lxml about 300 MB at worst


def limit_self(cpu_s: int) -> None:
    """At most `cpu_s` seconds of CPU and MEMORY_BYTES of address space from here on."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, cpu_s)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
