"""Writing: the product to stdout, everything else to stderr. A reader that left is met quietly.
May touch: the two streams. Does not promise: to reach anybody; a run goes on without being watched.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.review.lines import Line
    from outrider.memory.redaction import Masker


class OutputLost(UsageError):
    """stdout cannot be written to: it is closed, or its disk is full."""


class ReaderGone(Exception):
    """Nobody reads stdout any more; there is nothing left to print."""


@cache
def _masker() -> Masker:
    from outrider.memory.redaction import Masker, from_environment

    return Masker(from_environment(os.environ))


def hide(text: str) -> str:
    """`text` without secrets: those of the environment, those named by a flag, and what is shaped like a key."""
    return _masker().text(text)


def hide_values(secrets: Mapping[str, str]) -> None:
    """Mask these values, by name, in everything this process prints from here on."""
    _masker().add(secrets)


class HidingStream:
    """Stands in for a stream that others print to (a tool's `print`, a library's warnings): lines come out masked."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._held = stream, ""

    def write(self, text: str) -> int:
        """Hold text until its line ends."""
        whole, end, self._held = (self._held + text).rpartition("\n")
        if end:
            self._stream.write(hide(whole) + end)
        return len(text)

    def flush(self) -> None:
        """What is held goes out now."""
        held, self._held = self._held, ""
        if held:
            self._stream.write(hide(held))
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def out(text: str, stream: TextIO | None = None) -> None:
    """Print to stdout, or to the stream that stands for it, now. Raises ReaderGone."""
    text, to = hide(text), stream or sys.stdout
    try:
        to.write(text if text.endswith("\n") else f"{text}\n")
        to.flush()
    except UnicodeEncodeError:
        encoding = to.encoding or "ascii"
        out(text.encode(encoding, "replace").decode(encoding), to)
    except BrokenPipeError:
        raise ReaderGone from None
    except (OSError, ValueError) as error:
        raise lost(error) from None


def lost(error: Exception) -> OutputLost:
    """The error for output that could not be written."""
    why = getattr(error, "strerror", None) or str(error)
    return OutputLost("the output could not be written", f"stdout: {why}", "give it a place it can be written to")


def out_json(value: Any, stream: TextIO | None = None) -> None:
    """Print one value as one line of ASCII JSON. Raises ReaderGone."""
    out(json.dumps(value, default=str), stream)


def out_lines(lines: Iterable[Line]) -> None:
    """Print lines to stdout, wrapped if it is a terminal. Raises ReaderGone."""
    from outrider.agent.review.render import Painter

    try:
        Painter(sys.stdout).show(lines)
    except UnicodeEncodeError:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        Painter(sys.stdout).show(lines)
    except BrokenPipeError:
        raise ReaderGone from None
    except (OSError, ValueError) as error:
        raise lost(error) from None


def say(text: str) -> None:
    """Print to stderr, cleaned; a stderr that is gone or full is nobody's trouble."""
    from outrider.memory.text import for_terminal

    with suppress(OSError, ValueError):
        sys.stderr.write(f"{for_terminal(hide(text))}\n".encode("utf-8", "replace").decode("utf-8"))
        sys.stderr.flush()


def say_lines(lines: Iterable[Line]) -> None:
    """Print lines to stderr, wrapped if it is a terminal."""
    from outrider.agent.review.render import Painter

    with suppress(OSError, ValueError):
        Painter(sys.stderr).show(lines)


def check_apart(written: Path, read: Iterable[str | Path]) -> None:
    """Raises UsageError where `written` is a file that is read as well, by whatever name; "-" is what is piped in."""
    for each in read:
        with suppress(OSError, ValueError):  # one of them is not there: whoever opens it says so
            found = (
                os.fstat(sys.stdin.fileno() if sys.stdin else -1)
                if str(each) == "-"
                else Path(each).expanduser().stat()
            )
            if stat.S_ISREG(found.st_mode) and os.path.samestat(found, written.stat()):
                why = "it is read as well, and what it holds would be lost"
                raise UsageError(f"{str(written)!r} cannot be written", why, "name another file to write to")
