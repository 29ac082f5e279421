"""Namespaces and the private root: what a program in the sandbox can see at all.
May touch: mounts in its own mount namespace, and the id maps of its own user namespace. Called by inside/launcher.py.
Does not promise: a quota on anything but the data tmpfs (workspace, /tmp, /dev/shm together).
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH211, S606, SIM105

from __future__ import annotations

import os
import select

from outrider.tools.sandbox.inside import confine as confine
from outrider.tools.sandbox.inside import kernel as kernel
from outrider.tools.sandbox.inside.settings import Record

INSIDE_ID = 1000  # user and group of the code inside
NOBODY = 65534  # what it is outside when the agent is root
SEPARATE = (
    kernel.NEWUSER | kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS | kernel.NEWCGROUP
)
# Over this namespace alone: to read files whatever mode the code gave them, to see how much memory is shared, to drop the rest.
WORKER_KEEPS = (kernel.CAP_DAC_OVERRIDE, kernel.CAP_SETPCAP, kernel.CAP_SYS_PTRACE)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_DEVICE_LINKS = (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2"))
_STAGE = "/tmp"  # any folder every machine has: only a place to stand while the new root is put together  # noqa: S108 - the sandbox's own


class Plan(Record):
    """What to build. Paths are text; `binds` are (source, destination), `links` (place, target), `files` (place, text)."""

    python: str
    worker: str
    workspace: str
    owners: tuple[int, ...]
    data_bytes: int
    data_files: int
    environment: tuple[str, ...]
    binds: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]

    def fields(self) -> tuple[bytes, ...]:
        """As a message."""
        lists: tuple[tuple[str, ...], ...] = (
            tuple(map(str, self.owners)),
            self.environment,
            *(tuple(part for pair in pairs for part in pair) for pairs in (self.binds, self.links, self.files)),
        )
        head = (self.python, self.worker, self.workspace, str(self.data_bytes), str(self.data_files))
        texts = [*head, *(text for one in lists for text in (str(len(one)), *one))]
        return tuple(os.fsencode(text) for text in texts)

    @classmethod
    def from_fields(cls, fields: list[bytes]) -> Plan:
        """The opposite of `fields`."""
        texts = [os.fsdecode(field) for field in fields]
        python, worker, workspace, data_bytes, data_files = texts[:5]
        lists, at = [], 5
        for _ in range(5):
            end = at + 1 + int(texts[at])
            lists.append(texts[at + 1 : end])
            at = end
        owners, environment, *pairs = lists
        binds, links, files = (tuple(zip(flat[::2], flat[1::2], strict=True)) for flat in pairs)
        owner_ids = tuple(map(int, owners))
        return cls(
            python=python,
            worker=worker,
            workspace=workspace,
            owners=owner_ids,
            data_bytes=int(data_bytes),
            data_files=int(data_files),
            environment=tuple(environment),
            binds=binds,
            links=links,
            files=files,
        )


def enter_namespaces(plan: Plan) -> None:
    """New namespaces of every kind for this process (of process ids: for its children).

    A user can map only itself. Root maps nobody as the one who will run the code, and itself and the owners of the
    folders to be bound, to be able to open those; the ids are written by a helper that stayed outside.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid != 0:
        kernel.unshare(SEPARATE)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{INSIDE_ID} {uid} 1\n")
        _write("/proc/self/gid_map", f"{INSIDE_ID} {gid} 1\n")
        return
    others = [owner for owner in plan.owners if owner not in (0, NOBODY)]
    lines = f"0 0 1\n{INSIDE_ID} {NOBODY} 1\n" + "".join(f"{2000 + i} {other} 1\n" for i, other in enumerate(others))
    me = os.getpid()
    ready, say_ready = os.pipe()
    helper = os.fork()
    if helper == 0:
        status = 1
        try:
            os.close(say_ready)
            if os.read(ready, 1):
                _write(f"/proc/{me}/uid_map", lines)
                _write(f"/proc/{me}/gid_map", f"0 0 1\n{INSIDE_ID} {NOBODY} 1\n")
                status = 0
        finally:
            os._exit(status)
    kernel.unshare(SEPARATE)
    os.write(say_ready, b"x")
    os.close(ready)
    os.close(say_ready)
    if os.waitpid(helper, 0)[1]:
        raise PermissionError("the user ids of the new namespace could not be set")


