"""What files held before code in the sandbox overwrote or removed them, so that `outrider undo` can bring it back.
May touch: reads descriptors it is given. Standard library only. Does not promise: links and folders that the code made; nor more than MOST bytes a call: what is over
that is held back until a person says yes (workspace.py), and stays as it was if nobody does.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

MOST_FILE = 32 << 20  # bytes of one file that are kept
MOST = 64 << 20  # bytes of all files of one call
WHOLE = 256 << 10  # bytes of new content that is kept too, so that it can be shown; of larger the digest says enough
PIECE = 1 << 20
Form = Literal["", "x", "link", "folder"]


@dataclass(frozen=True, slots=True)
class Change:
    """A file of the workspace that a tool changed: its content before and after, None where there was no file.

    after_digest: names the content after (blake2b-256, hex) where it is too large to be carried; `after` is then None.
    form: what was there before: "" a file, "x" an executable one, "link" a link (`before` is where it led), "folder" a folder.
    """

    path: str
    before: bytes | None
    after: bytes | None
    after_digest: str = ""
    form: Form = ""


class TooLarge(Exception):
    """The file is over what is kept."""


@dataclass(slots=True)
class Kept:
    """The first content of each path that changed in one call, and what is there now."""

    most_file: int = MOST_FILE
    most: int = MOST
    _before: dict[str, bytes | None] = field(default_factory=dict)
    _after: dict[str, tuple[bytes | None, str]] = field(default_factory=dict)
    _forms: dict[str, Form] = field(default_factory=dict)
    _bytes: int = 0

    def before(self, path: str, parent: int, name: str) -> None:
        """Keep what is at `name` in the folder `parent`, unless it was kept already. Raises TooLarge, OSError."""
        if path in self._before:
            return
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            self._before[path] = None
            return
        if stat.S_ISLNK(found.st_mode):
            self._before[path], self._forms[path] = os.fsencode(os.readlink(name, dir_fd=parent)), "link"
            return
        if not stat.S_ISREG(found.st_mode):
            return
        self._forms[path] = "x" if found.st_mode & stat.S_IXUSR else ""
        if found.st_size > self.most_file or self._bytes + found.st_size > self.most:
            raise TooLarge(path)
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        with os.fdopen(fd, "rb") as file:
            data = file.read(self.most_file + 1)
        self._bytes += len(data)
        self._before[path] = data

    def after(self, path: str, descriptor: int | None) -> None:
        """Learn what is at `path` now: the file that is open, or nothing."""
        if path not in self._before:
            return
        if descriptor is None:
            self._after[path] = (None, "")
            return
        digest, data = blake2b(digest_size=32), b""
        size = os.fstat(descriptor).st_size
        for at in range(0, size, PIECE):
            piece = os.pread(descriptor, PIECE, at)
            digest.update(piece)
            data = piece if size <= WHOLE else b""
        self._after[path] = (data if size <= WHOLE else None, digest.hexdigest())

    def folder_gone(self, path: str) -> None:
        """Learn that a folder was removed; what was in it is told of by itself."""
        self._before.setdefault(path, b"")
        self._forms.setdefault(path, "folder")
        self._after[path] = (None, "")

    def changes(self) -> tuple[Change, ...]:
        """What differs from before, and start over."""
        found = []
        for path, (after, digest) in self._after.items():
            before, form = self._before[path], self._forms.get(path, "")
            if (before is None and not digest) or (
                form in ("", "x") and before is not None and digest and _digest(before) == digest
            ):
                continue
            found.append(Change(path, before, after, digest if after is None else "", form))
        self._before, self._after, self._forms, self._bytes = {}, {}, {}, 0
        return tuple(found)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=32).hexdigest()
