"""Walks a folder of the workspace without following links and without trusting its depth or its names.
May touch: descriptors below the one it is given. Standard library only.
Does not promise: folders deeper than MAX_DEPTH, nor more than `most` entries; the caller counts.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_DEPTH = 40
MOST_ALTERNATIVES = 200  # of the braces of one pattern
_Segment = Callable[[str], bool]
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

    `*`, `?` and `[abc]` stop at a slash, `**` does not; `{csv,tsv}` is either. A name that is written out fits itself, whatever
    signs are in it. Never slow: a segment at a time by fnmatch, whose stars do not backtrack.
    """
    wanted = [_segments(one) for one in _alternatives(pattern.strip())]
    return lambda path: any(_fits(one, path.split("/")) for one in wanted)


def _alternatives(pattern: str) -> list[str]:
    """The pattern once for every choice of its braces: "*.{csv,tsv}" → "*.csv", "*.tsv". The pattern itself if too many."""
    done: list[str] = []
    todo = [pattern]
    while todo:
        one = todo.pop()
        inner = re.search(r"\{([^{}]*,[^{}]*)\}", one)  # an innermost pair; "{}" and "{x}" are only signs
        if inner is None:
            done.append(one)
            continue
        todo += [f"{one[: inner.start()]}{choice}{one[inner.end() :]}" for choice in inner[1].split(",")]
        if len(todo) + len(done) > MOST_ALTERNATIVES:
            return [pattern]
    return [pattern, *done] if done != [pattern] else done


def _segments(pattern: str) -> list[_Segment | None]:
    """What each segment of a path must fit; None for `**`."""
    parts = [part for part in pattern.removeprefix("./").rstrip("/").split("/") if part]
    if len(parts) == 1 and parts[0] != "**":
        parts = ["**", *parts]
    return [None if part == "**" else _segment(part) for part in parts]


def _segment(part: str) -> _Segment:
    fits = re.compile(fnmatch.translate(part.replace("[^", "[!"))).match
    return lambda name: name == part or fits(name) is not None


def _fits(wanted: list[_Segment | None], parts: list[str]) -> bool:
    """Row by row: reachable[j] says whether the segments so far fit the first j parts."""
    reachable = [True] + [False] * len(parts)
    for segment in wanted:
        following = [False] * (len(parts) + 1)
        for j in range(len(parts) + 1):
            if segment is None:
                following[j] = reachable[j] or (j > 0 and following[j - 1])
            elif j > 0 and reachable[j - 1]:
                following[j] = segment(parts[j - 1])
        reachable = following
    return reachable[-1]
