"""The workspace as the worker sees it: takes files in from the agent, and tells what a call changed.
May touch: the workspace inside the sandbox. Follows no link: every step is by descriptor, with O_NOFOLLOW.
Does not promise: to carry what is not a plain file, folder or link inside the workspace; it says what it left.
"""
# Paths as text and descriptors: pathlib has neither descriptors nor the words of a link.
# ruff: noqa: SIM105

from __future__ import annotations

import os
import stat
import time

from outrider.tools.sandbox.inside.wire import PIECE

TYPE_CHECKING = False  # as typing has it; typing itself is slow to import
if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 40  # folders inside folders; deeper ones stay behind: tools on the other side break on them
SETTLE_NS = 10_000_000  # one tick of the slowest clock Linux stamps files with: within it, a second change may not show
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
Mark = tuple[int, int, int, int]
FOLDER_MARK: Mark = (0, 0, 0, 0)


class Workspace:
    """One folder, and what it held when last looked at.

    never: names that are carried neither way. most_bytes: told of one look; files with holes or many names can seem to
    hold far more than there is room for.
    """

    def __init__(self, root: str, *, never: frozenset[str], most_files: int, most_bytes: int) -> None:
        self.root, self.never, self.most_files, self.most_bytes = root, never, most_files, most_bytes
        self._known: dict[bytes, Mark] = {}
        self._looked_ns = 0
        self._left: dict[bytes, bytes] = {}

    def settle(self) -> None:
        """Wait until a change from now on shows against the last look: only right after a call, and never for long."""
        newest = max((mark[1] for mark in self._known.values()), default=0)
        wait_ns = newest + SETTLE_NS - time.time_ns()
        if newest > self._looked_ns - SETTLE_NS and 0 < wait_ns <= SETTLE_NS:
            time.sleep(wait_ns / 1e9)

    def put(self, path: bytes, mode: int, modified_ns: int, data: bytes, *, first: bool) -> None:
        """Write (or go on writing) a file the agent sends; its own folders are made as needed.

        It gets the time stamp it has outside: what the code writes later is told by its newer one.
        """
        parent, name = self._parent(path)
        try:
            if first:
                _clear(name, parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            fd = os.open(name, flags, mode, dir_fd=parent)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
                os.utime(fd, ns=(modified_ns, modified_ns))
                self._known[path] = _mark(os.fstat(fd))
            finally:
                os.close(fd)
        finally:
            os.close(parent)

    def put_folder(self, path: bytes) -> None:
        """Make a folder the agent has."""
        os.close(self._folder(path))
        self._known[path] = FOLDER_MARK

    def put_link(self, path: bytes, target: bytes) -> None:
        """Make a link the agent has."""
        parent, name = self._parent(path)
        try:
            _clear(name, parent)
            os.symlink(target, name, dir_fd=parent)
            self._known[path] = _mark(os.stat(name, dir_fd=parent, follow_symlinks=False))
        finally:
            os.close(parent)

    def remove(self, path: bytes) -> None:
        """Take away what the agent no longer has."""
        parent, name = self._parent(path)
        try:
            _clear(name, parent)
        finally:
            os.close(parent)
        self._known.pop(path, None)

    def changes(self) -> Iterator[tuple[bytes, ...]]:
        """What is different since the last look, as messages without the call: gone first, then folder, file, link, left.

        Gone comes first because a folder may have become a file, or a file a folder.
        """
        seen: dict[bytes, Mark] = {}
        left: dict[bytes, bytes] = {}
        root = os.open(self.root, _FOLDER)
        try:
            self._look(root, b"", 0, seen, left)
        finally:
            os.close(root)
        known, self._known, self._looked_ns = self._known, seen, time.time_ns()
        news = [(path, mark) for path, mark in seen.items() if known.get(path) != mark]
        gone = {path for path in known.keys() - seen.keys() if len(seen) < self.most_files}
        gone |= {path for path, mark in news if path in known and FOLDER_MARK in (mark, known[path])}
        for path in sorted(gone, reverse=True):
            yield (b"gone", path)
        total = 0
        for path, mark in news:
            total += mark[2]
            if total > self.most_bytes:
                left[path] = b"more than fits"
                continue
            try:
                yield from self._show(path, mark)
            except OSError as error:
                left[path] = (error.strerror or "unreadable").encode()
        for path, why in left.items():
            if self._left.get(path) != why:
                yield (b"left", path, why)
        self._left = left

    def _look(self, folder: int, prefix: bytes, depth: int, seen: dict[bytes, Mark], left: dict[bytes, bytes]) -> None:
        """Put the mark of everything below `folder` in `seen`, folders before what is in them."""
        device = os.fstat(folder).st_dev
        for name in sorted(os.listdir(folder)):
            if name in self.never or len(seen) >= self.most_files:
                continue
            path = prefix + os.fsencode(name)
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if found.st_dev != device:
                    continue
                if not stat.S_ISDIR(found.st_mode):
                    if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                        seen[path] = _mark(found)
                    else:
                        left[path] = b"not a file, a folder or a link"
                elif depth >= DEEPEST:
                    left[path] = b"too many folders inside each other"
                else:
                    seen[path] = FOLDER_MARK
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                    try:
                        self._look(inner, path + b"/", depth + 1, seen, left)
                    finally:
                        os.close(inner)
            except OSError as error:
                left[path] = (error.strerror or "unreadable").encode()

    def _show(self, path: bytes, mark: Mark) -> Iterator[tuple[bytes, ...]]:
        """One new or changed thing, as messages."""
        if mark == FOLDER_MARK:
            yield (b"folder", path)
            return
        parent, name = self._parent(path)
        try:
            if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                yield (b"link", path, os.fsencode(os.readlink(name, dir_fd=parent)))
            else:
                yield from _contents(parent, name, path)
        finally:
            os.close(parent)

    def _parent(self, path: bytes) -> tuple[int, str]:
        head, _, name = os.fsdecode(path).rpartition("/")
        return self._folder(os.fsencode(head)), name

    def _folder(self, path: bytes) -> int:
        """A descriptor of the folder, made if it is not there. The caller closes it."""
        at = os.open(self.root, _FOLDER)
        for name in os.fsdecode(path).split("/") if path else ():
            try:
                os.mkdir(name, 0o755, dir_fd=at)
            except FileExistsError:
                pass
            inner = os.open(name, _FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        return at


def _contents(folder: int, name: str, path: bytes) -> Iterator[tuple[bytes, ...]]:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        mode = b"755" if os.fstat(fd).st_mode & 0o100 else b"644"
        piece = os.read(fd, PIECE)
        while True:
            after = os.read(fd, PIECE)
            yield (b"file", path, mode, piece, b"" if after else b"last")
            if not after:
                return
            piece = after
    finally:
        os.close(fd)


def _mark(found: os.stat_result) -> Mark:
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _clear(name: str, parent: int) -> None:
    """Make the name free; a folder is left if it is not empty (its files are removed one by one by the agent)."""
    try:
        os.unlink(name, dir_fd=parent)
    except IsADirectoryError:
        try:
            os.rmdir(name, dir_fd=parent)
        except OSError:
            pass
    except FileNotFoundError:
        pass
