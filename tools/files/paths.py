"""Paths inside the workspace: opens what is inside, however it is spelled or linked, and nothing else.
May touch: files under the root it is given, by descriptors that never leave it.
Does not promise: anything about a hard link to a file outside (it is that file), nor to work without POSIX descriptors.
Start reading at `place`.

A path is walked component by component from a descriptor of the root. Every step is opened with O_NOFOLLOW relative to
the one before; a symbolic link is read and walked the same way. So a link that is swapped in between the check and the
use gains nothing: what was checked is what is open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from outrider.memory.errors import OutriderError
from outrider.tools.files.guarded import is_guarded, is_secret

MAX_LINKS = 40
MAX_LOOKED_AT = 5000  # entries, for a file of the same name elsewhere
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# O_NONBLOCK: a named pipe must not hold the opener; a regular file does not mind.
READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


def refused(what: str, why: str, fix: str) -> OutriderError:
    """A ToolError, imported late: the searching child (grep.py) must start fast."""
    from outrider.tools.tool import ToolError

    return ToolError(what, why, fix)


def shown(name: str) -> str:
    """A file name as text that is safe to show: control, format and undecodable characters escaped as \\x1b, \\u202e."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c
        for c in name
    )


def refuse_guarded(root: str, resolved: str, path: str) -> None:
    """Raises ToolError when `resolved` in the folder `root` (a real path), asked for as `path`, may not be written."""
    if is_guarded(resolved, root):
        why = "other programs run or obey files of that name, or it holds keys"
        raise refused(f"{shown(path)} is not written", why, "use another name, or ask the person to do it")


@dataclass(slots=True)
class Place:
    """A name in a folder that is open. `folder` is a descriptor; `path` is relative to the workspace, links resolved.

    root: the real path of the workspace.
    """

    folder: int
    name: str  # "" for the workspace itself
    path: str
    root: str

    def status(self) -> os.stat_result | None:
        """What is there (never a symbolic link), or None."""
        try:
            if not self.name:
                return os.fstat(self.folder)
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_folder(self) -> int:
        """A descriptor of this folder. Raises OSError."""
        return os.open(self.name or ".", FOLDER, dir_fd=self.folder)


@contextlib.contextmanager
def place(root: Path, path: str, *, make_folders: bool = False) -> Iterator[Place]:
    """Where `path` is inside `root`. The last part may be missing; with `make_folders` missing folders are made.

    Raises ToolError for a path outside, through something that is no folder, or in a folder that is missing.
    """
    if "\0" in path:
        raise refused("that path cannot be used", "it holds a NUL character", "give a plain relative path")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise refused("that path cannot be used", "it is not valid Unicode", "give a plain relative path") from None
    try:
        walk = _Walk(root, path, make_folders)
    except OSError as error:
        raise refused("the workspace cannot be opened", error.strerror or str(error), "check the folder") from None
    try:
        yield walk.go()
    except OSError as error:
        raise _as_tool_error(error, path) from None
    finally:
        walk.close()


