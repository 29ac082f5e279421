"""Which system calls code in the sandbox may not make, and the seccomp filter that says so.
Touches nothing until `install` is called; then the calling process and all it starts are bound for ever.
Does not promise: a small kernel surface. It is a list of what is refused (and everything newer than the tables), on
top of namespaces, Landlock and no capabilities; a hole in an allowed call is a hole (docs/threats.md).
"""

from __future__ import annotations

import ctypes

from outrider.tools.sandbox.inside import kernel as kernel

# name: (x86_64, aarch64) from the kernel's asm/unistd_64.h and asm-generic/unistd.h; None where it does not exist.
# tests/sandbox/test_syscall_tables.py compares every line with the headers and libseccomp of the machine.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # keyrings
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # kernel machinery with a history of holes
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "setns": (308, 268),
    "unshare": (272, 97),
    # files by handle, file watching over whole mounts
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # the machine
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "query_module": (178, None),
    "get_kernel_syms": (177, None),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "vhangup": (153, 58),
    "personality": (135, 92),
    # old or raw hardware doors
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "vserver": (236, None),
    "nfsservctl": (180, 42),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
    # System V and POSIX messages, shared across processes
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185),
    # memory outside every quota, memory placement
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
WATCHED = {"clone": (56, 220), "clone3": (435, 435), "ioctl": (16, 29), "socket": (41, 198), "prlimit64": (302, 261)}
NEWEST = 450  # set_mempolicy_home_node (Linux 5.17): what is newer does not exist here (ENOSYS), so libraries fall back

_COLUMN = {"x86_64": 0, "aarch64": 1}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # both put text into a terminal's input
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data (low halves of the arguments)

_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
Step = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def program(machine: str, families: tuple[int, ...]) -> list[Step]:
    """The filter for `machine`; `families` are the address families socket() may be called with.

    Raises KeyError for a machine without a table.
    """
    column = _COLUMN[machine]
    steps: list[Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),  # int 0x80 and 32-bit programs: other numbers, so the list below would mean nothing
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
        (_AT_LEAST, 0, 1, NEWEST + 1),
        (_RETURN, 0, 0, _ENOSYS),
    ]
    for row in REFUSED.values():
        number = row[column]
        if number is not None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    return [*steps, *_watched(column, families), (_RETURN, 0, 0, _ALLOW)]


def _watched(column: int, families: tuple[int, ...]) -> list[Step]:
    """Calls that depend on an argument. clone3 hides its flags behind a pointer: ENOSYS makes libc use clone.

    prlimit64 is for oneself alone (process 0): of the same user, the code could starve the worker of descriptors.
    """
    refuse, reload = (_RETURN, 0, 0, _EPERM), (_LOAD, 0, 0, _NUMBER)
    numbers = {name: row[column] for name, row in WATCHED.items()}
    steps: list[Step] = [(_EQUAL, 0, 1, numbers["clone3"]), (_RETURN, 0, 0, _ENOSYS)]
    steps += [
        (_EQUAL, 0, 4, numbers["clone"]),
        (_LOAD, 0, 0, _FIRST),
        (_ANY_BIT, 0, 1, _NAMESPACE_FLAGS),
        refuse,
        reload,
    ]
    steps += [(_EQUAL, 0, 4, numbers["prlimit64"]), (_LOAD, 0, 0, _FIRST), (_EQUAL, 1, 0, 0), refuse, reload]
    steps += [(_EQUAL, 0, 5, numbers["ioctl"]), (_LOAD, 0, 0, _SECOND)]
    steps += [(_EQUAL, 1, 0, _TIOCSTI), (_EQUAL, 0, 1, _TIOCLINUX), refuse, reload]
    allowed: list[Step] = [(_EQUAL, len(families) - i, 0, family) for i, family in enumerate(families)]
    steps += [(_EQUAL, 0, len(families) + 3, numbers["socket"]), (_LOAD, 0, 0, _FIRST), *allowed, refuse, reload]
    return steps


def install(families: tuple[int, ...]) -> None:
    """Bind this process and all it starts to the filter; needs no_new_privs. Raises OSError if the kernel refuses."""
    machine = kernel.machine()
    steps = program(machine, families)
    code = b"".join(c.to_bytes(2, "little") + bytes((t, f)) + k.to_bytes(4, "little") for c, t, f, k in steps)
    held = ctypes.create_string_buffer(code, len(code))
    header = len(steps).to_bytes(8, "little") + ctypes.addressof(held).to_bytes(8, "little")
    kernel.syscall("seccomp", _SYS_SECCOMP[machine], 1, 0, header)
