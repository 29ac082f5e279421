"""The user's workspace, as the sandbox gets it: what changed goes in, what the code changed comes back as plain files.
May touch: the workspace folder, never through a link, never a name in NEVER. Files written belong to the folder's owner.
Does not promise: to carry devices, pipes, sockets, links that lead outside, or what is too large or too deep; it says so.
"""
# Paths as text and descriptors: pathlib has neither descriptors nor the words of a link.
# ruff: noqa: PTH111, PTH112, PTH118

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from outrider.memory.errors import UsageError
from outrider.tools.files.guarded import NEVER, is_guarded
from outrider.tools.files.kept import Change, Kept, TooLarge
from outrider.tools.sandbox.inside.files import DEEPEST
from outrider.tools.sandbox.inside.wire import PIECE

MOST_FILES = 50_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_RACY_NS = 20_000_000
Mark = tuple[int, int, int, int]
FOLDER_MARK: Mark = (0, 0, 0, 0)


class HostFolder:
    """The folder outside and what the sandbox is known to have of it. `most_bytes` is the most that is sent in all."""

    def __init__(
        self, root: Path, *, hide: frozenset[Path], most_bytes: int, most_result_bytes: int, keep: bool = False
    ) -> None:
        self._kept = Kept() if keep else None
        self._held: dict[
            bytes, str
        ] = {}  # path → the whole new file beside it, "" for a removal: a person must say yes
        self.root = root.resolve()
        if not os.path.isdir(self.root) or not os.access(self.root, os.R_OK | os.X_OK):
            raise UsageError(
                f"the workspace {root} cannot be used",
                "it is not a folder that can be read",
                "make it, or name another",
            )
        home = Path(os.path.expanduser("~")).resolve()
        if self.root != home and self.root in home.parents:
            raise UsageError(f"{root} cannot be the workspace", "it holds your home folder", "name a folder of its own")
        self._is_home = self.root == home
        self._hide = {os.fsencode(path.resolve()) for path in hide}
        self._most_bytes, self._most_result_bytes = most_bytes, most_result_bytes
        self._known: dict[bytes, Mark] = {}
        self._too_big: dict[bytes, Mark] = {}
        self._part: tuple[bytes, int] | None = None
        self._sent = 0
        self.changed: list[str] = []
        self.left: list[str] = []
        self._result_bytes = 0

    def size(self) -> tuple[int, int]:
        """(bytes, files) there now that would go in, up to what may be sent."""
        total = files = 0
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NEVER]
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
            files += len(folders) + len(names)
            if files > MOST_FILES:
                break
        return min(total, self._most_bytes), min(files, MOST_FILES)

    # Into the sandbox.

    def news(self) -> Iterator[tuple[bytes, ...]]:
        """Messages that make the sandbox's workspace equal to this folder: first what goes, then what comes."""
        before, seen = dict(self._known), dict[bytes, Mark]()
        root = os.open(self.root, _FOLDER)
        try:
            self._look(root, b"", 0, seen)
        finally:
            os.close(root)
        news = [(path, mark) for path, mark in seen.items() if before.get(path) != mark]
        gone = before.keys() - seen.keys()
        gone |= {path for path, mark in news if path in before and FOLDER_MARK in (mark, before[path])}
        for path in sorted(gone, reverse=True):
            if self._known.get(path) == before[path]:  # else a call that ran meanwhile has just brought it
                del self._known[path]
                yield (b"remove", path)
        for path, mark in news:
            with contextlib.suppress(
                OSError
            ):  # it went away, or may not be read: then it is not for the sandbox either
                yield from self._show(path, mark)

    def _look(self, folder: int, prefix: bytes, depth: int, seen: dict[bytes, Mark]) -> None:
        """Put the mark of everything below `folder` that may go in into `seen`, folders before what is in them."""
        names = sorted(os.listdir(folder))
        if depth and "pyvenv.cfg" in names:
            return  # an environment: the interpreter's own is shown read-only, others are not for this interpreter
        for name in names:
            path = prefix + os.fsencode(name)
            if self._never(name, path, depth):
                continue
            if len(seen) >= MOST_FILES:
                self._leave(path, f"more than {MOST_FILES} files")
                return
            with contextlib.suppress(OSError):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                        seen[path] = _mark(found)
                elif depth < DEEPEST:
                    seen[path] = FOLDER_MARK
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                    try:
                        self._look(inner, path + b"/", depth + 1, seen)
                    finally:
                        os.close(inner)

    def _never(self, name: str, path: bytes, depth: int) -> bool:
        hidden_at_home = self._is_home and depth == 0 and name.startswith(".")
        part = name.startswith(".outrider-")  # ours, not whole yet
        return name in NEVER or part or hidden_at_home or os.path.join(os.fsencode(self.root), path) in self._hide

    def _show(self, path: bytes, mark: Mark) -> Iterator[tuple[bytes, ...]]:
        """One new or changed thing, as messages."""
        if mark == FOLDER_MARK:
            self._known[path] = mark
            yield (b"folder", path)
            return
        parent, name = self._parent(path, make=False)
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                if self._too_big.get(path) != mark:
                    yield from self._send(parent, name, path, found, mark)
            elif stat.S_ISLNK(found.st_mode):
                target = os.fsencode(os.readlink(name, dir_fd=parent))
                if stays_inside(path, target):
                    self._known[path] = mark
                    yield (b"link", path, target)
        finally:
            os.close(parent)

    def _send(
        self, folder: int, name: str, path: bytes, found: os.stat_result, mark: Mark
    ) -> Iterator[tuple[bytes, ...]]:
        if self._sent + found.st_size > self._most_bytes:
            self._too_big[path] = mark
            self._leave(path, f"the sandbox takes {self._most_bytes >> 20:,} MB in all; grant its folder with --read")
            return
        mode = b"755" if found.st_mode & 0o100 else b"644"
        modified = str(found.st_mtime_ns).encode()
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            self._known[path] = mark
            left = found.st_size  # no more than was there: a file that grows all the time must not hold us
            while True:
                data = os.read(fd, min(PIECE, left)) if left else b""
                left -= len(data)
                last = not left or not data
                self._sent += len(data)
                yield (b"put", path, mode, modified, data, b"last" if last else b"")
                if last:
                    return
        finally:
            os.close(fd)

    # Out of the sandbox. What comes was made by hostile code: every path and kind is checked.

    def take(self, message: list[bytes]) -> None:
        """Apply one message of the worker: file, folder, link, gone, left. A refusal is noted in `left`."""
        kind, path = message[0], message[1]
        if kind == b"left":
            self._leave(path, message[2].decode("utf-8", "replace"))
            return
        parts = path.split(b"/")
        if not path or any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
            return
        ways = (b"/".join(parts[: depth + 1]) for depth in range(len(parts)))
        refused = is_guarded(os.fsdecode(path), str(self.root)) or any(
            self._never(os.fsdecode(part), way, depth)
            for depth, (part, way) in enumerate(zip(parts, ways, strict=True))
        )
        if refused:
            self._leave(path, "other programs run or obey files of that name: it never leaves the sandbox")
            return
        try:
            if kind in (b"file", b"link"):
                self._spare_the_users_own(path)
            if kind == b"file":
                self._take_file(path, int(message[2], 8), message[3], last=bool(message[4]))
            elif kind == b"folder":
                os.close(self._folder(path))
                self._known[path] = FOLDER_MARK
            elif kind == b"link":
                self._take_link(path, message[2])
            elif kind == b"gone":
                self._take_away(path)
        except OSError as error:
            self._leave(path, error.strerror or "it cannot be written")

    def _spare_the_users_own(self, path: bytes) -> None:
        """Raises OSError if something is there that the sandbox was never given: it is not the code's to replace."""
        if path in self._known:
            return
        with contextlib.suppress(FileNotFoundError):
            parent, name = self._parent(path, make=False)
            try:
                os.stat(name, dir_fd=parent, follow_symlinks=False)
            finally:
                os.close(parent)
            raise FileExistsError(17, "something of yours that the code was not given has this name")

    def _take_file(self, path: bytes, mode: int, data: bytes, *, last: bool) -> None:
        """Pieces go to a file beside, which takes the name when it is whole."""
        parent, name = self._parent(path)
        beside = f".outrider-{os.getpid()}-{abs(hash(path)):x}.part"
        try:
            if self._part is None or self._part[0] != path:
                self.drop_part()
                fd = os.open(
                    beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent
                )
                self._part = (path, fd)
            fd = self._part[1]
            self._result_bytes += len(data)
            if self._result_bytes > self._most_result_bytes:
                raise OSError(28, "over the limit of what one call may bring back", name)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if last:
                self._finish(path, parent, name, beside, fd, mode & 0o755)
        except OSError:
            self.drop_part()
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=parent)
            raise
        finally:
            os.close(parent)

    def _may_lose(self, path: bytes, parent: int, name: str, beside: str) -> bool:
        """Keep what is there; False when it is too large to keep: then it is held until a person was asked."""
        try:
            if self._kept is not None:
                self._kept.before(os.fsdecode(path), parent, name)
        except TooLarge:
            self._held[path] = beside
            return False
        return True

    @property
    def held(self) -> tuple[str, ...]:
        """Paths that the code overwrote or removed and whose content is too large to keep."""
        return tuple(os.fsdecode(path) for path in self._held)

    def settle(self, allow: bool) -> None:
        """Do what is held, or leave the files as they were."""
        held, self._held = self._held, {}
        for path, beside in held.items():
            known = self._known.pop(path, None)  # if it stays, the sandbox is given it again
            parent, name = self._parent(path, make=False)
            try:
                if not allow:
                    self._leave(path, "too large to keep a copy for undo, and nobody said yes: left as it was")
                    if beside:
                        os.unlink(beside, dir_fd=parent)
                elif beside:
                    os.replace(beside, name, src_dir_fd=parent, dst_dir_fd=parent)
                elif known is not None:
                    os.unlink(name, dir_fd=parent)
                if allow:
                    self.changed.append(os.fsdecode(path))
            except OSError as error:
                self._leave(path, error.strerror or "it cannot be changed")
            finally:
                os.close(parent)

    def _finish(self, path: bytes, parent: int, name: str, beside: str, fd: int, mode: int) -> None:
        owner = os.fstat(parent)
        with contextlib.suppress(FileNotFoundError):
            old = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISREG(old.st_mode):
                owner, mode = old, old.st_mode & 0o777
        os.fchmod(fd, mode)
        if os.geteuid() == 0:
            os.fchown(fd, owner.st_uid, owner.st_gid)
        held = f"{beside}.held"
        if not self._may_lose(path, parent, name, held):
            os.replace(beside, held, src_dir_fd=parent, dst_dir_fd=parent)
            self.drop_part()
            return
        os.replace(beside, name, src_dir_fd=parent, dst_dir_fd=parent)
        self._known[path] = _mark(os.fstat(fd), settled=True)
        if self._kept is not None:
            self._kept.after(os.fsdecode(path), fd)
        self.drop_part()
        self.changed.append(os.fsdecode(path))

    def _take_link(self, path: bytes, target: bytes) -> None:
        if not stays_inside(path, target):
            self._leave(path, "a link that leads out of the workspace")
            return
        parent, name = self._parent(path)
        try:
            if not self._may_lose(path, parent, name, ""):
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)
            self._gone(path)
            os.symlink(os.fsdecode(target), name, dir_fd=parent)
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if os.geteuid() == 0:
                owner = os.fstat(parent)
                os.chown(name, owner.st_uid, owner.st_gid, dir_fd=parent, follow_symlinks=False)
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            self._known[path] = _mark(found, settled=True)
            self.changed.append(os.fsdecode(path))
        finally:
            os.close(parent)

    def _take_away(self, path: bytes) -> None:
        """Remove what the code removed, if it is still what the sandbox was given."""
        known = self._known.pop(path, None)
        if known is None:
            return
        parent, name = self._parent(path, make=False)
        try:
            if known == FOLDER_MARK:
                with contextlib.suppress(OSError):  # a folder that still holds something of the user's stays
                    os.rmdir(name, dir_fd=parent)
                    if self._kept is not None:
                        self._kept.folder_gone(os.fsdecode(path))
            elif _same(known, os.stat(name, dir_fd=parent, follow_symlinks=False)):
                if not self._may_lose(path, parent, name, ""):
                    self._known[path] = known
                    return
                os.unlink(name, dir_fd=parent)
                self._gone(path)
                self.changed.append(os.fsdecode(path))
        finally:
            os.close(parent)

    def _gone(self, path: bytes) -> None:
        if self._kept is not None:
            self._kept.after(os.fsdecode(path), None)

    def _parent(self, path: bytes, *, make: bool = True) -> tuple[int, str]:
        head, _, name = path.rpartition(b"/")
        return self._folder(head, make=make), os.fsdecode(name)

    def _folder(self, path: bytes, *, make: bool = True) -> int:
        """A descriptor of the folder, reached without following any link. The caller closes it."""
        at = os.open(self.root, _FOLDER)
        for name in path.split(b"/") if path else ():
            try:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, 0o755, dir_fd=at)
                        self._own(name, at)
                inner = os.open(name, _FOLDER, dir_fd=at)
            finally:
                os.close(at)
            at = inner
        return at

    @staticmethod
    def _own(name: bytes, parent: int) -> None:
        if os.geteuid() == 0:
            owner = os.fstat(parent)
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=parent, follow_symlinks=False)

    def _leave(self, path: bytes, why: str) -> None:
        if len(self.left) < 100:
            self.left.append(f"{os.fsdecode(path)}: {why}")

    def drop_part(self) -> None:
        """Forget a file that did not come whole."""
        if self._part is not None:
            os.close(self._part[1])
            self._part = None

    def changes(self) -> tuple[Change, ...]:
        """What files held before the code changed them, since the last time."""
        return self._kept.changes() if self._kept is not None else ()

    def collect(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(changed, left out) since the last time, and start over."""
        changed, left = tuple(dict.fromkeys(self.changed)), tuple(dict.fromkeys(self.left))
        self.changed, self.left, self._result_bytes = [], [], 0
        return changed, left

    def forget(self) -> None:
        """A new sandbox has nothing yet."""
        self.drop_part()
        self._known, self._too_big, self._sent = {}, {}, 0


def stays_inside(path: bytes, target: bytes) -> bool:
    """Whether a link at `path` (relative to the workspace) with this target leads to a place in the workspace.

    Absolute targets and ones that climb above the workspace lead out. So may ones that climb after they went down:
    what they went down through may be a link itself, and `a/..` is then not where it seems to be.
    """
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    if target.startswith(b"/") or b"\0" in target or not parts:
        return False
    climbs = next((place for place, part in enumerate(parts) if part != b".."), len(parts))
    return climbs <= path.count(b"/") and b".." not in parts[climbs:]


def _mark(found: os.stat_result, *, settled: bool = False) -> Mark:
    fresh = not settled and time.time_ns() - found.st_ctime_ns < _RACY_NS
    return (-1 if fresh else found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _same(mark: Mark, found: os.stat_result) -> bool:
    return mark[1:] == (found.st_ctime_ns, found.st_size, found.st_ino)
