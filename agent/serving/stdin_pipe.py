"""stdin by way of a pipe that this process can end: a thread that waits for the next line, and cannot be stopped, then sees the end.
May touch: descriptor 0. Does not promise: to put back what was read ahead.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

AT_ONCE = 65_536  # bytes


@contextmanager
def stdin_that_ends() -> Iterator[Callable[[], None]]:
    """While inside, descriptor 0 gives what comes on stdin. Yields what ends it, to be called from anywhere, any number of times."""
    wire = os.dup(0)
    inner, outer = os.pipe()
    os.dup2(inner, 0)
    os.close(inner)
    threading.Thread(target=_pass_on, args=(wire, outer), daemon=True).start()  # nobody joins it: it may wait for ever
    try:
        yield lambda: _end(outer)
    finally:
        _end(outer)
        os.dup2(wire, 0)


def _pass_on(wire: int, outer: int) -> None:
    with suppress(OSError):  # nobody reads any more
        while data := os.read(wire, AT_ONCE):
            while data:
                data = data[os.write(outer, data) :]
    _end(outer)


def _end(outer: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, outer, inheritable=False)  # not closed: the number stays ours, whoever still writes to it
    os.close(nothing)
