"""Runs one command, and says what becomes of its errors: one clear message and the right exit code.
May touch: writes the traceback of a bug to the data folder. Does not promise: to hide a bug; OUTRIDER_DEBUG=1 shows it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from outrider.agent.cli.output import ReaderGone, hide, lost, say
from outrider.memory.errors import OutriderError, UsageError

if TYPE_CHECKING:
    from typer.exceptions import TyperException


def run_with(command: Callable[[], Any]) -> int:
    """Run one command, which may return an exit code; returns the exit code."""
    stdout = sys.stdout or _closed()  # a closed stream is None
    sys.stdout, sys.stderr = stdout, sys.stderr or _nowhere()
    try:
        code = command()
        return code if isinstance(code, int) else 0
    except OutriderError as error:
        say(str(error))
        return error.exit_code
    except ReaderGone:
        return 0
    except SystemExit as left:  # click leaves so, with 1, where the reader of its help has left
        if not isinstance(left.__context__, BrokenPipeError):
            raise
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if told := _surroundings(error, stdout):
            say(str(told))
            return told.exit_code
        say(_internal(error))
        return 1
    except Exception as error:
        return _unexpected(error)
    finally:
        _leave_quietly()


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


class _Closed(io.TextIOBase):
    """A stdout that was closed: what is written to it is lost, and whoever writes must know."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def _closed() -> TextIO:
    _OCCUPIED.append(_nowhere())  # no file that is opened later may get the number of stdout
    return cast(TextIO, _Closed())


_OCCUPIED: list[TextIO] = []


def _surroundings(error: OSError, stdout: TextIO) -> OutriderError | None:
    """What is wrong with the place the program was started in, if that is what the error comes from."""
    try:
        os.getcwd()  # noqa: PTH109  (only asked whether there is one)
    except OSError:
        what = "the folder this was started in is not there any more"
        return UsageError(what, "it was deleted or moved", "change to a folder that exists")
    if isinstance(stdout, _Closed) and error.errno == errno.EBADF:
        return lost(error)
    return lost(error) if error.errno == errno.ENOSPC and error.filename is None else None


def _unexpected(error: Exception) -> int:
    from typer.exceptions import TyperException  # late: a list of runs does without

    if isinstance(error, TyperException):
        return _wrong_usage(error)
    say(_internal(error))
    return 1


def _wrong_usage(error: TyperException) -> int:
    show = getattr(error, "show", None)
    with suppress(OSError):  # nobody reads stderr: the exit code still tells
        show() if show else say(f"Error: {error.format_message()}")
    return error.exit_code


def _internal(error: Exception) -> str:
    if os.environ.get("OUTRIDER_DEBUG"):
        sys.stderr.write(hide(traceback.format_exc()))
    said = f"internal error: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    report = f"outrider {' '.join(sys.argv[1:2])}\n{''.join(traceback.format_exception(error))}"
    name = f"{datetime.now(UTC):%y%m%d-%H%M%S}-{os.getpid()}.txt"
    for folder in (_errors_folder, lambda: Path(tempfile.gettempdir())):
        try:
            file = folder() / name
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_text(hide(report), encoding="utf-8", errors="backslashreplace")
            return f"{said} (traceback: {file})"
        except Exception:  # noqa: S112 - the next place; a bug must not hide behind its own report
            continue
    return f"{said} (OUTRIDER_DEBUG=1 shows the traceback)"


def _errors_folder() -> Path:
    from outrider.agent.settings.config import data_folder

    return data_folder() / "errors"


def _leave_quietly() -> None:
    """A reader that left (`| head -1`) must not make the interpreter complain when it flushes at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
