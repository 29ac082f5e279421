"""What binds one process for ever, in the order that works: limits, capabilities, Landlock, seccomp.
Touches only the calling process. Runs after the fork and before any line of the code that is not trusted.
Does not promise: that Landlock is there; `landlock` returns 0 then, and the caller decides whether that will do.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH112

from __future__ import annotations

import os
import resource

from outrider.tools.sandbox.inside import kernel as kernel
from outrider.tools.sandbox.inside import syscalls as syscalls
from outrider.tools.sandbox.inside.settings import Record

# uapi/linux/landlock.h: rights over files by the ABI that brought them (1: bits 0-12, 2: refer, 3: truncate, 5: ioctl)
_EXECUTE, _WRITE, _READ, _READ_FOLDER, _TRUNCATE, _IOCTL = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP_BIND_CONNECT, _SCOPE_ABSTRACT_UNIX_AND_SIGNAL = 3, 3
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446


class Bounds(Record):
    """Limits of one process. Sizes in bytes; `processes` counts as the kernel counts for RLIMIT_NPROC."""

    memory: int
    file_size: int
    processes: int
    open_files: int
    cpu_seconds: int


def bound(bounds: Bounds, others: int) -> None:
    """Set the resource limits, hard and soft. `others`: processes the kernel counts that are not the code's."""
    wanted = (
        (resource.RLIMIT_AS, bounds.memory),
        (resource.RLIMIT_FSIZE, bounds.file_size),
        (resource.RLIMIT_NPROC, bounds.processes + others),
        (resource.RLIMIT_NOFILE, bounds.open_files),
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 1 << 20),
        (resource.RLIMIT_MSGQUEUE, 0),
    )
    for kind, value in wanted:
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    try:
        return kernel.syscall("landlock", _CREATE_RULESET, None, 0, 1)
    except OSError:
        return 0


def landlock(read: tuple[str, ...], write: tuple[str, ...], *, tcp: bool = False) -> int:
    """Let this process reach only these trees: `read` to read and execute, `write` to change too.

    tcp: leave TCP alone (it is closed from ABI 4 on otherwise). Returns the ABI used, 0 if the kernel has none.
    """
    abi = landlock_abi()
    if not abi:
        return 0
    rights = _RIGHTS_BY_ABI[max(a for a in _RIGHTS_BY_ABI if a <= abi)]
    network = _TCP_BIND_CONNECT if abi >= 4 and not tcp else 0
    scopes = _SCOPE_ABSTRACT_UNIX_AND_SIGNAL if abi >= 6 else 0
    words = b"".join(w.to_bytes(8, "little") for w in (rights, network, scopes))
    words = words[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = kernel.syscall("landlock_create_ruleset", _CREATE_RULESET, words, len(words), 0)
    try:
        for paths, allowed in ((read, _EXECUTE | _READ | _READ_FOLDER), (write, rights & ~_IOCTL)):
            for path in paths:
                _allow(ruleset, path, allowed & rights)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.syscall("landlock_restrict_self", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    """One rule. A path that is not there needs none: nothing can be reached by it."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
        rule = rights.to_bytes(8, "little") + fd.to_bytes(4, "little")
        kernel.syscall(f"landlock_add_rule {path}", _ADD_RULE, ruleset, 1, rule, 0)
    finally:
        os.close(fd)


def become_nobody(uid: int) -> None:
    """Give up root for `uid` (user and group, no other groups). Does nothing for a process that is not root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def seal(families: tuple[int, ...]) -> None:
    """No way to gain any privilege, and seccomp: for this process and all that come from it."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.install(families)


def disarm() -> None:
    """No capability left, for ever; /proc/self readable again by its owner, as programs expect."""
    kernel.drop_all_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
