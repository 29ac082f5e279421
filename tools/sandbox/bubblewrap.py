"""The `bubblewrap` isolation: the same private root built by `bwrap`, where user namespaces are allowed to it alone.
Our worker, seccomp, Landlock, limits and bounds run inside. bwrap starts with an empty environment (its --clearenv would
leave the old one in /proc/1/environ). Does not promise the exact quota on the number of files: it is watched, not set.
"""

from __future__ import annotations

import os
import shutil
import sys

from outrider.tools.sandbox.inside.root import INSIDE_ID, NOBODY
from outrider.tools.sandbox.isolation import Isolation, Start, Unusable, Wanted, way_out
from outrider.tools.sandbox.landlock import must_be_open_to_all
from outrider.tools.sandbox.namespaces import inside_settings, proxy_environment
from outrider.tools.sandbox.view import FILES, View, make_view

_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = (
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
)


def _start(wanted: Wanted) -> Start:
    program = shutil.which("bwrap")
    if program is None:
        raise Unusable("bwrap is not installed", "install the system's bubblewrap package (the one on PyPI is another)")
    view = make_view(wanted.read)
    nobody = NOBODY if os.geteuid() == 0 else None
    if nobody is not None:
        must_be_open_to_all(view)
    theirs, ours = way_out(wanted)
    files = [_as_descriptor(text) for _, text in FILES]
    command = (program, *compose(view, wanted, files), "--", view.python, "-I", "-S", "-X", "utf8", view.worker)
    descriptors = (*files, theirs) if theirs else tuple(files)
    inside = inside_settings(wanted, view, theirs)
    return Start(command, (inside.fields(),), {}, descriptors, listener=ours, user=nobody)


def compose(view: View, wanted: Wanted, files: list[int]) -> list[str]:
    """bwrap's arguments. `files`: descriptors with the contents of FILES."""
    arguments = [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID), "--hostname", "sandbox", "--cap-drop", "ALL"),
        # Not --die-with-parent: its parent is a thread of the agent, which may end long before the agent does. The worker
        # is the namespace's first process and ends, with all in it, when its channel to the agent closes.
        *("--as-pid-1", "--new-session", "--chdir", "/"),
    ]
    size = str(wanted.data_bytes)
    for place in (view.workspace, "/tmp"):  # noqa: S108 - the sandbox's own
        arguments += ["--size", size, "--perms", "0755", "--tmpfs", place]
    arguments += ["--dir", "/tmp/home", "--tmpfs", "/dev", "--size", str(64 << 20), "--tmpfs", "/dev/shm"]  # noqa: S108 - the sandbox's own
    for name in _DEVICES:
        arguments += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for target, name in _LINKS:
        arguments += ["--symlink", target, f"/dev/{name}"]
    for source, destination in view.binds:
        arguments += ["--ro-bind", source, destination]
    for place, target in view.links:
        arguments += ["--symlink", target, place]
    for (place, _), fd in zip(FILES, files, strict=True):
        arguments += ["--ro-bind-data", str(fd), place]
    arguments += ["--proc", "/proc", "--remount-ro", "/dev", "--remount-ro", "/"]
    for entry in view.environment + (proxy_environment() if wanted.network else ()):
        arguments += ["--setenv", *entry.split("=", 1)]
    return arguments


def _as_descriptor(text: str) -> int:
    fd = os.memfd_create("sandbox-file")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


BUBBLEWRAP = Isolation(
    name="bubblewrap",
    keeps=(
        "files outside the workspace cannot be read or changed",
        "no network but granted hosts",
        "other processes cannot be seen or touched",
        "nothing outlives a call",
        "disk, memory, processes and time are bounded",
    ),
    does_not_keep=("the number of files is watched, not set", "a hole in the kernel", "timing and other side channels"),
    start=_start,
    fix="install the system's bubblewrap package" if sys.platform.startswith("linux") else "install Docker or Podman",
)