def build(plan: Plan) -> None:
    """Put the private root together and move into it. Runs as the first process of the new process namespace."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=8m,nr_inodes=4k,mode=0755")
    os.mkdir(_STAGE + "/old")
    os.mkdir(_STAGE + "/new")
    os.mkdir(_STAGE + "/data")
    kernel.pivot_root(_STAGE, _STAGE + "/old")
    os.chdir("/")
    kernel.mount("/new", "/new", None, kernel.MS_BIND)
    _mount_data(plan)
    for source, destination in plan.binds:
        _bind("/old" + source, "/new" + destination)
    for place, target in plan.links:
        _make_link("/new" + place, target)
    for place, text in plan.files:
        _make_parents("/new" + place)
        _write("/new" + place, text, 0o644)
    _mount_devices()
    _mount_proc()
    kernel.unmount("/old")
    os.chdir("/new")
    kernel.pivot_root(".", ".")
    kernel.unmount(".")
    os.chdir("/")
    kernel.mount(
        None, "/", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    )
    kernel.set_hostname(b"sandbox")
    _raise_loopback()


def _mount_data(plan: Plan) -> None:
    """One tmpfs holds all that can be written, so that one quota covers it."""
    owner = f"uid={INSIDE_ID},gid={INSIDE_ID}"
    options = f"size={plan.data_bytes},nr_inodes={plan.data_files},mode=0755,{owner}"
    kernel.mount("tmpfs", "/data", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    kernel.mount("tmpfs", _made("/new/dev"), "tmpfs", kernel.MS_NOSUID, "size=64k,mode=0755")
    for name, place in (("work", plan.workspace), ("tmp", "/tmp"), ("shm", "/dev/shm")):  # noqa: S108 - the sandbox's own
        folder = f"/data/{name}"
        os.mkdir(folder)
        os.chown(folder, INSIDE_ID, INSIDE_ID)
        kernel.mount(folder, _made("/new" + place), None, kernel.MS_BIND)
    os.mkdir("/new/tmp/home")
    os.chown("/new/tmp/home", INSIDE_ID, INSIDE_ID)


def _mount_devices() -> None:
    for name in _DEVICES:
        _write(f"/new/dev/{name}", "")
        kernel.mount(f"/old/dev/{name}", f"/new/dev/{name}", None, kernel.MS_BIND)
    for name, end in _DEVICE_LINKS:
        os.symlink(f"/proc/self/fd{end}", f"/new/dev/{name}")
    again = kernel.MS_REMOUNT | kernel.MS_BIND
    kernel.mount(None, "/new/dev", None, again | kernel.MS_RDONLY | kernel.MS_NOSUID)  # not /dev/shm: its own mount


def _mount_proc() -> None:
    """A /proc of the new process namespace, the parts of it that steer the machine read-only."""
    kernel.mount("proc", _made("/new/proc"), "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        place = f"/new/proc/{name}"
        if os.path.exists(place):
            kernel.mount(place, place, None, kernel.MS_BIND | kernel.MS_REC)
            kernel.lock_down(place, kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV | kernel.ATTR_NOEXEC)


def start_worker(plan: Plan) -> None:
    """Become the unprivileged user, keep the few capabilities over this namespace alone, and execute the worker."""
    kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    confine.become_nobody(INSIDE_ID)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.keep_over_exec(WORKER_KEEPS)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    environment = dict(entry.split("=", 1) for entry in plan.environment)
    os.execve(plan.python, [plan.python, "-I", "-S", "-X", "utf8", plan.worker], environment)


def wait_for_either(agent: int, first: int) -> None:
    """Until the agent or the sandbox's first process ends. `agent` is a pidfd: it sees the process, not one thread."""
    for fd in (0, 1, 2):
        os.close(fd)
    worker = os.pidfd_open(first)
    waiting = select.poll()
    waiting.register(agent, select.POLLIN)
    waiting.register(worker, select.POLLIN)
    waiting.poll()
    try:
        os.kill(first, 9)
    except ProcessLookupError:
        pass
    os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)


def _raise_loopback() -> None:
    """Bring the new network's loopback up; there is nothing else in it."""
    fd = kernel.syscall("socket", kernel.SYS_SOCKET[kernel.machine()], 2, 1, 0)
    try:
        kernel.interface_up(fd, b"lo")
    finally:
        os.close(fd)


def _bind(source: str, destination: str) -> None:
    if os.path.isdir(source):
        _made(destination)
    else:
        _make_parents(destination)
        _write(destination, "", 0o644)
    kernel.mount(source, destination, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.lock_down(destination, kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV)


def _made(folder: str) -> str:
    os.makedirs(folder, mode=0o755, exist_ok=True)
    return folder


def _make_parents(path: str) -> None:
    _made(path.rsplit("/", 1)[0])


def _make_link(place: str, target: str) -> None:
    _make_parents(place)
    try:
        os.symlink(target, place)
    except FileExistsError:
        pass  # a bind already shows what the link would lead to


def _write(path: str, text: str, mode: int = 0o600) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
