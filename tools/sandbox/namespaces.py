"""The `namespaces` isolation: our own launcher on user namespaces; nothing to install, no root needed.
Starts inside_launcher with an empty environment. See docs/threats.md for what it keeps.
Does not promise anything where user namespaces are forbidden: `choose.py` finds out, and says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from outrider.tools.sandbox.inside_root import Plan
from outrider.tools.sandbox.inside_syscalls import AF_INET, AF_INET6, AF_UNIX
from outrider.tools.sandbox.isolation import Isolation, Limits, Start, Unusable, settings
from outrider.tools.sandbox.view import FILES, make_view

_WRITABLE_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FORBIDDEN = (
    "allow unprivileged user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1 or "
    "kernel.apparmor_restrict_unprivileged_userns=0), or install bubblewrap"
)


def _start(limits: Limits, read: Sequence[Path], network: bool) -> Start:
    if not sys.platform.startswith("linux"):
        raise Unusable(f"namespaces are part of Linux, this is {sys.platform}", "install Docker or Podman")
    view = make_view(read)
    plan = Plan(
        python=view.python,
        worker=view.worker,
        workspace=view.workspace,
        owners=view.owners,
        data_bytes=limits.disk_mb << 20,
        data_files=limits.files,
        environment=view.environment + (proxy_environment() if network else ()),
        binds=view.binds,
        links=view.links,
        files=FILES,
    )
    inside = settings(
        limits,
        workspace=view.workspace,
        families=(AF_UNIX, AF_INET, AF_INET6) if network else (AF_UNIX,),
        listen=network,
        prefix=sys.prefix,
        write=(view.workspace, "/tmp", "/dev/shm", *_WRITABLE_DEVICES),  # noqa: S108 - the sandbox's own
        search_path=view.search_path,
    )
    launcher = str(Path(__file__).with_name("inside_launcher.py").resolve())
    command = (sys.executable, "-I", "-S", launcher)
    return Start(command, (plan.fields(), inside.fields()))


def proxy_environment() -> tuple[str, ...]:
    """Where programs find the one way out, when there is one."""
    address = f"http://127.0.0.1:{PROXY_PORT}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return (*(f"{name}={address}" for name in names), "no_proxy=", "NO_PROXY=")


PROXY_PORT = 3128

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