class _Walk:
    def __init__(self, root: Path, path: str, make_folders: bool) -> None:
        self._root = Path(os.path.realpath(root))
        self._bases = (self._root, Path(root).absolute(), Path("/workspace"))  # the sandbox calls it that
        self._path, self._make = path, make_folders
        self._open = [os.open(self._root, FOLDER & ~getattr(os, "O_NOFOLLOW", 0))]
        self._names: list[str] = []
        self._links = 0

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def go(self) -> Place:
        left = self._parts(self._path)
        while left:
            part = left.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                self._up()
                continue
            part = self._actual(part)
            target = self._link(part)
            if target is not None:
                self._links += 1
                if self._links > MAX_LINKS:
                    raise refused(f"{shown(self._path)} cannot be followed", "its links go round", "use another path")
                left[:0] = self._parts(target)
                continue
            if not any(p not in ("", ".") for p in left):
                return self._place(part, "/".join([*self._names, part]))
            self._down(part, left)
        name = self._names.pop() if self._names else ""
        if name:
            os.close(self._open.pop())
        return self._place(name, "/".join([*self._names, name]) if name else ".")

    def _place(self, name: str, path: str) -> Place:
        return Place(self._open[-1], name, path, str(self._root))

    def _parts(self, path: str) -> list[str]:
        """The components of a path; an absolute one starts again at the root, if it is inside."""
        if not path.startswith("/"):
            return path.split("/")
        for base in self._bases:
            if path == str(base) or path.startswith(f"{base}/"):
                while self._names:
                    self._up()
                return path[len(str(base)) :].split("/")
        raise self._outside()

    def _outside(self) -> OutriderError:
        return refused(
            f"{shown(self._path)} is outside the workspace",
            "only files inside it may be used",
            'give a path relative to the workspace, such as "notes.txt"',
        )

    def _up(self) -> None:
        if not self._names:
            raise self._outside()
        self._names.pop()
        os.close(self._open.pop())

    def _down(self, part: str, left: list[str]) -> None:
        try:
            self._open.append(os.open(part, FOLDER, dir_fd=self._open[-1]))
        except FileNotFoundError:
            if not self._make:
                raise missing(self._place(part, "/".join([*self._names, part])), self._path) from None
            refuse_guarded(str(self._root), "/".join([*self._names, part]), self._path)
            os.mkdir(part, dir_fd=self._open[-1])
            self._open.append(os.open(part, FOLDER, dir_fd=self._open[-1]))
        except NotADirectoryError:
            whole = shown("/".join([*self._names, part]))
            raise refused(
                f"{shown(self._path)} cannot be used",
                f"{whole} is a file, not a folder",
                "use list_files to see what is there",
            ) from None
        self._names.append(part)

    def _link(self, part: str) -> str | None:
        try:
            return os.readlink(part, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # not a link, or nothing there
                return None
            raise

    def _actual(self, part: str) -> str:
        """The name on disk of a name as it was shown: what `shown` escaped can be asked for."""
        if "\\" not in part:
            return part
        with contextlib.suppress(OSError):
            names = os.listdir(self._open[-1])  # noqa: PTH208  # a descriptor, not a path
            if part not in names:
                return next((name for name in names if shown(name) == part), part)
        return part


def missing(at: Place, path: str) -> OutriderError:
    """The error for a path where nothing is, naming what is near."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        found = os.listdir(at.folder)  # noqa: PTH208  # a descriptor, not a path
        names = [name for name in found if not name.startswith(".outrider-")][:5000]
    lower = {name.lower(): name for name in names}
    near = [lower[found] for found in get_close_matches(at.name.lower(), lower, n=3, cutoff=0.6)]
    folder = at.path.rpartition("/")[0]
    full = [shown(f"{folder}/{name}" if folder else name) for name in near]
    full = full or [shown(found) for found in _below(at)]
    if full:
        fix = f"did you mean {' or '.join(full)}?"
    elif names:
        fix = f"there is: {', '.join(shown(name) for name in sorted(names)[:8])}{' …' if len(names) > 8 else ''}"
    else:
        fix = "the folder is empty: use list_files to see what there is"
    return refused(f"there is no {shown(path)} in the workspace", "no such file or folder", fix)


def _below(at: Place) -> list[str]:
    """Files of that very name in the folders below, if there are a few."""
    from outrider.tools.files.walk import entries

    top = f"{at.path.rpartition('/')[0]}/".lstrip("/")
    found = []
    for entry in islice(entries(at.folder, top, deep=True), MAX_LOOKED_AT):
        if entry.kind == "file" and entry.name.lower() == at.name.lower():
            found.append(entry.path)
    return found[:3]


def open_file(at: Place, path: str) -> int:
    """A descriptor of the regular file at this place, for reading. Raises ToolError for anything else."""
    found = at.status()
    if found is None:
        raise missing(at, path)
    if is_secret(at.path, at.root):
        raise refused(
            f"{shown(path)} is not read", "files of that name hold keys", "ask the person for what you need from it"
        )
    if stat.S_ISDIR(found.st_mode):
        raise refused(
            f"{shown(path)} is a folder", "a file is needed", f'list_files("{shown(path)}") shows what is in it'
        )
    descriptor = os.open(at.name, READ, dir_fd=at.folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused(f"{shown(path)} cannot be read", "it is a device, pipe or socket", "use a regular file")
    return descriptor


def _as_tool_error(error: OSError, path: str) -> OutriderError:
    fixes = {
        errno.EACCES: "use another file, or ask the person to allow it",
        errno.EPERM: "use another file, or ask the person to allow it",
        errno.ENOSPC: "free some space, or write less",
        errno.EDQUOT: "free some space, or write less",
        errno.EROFS: "this workspace can only be read",
        errno.ENAMETOOLONG: "use a shorter name",
        errno.ELOOP: "the path changed while it was opened: try again",
    }
    why = (error.strerror or str(error)).lower()
    return refused(
        f"{shown(path[:200])} cannot be used", why, fixes.get(error.errno or 0, "use list_files to see what is there")
    )
