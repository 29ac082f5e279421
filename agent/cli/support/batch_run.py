"""Drives a batch for a person: shows how it stands, writes results, lets Ctrl-C end it well. Used by `batch`.
May touch: signal handlers while it goes on; the file of results. Does not promise: to wait for runs after the second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from outrider.agent.cli.output import HidingStream, hide, lost, out_json, say
from outrider.agent.cli.support.batch_view import BatchView
from outrider.memory.errors import StoreError, UsageError
from outrider.memory.spending.fleet import Slice

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.fleet.batch import Batch
    from outrider.agent.fleet.outcome import Outcome
    from outrider.agent.fleet.start import GoalFile
    from outrider.agent.limits.rates import Rate

ANSWERED, SOME_NOT, STOPPED = 0, 3, 4


@dataclass(frozen=True, slots=True)
class Started:
    """What the command line asks for. whole: the budget over all; limits: of each goal."""

    file: GoalFile
    name: str
    whole: Slice
    limits: Mapping[str, Any]
    rates: Mapping[str, Rate]
    jobs: int
    label: str
    out: Path | None
    retry_failed: bool
    fresh: bool
    quiet: bool


def work(agent: Agent, started: Started) -> int:
    """Work on all goals; returns the exit code."""
    with _results(started.out) as write:
        printed = cast(TextIO, HidingStream(sys.stderr))
        with (
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):  # what a tool prints is no result, and may hold a secret
            return asyncio.run(_work(agent, started, write))


async def _work(agent: Agent, started: Started, write: Callable[[Outcome], None]) -> int:
    from outrider.agent.fleet.batch import Batch
    from outrider.agent.fleet.start import aliases
    from outrider.agent.limits.rates import Gates
    from outrider.memory.spending.fleet import open_fleet

    fleet = open_fleet(agent.store, started.name, started.whole, fresh=started.fresh)
    batch = Batch(
        agent, fleet, started.jobs, started.limits, started.label, Gates(started.rates), started.retry_failed, aliases(), started.file.base,
    )  # fmt: skip
    if not started.quiet:
        say(
            f"batch {fleet.id}: about {started.file.lines:,} goals, {started.jobs} at once; their runs: outrider show {fleet.id}-…"
        )
    view = BatchView(batch, started.file.lines, quiet=started.quiet)
    try:
        return await _watched(batch, started, view, write)
    finally:
        await agent.aclose()


async def _watched(batch: Batch, started: Started, view: BatchView, write: Callable[[Outcome], None]) -> int:
    async def all_of_it() -> None:
        async for outcome in batch.outcomes(started.file.read()):
            view.add(outcome)
            write(outcome)

    task, watching = asyncio.ensure_future(all_of_it()), asyncio.ensure_future(view.watch())
    stopping = _Stopping(batch, task)
    try:
        with stopping.on_signals():
            await task
    except asyncio.CancelledError:
        if not stopping.now:
            raise
    except StoreError:
        say("the batch was left; the same command goes on")
        raise
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        for line in view.last_lines() if not started.quiet else ():
            say(line)
    if batch.stopping:
        say("stopped before the end; the same command goes on")
        return STOPPED
    return ANSWERED if view.states["answered"] == view.done > 0 else SOME_NOT


class _Stopping:
    """Ctrl-C or SIGTERM: the first begins no other goal, the second leaves those at work, the third does not clear up."""

    def __init__(self, batch: Batch, task: asyncio.Future[None]) -> None:
        self._batch, self._task, self.now = batch, task, False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while inside."""
        loop, taken = asyncio.get_running_loop(), []
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError, RuntimeError):  # not this platform, not this thread
                loop.add_signal_handler(number, self.told)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def told(self) -> None:
        """A signal came."""
        if self.now:
            os._exit(STOPPED)
        if self._batch.stopping:
            self.now = True
            say("stopping now; the same command goes on")
            self._task.cancel()
            return
        self._batch.stop()
        say(f"no other goal is begun; {len(self._batch.live)} at work go on to their end (again: stop now)")


@contextmanager
def _results(file: Path | None) -> Iterator[Callable[[Outcome], None]]:
    """What writes a result as one line, on stdout or in a file that is begun anew: what was done before is told again."""
    if file is None:
        stdout = sys.stdout

        def print_it(outcome: Outcome) -> None:
            with redirect_stdout(stdout):
                out_json(outcome.as_json())

        yield print_it
        return
    try:
        opened = _locked(file)
    except OSError as error:
        raise UsageError(
            f"{str(file)!r} cannot be written", error.strerror or str(error), "name another with --out"
        ) from error
    with opened:

        def write(outcome: Outcome) -> None:
            import json

            try:
                opened.write(hide(json.dumps(outcome.as_json(), ensure_ascii=False, default=str)) + "\n")
                opened.flush()
            except OSError as error:
                raise lost(error) from None

        yield write


def _locked(file: Path) -> IO[str]:
    """The file, emptied, and nobody else's. Raises UsageError while another process writes it."""
    opened = file.open("a", encoding="utf-8", errors="surrogatepass")
    with suppress(ImportError):  # not this platform
        import fcntl

        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            opened.close()
            raise UsageError(
                f"another process writes {str(file)!r}", "two would mix their results", "name another with --out"
            ) from None
    if file.is_file():  # a pipe or a device holds nothing
        opened.truncate(0)
    return opened
