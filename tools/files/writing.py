"""Puts files into the workspace: whole or not at all, in one step, never where other programs would trust them.
May touch: files inside the workspace, by descriptors (paths.py). Does not promise: a lock; another program may write too.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from outrider.tools.files.kept import Form
from outrider.tools.files.paths import READ, Place, open_file, place, refuse_guarded, shown
from outrider.tools.tool import ToolError

MAX_WRITE = 10_000_000  # bytes written, edited or kept for `undo` in one call
MAX_TAKEN = 256 << 20  # bytes of one file that is compared with what a run left


def take_file(workspace: Path, path: str) -> bytes | None:
    """The content of a file of the workspace, None if there is none. Raises ToolError if it cannot be read, or is one of
    more than MAX_TAKEN bytes (it may grow while it is read)."""
    with place(workspace, path) as at:
        if at.status() is None:
            return None
        with os.fdopen(open_file(at, path), "rb") as file:
            data = file.read(MAX_TAKEN + 1)
    if len(data) > MAX_TAKEN:
        raise ToolError(f"{shown(path)} is not read whole", f"over {MAX_TAKEN:,} bytes", "use a smaller file")
    return data


def put_file(workspace: Path, path: str, data: bytes | None) -> None:
    """Give a file of the workspace this content, or remove it (None). Raises ToolError if that is not allowed."""
    with place(workspace, path, make_folders=data is not None) as at:
        if data is not None:
            replace_file(at, path, data)
        elif at.status() is not None:
            os.unlink(at.name, dir_fd=at.folder)


def put_back(workspace: Path, path: str, data: bytes, form: Form) -> None:
    """Give back what was there: a file, an executable one, a link, a folder. Raises ToolError if that is not allowed."""
    if form == "folder":
        with _name(workspace, path, make=True) as (folder, name):
            refuse_guarded(os.path.realpath(workspace), path, path)
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                os.unlink(name, dir_fd=folder)  # a file or a link the run put in its place
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=folder)
    elif form == "link":
        with _name(workspace, path, make=True) as (folder, name):
            refuse_guarded(os.path.realpath(workspace), path, path)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            os.symlink(os.fsdecode(data), name, dir_fd=folder)
    else:
        put_file(workspace, path, data)
        if form == "x":
            with place(workspace, path) as at:
                found = at.status()
                if found is not None and stat.S_ISREG(found.st_mode):  # runnable for whoever may read it
                    mode = stat.S_IMODE(found.st_mode)
                    os.chmod(at.name, (mode | (mode & 0o444) >> 2) & 0o777, dir_fd=at.folder)


def no_file(workspace: Path, path: str) -> bytes | None:
    """Where a link leads that stands at this very name (it is not followed), b"" for a folder; None: neither is there."""
    with _name(workspace, path) as (folder, name):
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                return os.fsencode(os.readlink(name, dir_fd=folder))
            return None if stat.S_ISREG(mode) else b""
        except FileNotFoundError:
            return None


def clear_way(workspace: Path, path: str) -> None:
    """Remove a link or an empty folder that stands where a file was. Raises ToolError for a folder that holds something."""
    with _name(workspace, path) as (folder, name), contextlib.suppress(FileNotFoundError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            os.unlink(name, dir_fd=folder)
        elif stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=folder)


@contextlib.contextmanager
def _name(workspace: Path, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """(a descriptor of the folder, the name in it) of a path that may end in a link. Raises ToolError."""
    head, _, name = path.rpartition("/")
    with place(workspace, head or ".", make_folders=make) as at:
        if make and at.status() is None:
            os.mkdir(at.name, dir_fd=at.folder)
        folder = at.open_folder()
        try:
            yield folder, name
        finally:
            os.close(folder)


def content_before(at: Place, path: str) -> bytes | None:
    """What a file holds before it is replaced; None if there is none, or if it is too large to keep."""
    refuse_guarded(at.root, at.path, path)  # before it is read: what holds keys is not
    found = at.status()
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_size > MAX_WRITE:
        return None
    with os.fdopen(open_file(at, path), "rb") as file:
        return file.read(MAX_WRITE)


def replace_file(at: Place, path: str, data: bytes) -> int | None:
    """Put `data` in the place of the file, whole or not at all; the size it had, or None if it is new."""
    refuse_guarded(at.root, at.path, path)
    found = at.status()
    if path.endswith("/") or (found is not None and stat.S_ISDIR(found.st_mode)):
        raise ToolError(
            f"{shown(path)} is a folder", "a file name is needed", f"write to {shown(path.rstrip('/'))}/notes.txt"
        )
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{shown(path)} cannot be written", "it is a device, pipe or socket", "use another name")
    if found is not None and not os.access(at.name, os.W_OK, dir_fd=at.folder):
        raise ToolError(f"{shown(path)} cannot be written", "it is read-only", "use another name")
    if found is not None and is_database(at):
        raise ToolError(
            f"{shown(path)} is not written", "it is a database (it may hold this very run)", "use another name"
        )
    temporary = f".outrider-{secrets.token_hex(8)}.tmp"  # beside it: a rename never crosses file systems
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags, 0o666 if found is None else 0o600, dir_fd=at.folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if found is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode) & 0o777)
                with contextlib.suppress(OSError):
                    os.fchown(file.fileno(), found.st_uid, found.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, at.name, src_dir_fd=at.folder, dst_dir_fd=at.folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=at.folder)
        raise
    return found.st_size if found is not None else None


def is_database(at: Place) -> bool:
    """Whether the file is an SQLite database or one's log: runs may be kept in the workspace."""
    name = at.name
    for ending in ("-wal", "-shm", "-journal"):
        name = name.removesuffix(ending)
    try:
        with os.fdopen(os.open(name, READ, dir_fd=at.folder), "rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False
