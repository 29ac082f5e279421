"""Searches files; as a child process, `python -m outrider.tools.files.search_process`, killed at its deadline by its parent.
May touch: reads regular files below the workspace it is given, following no link. Standard library only.
Does not promise: to end by itself; a pattern may backtrack for ever, which is why it can be a process (files.py).

stdin: {"root", "path", "pattern", "regex", "ignore_case", "most"}. stdout: one JSON object a line, as found:
{"path", "line", "text"} for a match, {"error"} for a bad pattern or path, and at the end {"files", "skipped", "more"}.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outrider.memory.errors import OutriderError
from outrider.tools.files import encoding, paths, walk
from outrider.tools.files.guarded import is_secret, protect
from outrider.tools.process.limits import limit_self

LINE = 20_000  # characters of a line that are looked at
SHOWN = 240  # characters of a matching line that are shown
MAX_FILE = 200_000_000  # bytes; a larger file is passed over and counted


def main() -> None:
    limit_self(cpu_s=60)
    asked = json.load(sys.stdin)
    protect(Path(asked["root"]), map(Path, asked["with_keys"]), keys=True)  # the parent's list is not known here
    for row in search(asked):
        print(json.dumps(row), flush=True)  # noqa: T201  # the parent reads this


def search(asked: dict[str, Any], ends: float = math.inf) -> Iterator[dict[str, Any]]:
    """The rows, as found. Plain text may be searched in this process, an expression may not.

    Raises TimeoutError when the monotonic clock passes `ends`.
    """
    try:
        finder = _finder(asked)
        files = skipped = found = 0
        for path, descriptor in _files(Path(asked["root"]), asked["path"]):
            stream = encoding.open_text(descriptor) if descriptor >= 0 else None
            if stream is None:
                skipped += 1
                continue
            files += 1
            with stream:
                for number, text in _matches(stream, finder, ends):
                    found += 1
                    if found > asked["most"]:
                        yield {"files": files, "skipped": skipped, "more": True}
                        return
                    yield {"path": path, "line": number, "text": text}
        yield {"files": files, "skipped": skipped, "more": False}
    except re.error as error:
        yield {"error": str(error)}
    except OutriderError as error:
        yield {"what": error.what, "why": error.why, "fix": error.fix}


def _finder(asked: dict[str, Any]) -> Callable[[str], int | None]:
    """Where in a line the pattern is found, or None."""
    pattern = asked["pattern"] if asked["regex"] else re.escape(asked["pattern"])
    compiled = re.compile(pattern, re.IGNORECASE if asked["ignore_case"] else 0)

    def find(line: str) -> int | None:
        match = compiled.search(line)
        return match.start() if match else None

    return find


def _files(root: Path, path: str) -> Iterator[tuple[str, int]]:
    """(path in the workspace, descriptor) of each regular file; -1 for one that is too large or cannot be opened."""
    with paths.place(root, path) as at:
        found = at.status()
        if found is None:
            raise paths.missing(at, path)
        if not stat.S_ISDIR(found.st_mode):
            yield at.path, paths.open_file(at, path)
            return
        prefix = "" if at.path == "." else f"{at.path}/"
        top = at.open_folder()
        try:
            for entry in walk.entries(top, prefix, deep=True):
                if entry.kind == "file" and not is_secret(entry.path, at.root):
                    yield entry.path, _open(entry)
        finally:
            os.close(top)


def _open(entry: walk.Entry) -> int:
    if entry.size > MAX_FILE:
        return -1
    try:
        descriptor = os.open(entry.name, paths.READ, dir_fd=entry.folder)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return -1


def _matches(stream: Any, find: Callable[[str], int | None], ends: float) -> Iterator[tuple[int, str]]:
    for number, (line, _) in enumerate(encoding.lines(stream, LINE), start=1):
        if number % 4096 == 1 and time.monotonic() > ends:
            raise TimeoutError
        line = line.rstrip("\n")
        at = find(line)
        if at is not None:
            begin = max(0, at - SHOWN // 3) if len(line) > SHOWN else 0
            text = line[begin : begin + SHOWN]
            yield number, ("…" if begin else "") + text + ("…" if begin + SHOWN < len(line) else "")


if __name__ == "__main__":
    main()
