"""The few kernel calls Python has no name for, through libc: mounts, namespaces, prctl, capabilities.
Touches nothing by itself; every function is one call that raises OSError with the call's name when it fails.
Constants are from the kernel's uapi headers (linux/mount.h, sched.h, prctl.h, capability.h), the same on every machine.
"""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
MNT_DETACH = 2

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP = 1, 4, 8, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
CAP_DAC_OVERRIDE, CAP_SETPCAP, CAP_SYS_PTRACE = 1, 8, 19

_SYS_MOUNT_SETATTR = 442  # one number on every machine since the tables were joined (Linux 5.1)
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
SYS_SOCKET = {"x86_64": 41, "aarch64": 198}
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPABILITY_VERSION_3 = 0x20080522


def machine() -> str:
    """`x86_64` or `aarch64`, as the kernel says."""
    return os.uname().machine


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *arguments: int | bytes | None) -> int:
    """A raw system call; integers are passed as longs, bytes and None as pointers."""
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    return _check(int(libc.syscall(ctypes.c_long(number), *words)), what)


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    texts = [None if t is None else os.fsencode(t) for t in (source, target, kind, data)]
    _check(libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), f"mount {target}")


def lock_down(target: str, attributes: int) -> None:
    """Set mount attributes on `target` and every mount below it (mount_setattr, Linux 5.12)."""
    recursive, at_fdcwd = 0x8000, -100
    wanted = attributes.to_bytes(8, "little") + bytes(24)
    syscall(
        f"mount_setattr {target}", _SYS_MOUNT_SETATTR, at_fdcwd, os.fsencode(target), recursive, wanted, len(wanted)
    )


def unmount(target: str) -> None:
    """Detach a mount at once, busy or not."""
    _check(libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    syscall("pivot_root", _SYS_PIVOT_ROOT[machine()], os.fsencode(new), os.fsencode(old))


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(libc.unshare(ctypes.c_int(flags)), "unshare")


def set_hostname(name: bytes) -> None:
    """sethostname(2)."""
    _check(libc.sethostname(name, ctypes.c_size_t(len(name))), "sethostname")


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """prctl(2), the arguments it does not use being zero."""
    longs = [ctypes.c_ulong(v) for v in (value, third, 0, 0)]
    return _check(libc.prctl(ctypes.c_int(option), *longs), f"prctl {option}")


def set_capabilities(keep: int) -> None:
    """Make permitted, effective and inheritable capabilities the bits of `keep`."""
    header = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    low, high = (keep & 0xFFFFFFFF).to_bytes(4, "little"), (keep >> 32).to_bytes(4, "little")
    syscall("capset", _SYS_CAPSET[machine()], header, low * 3 + high * 3)


def keep_over_exec(capabilities: tuple[int, ...]) -> None:
    """Hold exactly these capabilities, also after execve (as ambient ones)."""
    set_capabilities(sum(1 << c for c in capabilities))
    for capability in capabilities:
        prctl(PR_CAP_AMBIENT, 2, capability)


def empty_bounding_set() -> None:
    """No program executed from here on can bring a capability along. Needs CAP_SETPCAP, and does nothing without."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break  # past the last one this kernel knows, or none to drop


def drop_all_capabilities() -> None:
    """Give up every capability for ever: ambient, permitted, effective, inheritable."""
    libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(4), 0, 0, 0)
    set_capabilities(0)


def interface_up(fd: int, name: bytes) -> None:
    """Bring a network interface up. SIOCSIFFLAGS with IFF_UP | IFF_RUNNING (linux/sockios.h, linux/if.h)."""
    request = ctypes.create_string_buffer(name.ljust(16, b"\0") + (0x1 | 0x40).to_bytes(2, "little") + bytes(22))
    _check(libc.ioctl(ctypes.c_int(fd), ctypes.c_ulong(0x8914), request), "bring up " + name.decode())


def flush_c_streams() -> None:
    """Write out what C libraries printed but still hold."""
    libc.fflush(None)
