"""Drives a batch for a person: shows how it stands, writes results, lets Ctrl-C end it well. Used by `batch`.
May touch: signal handlers while it goes on; the file of results. Does not promise: to wait for runs after the second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from outrider.agent.cli.output import HidingStream, ReaderGone, hide, lost, out_json, say
from outrider.agent.cli.support.batch_view import BatchView
from outrider.memory.errors import StoreError, UsageError
from outrider.memory.spending.fleet import Fleet, Slice

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.cluster.driver import Cluster, Place, Told
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
    place: Place | None = None  # where, if not in this process


def work(agent: Agent, started: Started) -> int:
    """Work on all goals; returns the exit code."""
    with _results(started.out) as write:
        printed = cast(TextIO, HidingStream(sys.stderr))
        with (
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):  # what a tool prints is no result, and may hold a secret
            return asyncio.run(_work(agent, started, write))


async def _work(agent: Agent, started: Started, write: Callable[[Outcome | Told], None]) -> int:
    from outrider.agent.fleet.batch import Batch
    from outrider.agent.fleet.start import aliases
    from outrider.agent.limits.rates import Gates
    from outrider.memory.spending.fleet import open_fleet

    fleet = open_fleet(agent.store, started.name, started.whole, fresh=started.fresh)
    batch: Batch | Cluster
    if started.place is not None:
        batch = _on_cluster(agent, started, fleet, started.place)
    else:
        batch = Batch(
            agent,
            fleet,
            started.jobs,
            started.limits,
            started.label,
            Gates(started.rates),
            started.retry_failed,
            aliases(),
            started.file.base,
        )
    if not started.quiet:
        say(
            f"batch {fleet.id}: about {started.file.lines:,} goals, {started.jobs} at once; their runs: outrider show {fleet.id}-…"
        )
    view = BatchView(batch, started.file.lines, quiet=started.quiet)
    try:
        return await _watched(batch, started, view, write)
    finally:
        await agent.aclose()


async def _watched(
    batch: Batch | Cluster, started: Started, view: BatchView, write: Callable[[Outcome | Told], None]
) -> int:
    async def all_of_it() -> None:
        writing = None
        try:
            async with aclosing(batch.outcomes(started.file.read())) as outcomes:
                async for outcome in outcomes:
                    view.add(outcome)
                    writing = asyncio.ensure_future(asyncio.to_thread(write, outcome))  # its reader may be slow
                    await asyncio.shield(writing)
        finally:
            if writing is not None:  # a line that was begun is written to its end; the third signal waits for nothing
                await asyncio.wait((writing,))

    task, watching = asyncio.ensure_future(all_of_it()), asyncio.ensure_future(view.watch())
    stopping = _Stopping(batch, task)
    try:
        with stopping.on_signals():
            await task
    except asyncio.CancelledError:
        if not stopping.now:
            raise
    except ReaderGone:
        say("nobody reads the results any more: the batch was left; the same command goes on")
        return STOPPED
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
    lost = _said_of_files(batch)
    return ANSWERED if not lost and view.states["answered"] == view.done > 0 else SOME_NOT


def _said_of_files(batch: Batch | Cluster) -> int:
    """Tell of files that did not come back as they were written; returns how many goals lost theirs."""
    beside, lost = getattr(batch, "beside", []), int(getattr(batch, "files_lost", 0))
    if beside:
        say(
            f"{len(beside)} files were kept beside others that had changed: {', '.join(beside[:5])}{' …' * (len(beside) > 5)}"
        )
    if lost:
        say(
            f"{lost} goals ended on a node that died, and the files they wrote there were not brought back (see note in the results)"
        )
    return lost


def _on_cluster(agent: Agent, started: Started, fleet: Fleet, place: Place) -> Cluster:
    from outrider.agent.cluster.driver import Cluster
    from outrider.agent.cluster.node import Orders, tools_files
    from outrider.agent.fleet.start import aliases

    spec, settings = agent.told()
    files = tools_files(settings.pop("tools_from", ()))
    workspace = Path(settings.pop("workspace", ".")).expanduser().resolve()
    memory = agent.store.url.render_as_string(hide_password=False)
    orders = Orders(
        memory, spec, fleet, started.jobs, started.limits, settings, started.label, started.rates, started.retry_failed,
        aliases(), files,
    )  # fmt: skip
    return Cluster(place, orders, started.file.base, workspace)


class _Stopping:
    """Ctrl-C or SIGTERM: the first begins no other goal, the second leaves those at work, the third does not clear up."""

    def __init__(self, batch: Batch | Cluster, task: asyncio.Future[None]) -> None:
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
        say(f"no other goal is begun; {self._batch.at_work} at work go on to their end (again: stop now)")


@contextmanager
def _results(file: Path | None) -> Iterator[Callable[[Outcome | Told], None]]:
    """What writes a result as one line, on stdout or in a file that is written from its beginning: what was done before is told again."""
    if file is None:
        stdout = sys.stdout

        def print_it(outcome: Outcome | Told) -> None:
            out_json(outcome.as_json(), stdout)

        yield print_it
        return
    try:
        opened = _locked(file)
    except OSError as error:
        raise UsageError(
            f"{str(file)!r} cannot be written", error.strerror or str(error), "name another with --out"
        ) from error
    with opened:

        def write(outcome: Outcome | Told) -> None:
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
