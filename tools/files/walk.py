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
MAX_BRACES = 64  # patterns
# What stands between two stars: a character, None for any one, or (negated, characters).
Piece = tuple["tuple[bool, frozenset[str]] | str | None", ...]
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
    """Whether a path fits "*.csv" (any folder), "src/*.py" (that folder), "src/**/*.py" (below it), "*.{csv,tsv}", "*.[ch]".

    `*`, `?` and `[…]` stop at a slash, `**` does not. Never backtracks for long: stars are merged and matched without
    nesting, and braces give at most MAX_BRACES patterns; beyond, a brace is a character like any other.
    """
    pattern = pattern.strip().removeprefix("./").rstrip("/")
    ways = []
    for one in _unbraced(pattern):
        wanted = [
            [_piece(part) for part in re.split(r"\*+", name)] if name != "**" else None
            for name in one.split("/")
            if name
        ]
        ways.append([None, *wanted] if len(wanted) == 1 and wanted[0] is not None else wanted)
    return lambda path: any(_fits(wanted, path.split("/")) for wanted in ways)


def _unbraced(pattern: str) -> list[str]:
    """The patterns that {a,b} stands for."""
    done: list[str] = []
    todo = [pattern]
    while todo:
        one = todo.pop()
        found = re.search(r"\{([^{}]*,[^{}]*)\}", one)
        if found is None:
            done.append(one)
            continue
        todo += [one[: found.start()] + choice + one[found.end() :] for choice in found[1].split(",")]
        if len(todo) + len(done) > MAX_BRACES:
            return [pattern]
    return done


def _piece(text: str) -> Piece:
    """What stands at each place between two stars: a character, None for any, or a set of them and whether it is negated."""
    found: list[tuple[bool, frozenset[str]] | str | None] = []
    at = 0
    while at < len(text):
        group = re.match(r"\[(!|\^)?(\]?[^\]]*)\]", text[at:])
        if group and group[2]:
            found.append((bool(group[1]), _members(group[2])))
            at += group.end()
            continue
        found.append(None if text[at] == "?" else text[at])
        at += 1
    return tuple(found)


def _members(inside: str) -> frozenset[str]:
    ranges = re.sub(
        r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), min(ord(m[2]), ord(m[1]) + 512) + 1))), inside
    )
    return frozenset(ranges)


def _fits(wanted: list[list[Piece] | None], parts: list[str]) -> bool:
    """Row by row: reachable[j] says whether the patterns so far fit the first j parts. None is `**`."""
    reachable = [True] + [False] * len(parts)
    for name in wanted:
        following = [False] * (len(parts) + 1)
        for j in range(len(parts) + 1):
            if name is None:
                following[j] = reachable[j] or (j > 0 and following[j - 1])
            elif j > 0 and reachable[j - 1]:
                following[j] = _fits_name(name, parts[j - 1])
        reachable = following
    return reachable[-1]


def _fits_name(pieces: list[Piece], name: str) -> bool:
    """Stars match greedily from the left: linear in practice, never exponential."""
    first, *rest = pieces
    if not rest:
        return _same(first, name)
    if not _same(first, name[: len(first)]) or len(name) < len(first) + len(rest[-1]):
        return False
    at = len(first)
    for piece in rest[:-1]:
        end = len(name) - len(rest[-1])
        at = next(
            (i + len(piece) for i in range(at, end - len(piece) + 1) if _same(piece, name[i : i + len(piece)])), -1
        )
        if at < 0:
            return False
    last = rest[-1]
    return at <= len(name) - len(last) and _same(last, name[len(name) - len(last) :])


def _same(piece: Piece, text: str) -> bool:
    return len(piece) == len(text) and all(
        wanted is None or wanted == has or (isinstance(wanted, tuple) and (has in wanted[1]) != wanted[0])
        for wanted, has in zip(piece, text, strict=True)
    )
