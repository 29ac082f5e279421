"""The `namespaces` isolation: our own launcher on user namespaces; nothing to install, no root needed.
Starts inside/launcher.py with an empty environment. See docs/threats.md for what it keeps.
Does not promise anything where user namespaces are forbidden: `choose.py` finds out, and says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

from outrider.tools.sandbox.inside.root import Plan
from outrider.tools.sandbox.inside.settings import PROXY_PORT, Settings
from outrider.tools.sandbox.inside.syscalls import AF_INET, AF_INET6, AF_UNIX
from outrider.tools.sandbox.isolation import Isolation, Start, Unusable, Wanted, settings, way_out
from outrider.tools.sandbox.view import FILES, View, make_view

WRITABLE_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FORBIDDEN = (
    "allow unprivileged user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1 or "
    "kernel.apparmor_restrict_unprivileged_userns=0), or install bubblewrap"
)


def _start(wanted: Wanted) -> Start:
    if not sys.platform.startswith("linux"):
        raise Unusable(f"namespaces are part of Linux, this is {sys.platform}", "install Docker or Podman")
    view = make_view(wanted.read)
    plan = Plan(
        python=view.python,
        worker=view.worker,
        workspace=view.workspace,
        owners=view.owners,
        data_bytes=wanted.data_bytes,
        data_files=wanted.data_files,
        environment=view.environment + (proxy_environment() if wanted.network else ()),
        binds=view.binds,
        links=view.links,
        files=FILES,
    )
    theirs, ours = way_out(wanted)
    inside = inside_settings(wanted, view, theirs)
    launcher = str((Path(__file__).parent / "inside" / "launcher.py").resolve())
    command = (sys.executable, "-I", "-S", launcher)
    descriptors = (theirs,) if theirs else ()
    return Start(command, (plan.fields(), inside.fields()), descriptors=descriptors, listener=ours)


def inside_settings(wanted: Wanted, view: View, listen: int) -> Settings:
    """The worker's settings in a private root."""
    return settings(
        wanted,
        workspace=view.workspace,
        families=(AF_UNIX, AF_INET, AF_INET6) if wanted.network else (AF_UNIX,),
        listen=listen,
        prefix=view.prefix,
        write=(view.workspace, "/tmp", "/dev/shm", *WRITABLE_DEVICES),  # noqa: S108 - the sandbox's own
        search_path=view.search_path,
    )


def proxy_environment() -> tuple[str, ...]:
    """Where programs find the one way out, when there is one."""
    address = f"http://127.0.0.1:{PROXY_PORT}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return (*(f"{name}={address}" for name in names), "no_proxy=", "NO_PROXY=")


NAMESPACES = Isolation(
    name="namespaces",
    keeps=(
        "files outside the workspace cannot be read or changed",
        "no network but granted hosts",
        "other processes cannot be seen or touched",
        "nothing outlives a call",
        "disk, memory, processes and time are bounded",
    ),
    does_not_keep=("a hole in the kernel", "timing and other side channels"),
    start=_start,
    fix=FORBIDDEN,
)
