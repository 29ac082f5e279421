"""The `landlock` isolation, for machines that forbid user namespaces: Landlock, seccomp and limits, nothing private.
Weaker, and it says so. The code works in a temporary folder on the disk; files come and go as in the other isolations.
Does not promise: a disk quota, hidden file metadata, that a daemon ends at the same instant as the call.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from outrider.tools.sandbox.inside.confine import landlock_abi
from outrider.tools.sandbox.inside.root import NOBODY
from outrider.tools.sandbox.isolation import Isolation, Start, Unusable, Wanted, private_folder, settings
from outrider.tools.sandbox.view import View, make_view

OLDEST_ABI = 3  # Linux 6.2: before it a file could be cut to nothing
_DEVICES = ("/dev/zero", "/dev/urandom", "/dev/random")


def _start(wanted: Wanted) -> Start:
    if not sys.platform.startswith("linux"):
        raise Unusable(f"Landlock is part of Linux, this is {sys.platform}", "install Docker or Podman")
    abi = landlock_abi()
    if abi < OLDEST_ABI:
        raise Unusable(f"the kernel's Landlock is {f'version {abi}' if abi else 'off'}", "Linux 6.2 or newer has it")
    if wanted.network:
        raise Unusable("hosts can be granted only where the sandbox has a network of its own", "allow user namespaces")
    view = make_view(wanted.read)
    nobody = NOBODY if os.geteuid() == 0 else None
    if nobody is not None:
        must_be_open_to_all(view)
    folder = private_folder(nobody)
    work, tmp, home = (str(folder / name) for name in ("work", "tmp", "home"))
    environment = dict(entry.split("=", 1) for entry in view.environment)
    environment |= {"HOME": home, "TMPDIR": tmp, "MPLCONFIGDIR": f"{home}/.matplotlib"}
    inside = settings(
        wanted,
        workspace=work,
        become=nobody or 0,
        quota=0,
        seal="call",
        prefix=view.prefix,
        remove=str(folder),
        read=(*view.visible, "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", *_DEVICES),
        write=(work, tmp, home, "/dev/null"),
        search_path=view.search_path,
    )
    worker = str((Path(__file__).parent / "inside" / "worker.py").resolve())
    command = (view.python, "-I", "-S", "-X", "utf8", worker)
    return Start(command, (inside.fields(),), environment, folder=folder)


def must_be_open_to_all(view: View) -> None:
    """Raises Unusable if the unprivileged user root becomes could not read the interpreter."""
    for source in view.visible:
        shut = next((way for way in (Path(source), *Path(source).parents) if not way.stat().st_mode & 0o001), None)
        if shut is not None and shut.is_dir():
            raise Unusable(
                f"run as root, code becomes an unprivileged user, and that user cannot enter {shut}",
                "run as a user, or with an interpreter that all users can read, such as /usr/bin/python3",
            )


LANDLOCK = Isolation(
    name="landlock",
    keeps=(
        "files outside the workspace cannot be read or changed",
        "no network",
        "other processes cannot be read or traced (nor signalled, from Linux 6.12)",
        "memory, processes and time are bounded",
    ),
    does_not_keep=(
        "reduced isolation: no disk quota",
        "buffers of sockets are not counted as memory",
        "modes, times and owners of your own files can be touched, and names seen by guessing",
        "your other processes can be slowed down",
        "a daemon may outlive its call by milliseconds",
        "locks of multiprocessing do not work",
        "a hole in the kernel",
    ),
    start=_start,
    fix="use Linux 6.2 or newer with Landlock on",
)
