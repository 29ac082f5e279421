"""What an isolation is: a name, its promises, and how to start a worker inside it.
Touches nothing. The isolations are namespaces.py, bubblewrap.py, container.py, landlock.py and none.py; the order is in
`sandbox.py`. Does not promise that one works: `choose.py` runs attacks against each before it is used.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from outrider.tools.files.guarded import NEVER
from outrider.tools.sandbox.inside.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use. Processes count threads too; files and disk_mb are for all the sandbox writes together.

    output_chars: characters of each stream that are kept; a call that prints 64 MB (or 16 times that) is stopped.
    """

    seconds: float = 10.0
    memory_mb: int = 1024
    processes: int = 64
    disk_mb: int = 512
    files: int = 10_000
    output_chars: int = 200_000
    open_files: int = 512


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sandbox is opened for. `workspace_bytes`: what the workspace holds already; it is not the code's to answer for."""

    limits: Limits
    read: tuple[Path, ...] = ()
    network: bool = False
    workspace_bytes: int = 0
    workspace_files: int = 0

    @property
    def data_bytes(self) -> int:
        """Bytes for everything that is written inside."""
        return (self.limits.disk_mb << 20) + self.workspace_bytes

    @property
    def data_files(self) -> int:
        """Files and folders for everything that is written inside."""
        return self.limits.files + self.workspace_files


class Unusable(Exception):
    """This isolation cannot be had here: (why, fix)."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why, fix)
        self.why, self.fix = why, fix


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a worker: the command, what to send it, and what to clear away afterwards.

    descriptors: handed to the command, then closed here. listener: where the worker's listening socket will arrive.
    user: who to start it as, if not as we are. folder: removed when the worker is gone, then `finish` is called.
    """

    command: tuple[str, ...]
    messages: tuple[tuple[bytes, ...], ...]
    environment: dict[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    listener: socket.socket | None = None
    user: int | None = None
    folder: Path | None = None
    finish: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Isolation:
    """One way to isolate. `start` raises Unusable when it can tell beforehand that it will not work."""

    name: str
    keeps: tuple[str, ...]
    does_not_keep: tuple[str, ...]
    start: Callable[[Wanted], Start]
    fix: str = ""

    @property
    def promises(self) -> str:
        """What it keeps and what not, in words."""
        lost = f" Does not keep: {'; '.join(self.does_not_keep)}." if self.does_not_keep else ""
        return f"Keeps: {'; '.join(self.keeps)}.{lost}"


def settings(wanted: Wanted, **different: object) -> Settings:
    """The worker's settings for what is wanted; keywords replace fields."""
    limits = wanted.limits
    fields: dict[str, object] = {
        "workspace": "/workspace",
        "become": 0,
        "memory": limits.memory_mb << 20,
        "processes": limits.processes,
        "data_bytes": wanted.data_bytes,
        "data_files": wanted.data_files,
        "open_files": limits.open_files,
        "keep_output": 4 * limits.output_chars,  # UTF-8: up to four bytes a character
        "families": (),
        "listen": 0,
        "quota": 1,
        "seal": "worker",
        "prefix": "",
        "remove": "",
        "read": ("/",),
        "write": (),
        "never": tuple(sorted(NEVER)),
        "search_path": (),
        **different,
    }
    return Settings(**fields)


def way_out(wanted: Wanted) -> tuple[int, socket.socket | None]:
    """(the worker's descriptor, our end) over which a listening socket comes, if there is to be a network."""
    if not wanted.network:
        return 0, None
    ours, theirs = socket.socketpair()
    return theirs.detach(), ours


def private_folder(owner: int | None) -> Path:
    """A folder for a sandbox without a file system of its own: work, tmp, home. The caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix="outrider-sandbox-"))
    places = [folder, *(folder / name for name in ("work", "tmp", "home"))]
    for place in places:
        place.mkdir(mode=0o700, exist_ok=True)
        if owner is not None:
            os.chown(place, owner, owner)
    return folder
