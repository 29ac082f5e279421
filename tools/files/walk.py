"""Walks a folder of the workspace without following links and without trusting its depth or its names.
May touch: descriptors below the one it is given. Standard library only.
Does not promise: folders deeper than MAX_DEPTH, nor more than `most` entries; the caller is told by `Walked.cut`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_DEPTH = 40
# Other programs' heaps: thousands of files nobody means. Listed by name, not entered unless asked for.
NOT_ENTERED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".mypy_cache", ".ruff_cache"}
)
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder. `path` is relative to where the walk began; `folder` is its folder's open descriptor."""

    path: str
    name: str
    kind: str  # "file", "folder", "link" or "other"
    size: int
    folder: int


def entries(descriptor: int, prefix: str = "", *, deep: bool = False, depth: int = 0) -> Iterator[Entry]:
    """The entries of an open folder by name, folders entered right after their own entry if `deep`."""
    try:
        names = sorted(os.listdir(descriptor))
    except OSError:
        return
    for name in names:
        try:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except OSError:
            continue
        kind = _kind(found.st_mode)
        path = f"{prefix}{name}"
        yield Entry(path, name, kind, found.st_size, descriptor)
        if not (deep and kind == "folder" and depth < MAX_DEPTH and name not in NOT_ENTERED):
            continue
        try:
            inner = os.open(name, FOLDER, dir_fd=descriptor)
        except OSError:
            continue
        try:
            yield from entries(inner, f"{path}/", deep=True, depth=depth + 1)
        finally:
            os.close(inner)


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def glob(pattern: str) -> Callable[[str], bool]:
    """Whether a path fits "*.csv" (any folder), "src/*.py" (that folder) or "src/**/*.py" (below it).

    `*` and `?` stop at a slash, `**` does not. Never backtracks for long: stars are merged and matched without nesting.
    """
    pattern = pattern.strip().removeprefix("./").rstrip("/")
    wanted = [part for part in pattern.split("/") if part]
    if len(wanted) == 1 and wanted[0] != "**":
        wanted = ["**", *wanted]
    return lambda path: _fits(wanted, path.split("/"))


def _fits(wanted: list[str], parts: list[str]) -> bool:
    """Row by row: reachable[j] says whether the patterns so far fit the first j parts."""
    reachable = [True] + [False] * len(parts)
    for piece in wanted:
        following = [False] * (len(parts) + 1)
        for j in range(len(parts) + 1):
            if piece == "**":
                following[j] = reachable[j] or (j > 0 and following[j - 1])
            elif j > 0 and reachable[j - 1]:
                following[j] = _fits_name(piece, parts[j - 1])
        reachable = following
    return reachable[-1]


def _fits_name(piece: str, name: str) -> bool:
    """Stars match greedily from the left: linear in practice, never exponential."""
    first, *rest = re.split(r"\*+", piece)
    if not rest:
        return _same(piece, name)
    if not _same(first, name[: len(first)]) or len(name) < len(first) + len(rest[-1]):
        return False
    at = len(first)
    for chunk in rest[:-1]:
        end = len(name) - len(rest[-1])
        at = next(
            (i + len(chunk) for i in range(at, end - len(chunk) + 1) if _same(chunk, name[i : i + len(chunk)])), -1
        )
        if at < 0:
            return False
    last = rest[-1]
    return at <= len(name) - len(last) and _same(last, name[len(name) - len(last) :])


def _same(piece: str, text: str) -> bool:
    return len(piece) == len(text) and all(p in ("?", t) for p, t in zip(piece, text, strict=True))
