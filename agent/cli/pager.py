"""A pager for what is longer than the screen, as git has one: `$PAGER`, else `less`; only where a person looks on.
May touch: starts the pager; stands in for stdout and stderr while it runs. Does not promise: a way back up where there is none:
without a pager, with PAGER=cat or on a dumb terminal everything is printed as it comes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

from outrider.agent.cli.output import say

PLAIN = {"LESS": "FRX", "LV": "-c"}  # less: leave at once if it fits, colours alone are passed, the screen stays


class _Paged(TextIOWrapper):
    """The pager's input. It counts as the terminal it is shown on: wrapped, and in its colours."""

    def isatty(self) -> bool:
        """True: behind it is one."""
        return True


@contextmanager
def paged(wanted: bool = True) -> Iterator[None]:
    """What is printed within goes through the pager, errors too: two programs would write over each other on one screen."""
    pager = _start() if wanted and sys.stdout.isatty() else None
    if pager is None or pager.stdin is None:
        yield
        return
    out, errors = sys.stdout, sys.stderr
    shown = _Paged(pager.stdin, encoding=out.encoding, errors="replace", write_through=True)
    sys.stdout, sys.stderr = shown, shown if errors.isatty() else errors
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, errors
        with suppress(OSError):  # it was left before the end
            shown.close()
        _wait(pager)


def _start() -> subprocess.Popen[bytes] | None:
    """The pager; None where there is none to use."""
    wanted = os.environ.get("PAGER", "less").strip()
    if wanted in ("", "cat") or os.environ.get("TERM", "dumb") == "dumb":
        return None
    try:
        words = shlex.split(wanted)
    except ValueError:
        words = []
    if not words or shutil.which(words[0]) is None:
        if "PAGER" in os.environ:
            say(f"note: the pager {wanted[:80]!r} (PAGER) is not there; everything is printed")
        return None
    try:
        return subprocess.Popen(words, stdin=subprocess.PIPE, env=PLAIN | dict(os.environ))
    except OSError as error:
        say(f"note: the pager {wanted[:80]!r} (PAGER) does not start ({error.strerror}); everything is printed")
        return None


def _wait(pager: subprocess.Popen[bytes]) -> None:
    """Until the person leaves it. Ctrl-C is the pager's: it stops a search there, and must not leave it without a terminal."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
