"""Drives a run for a person: shows it, asks, and lets Ctrl-C end it well. Used by `run` and `resume`.
May touch: signal handlers while the run goes on. Does not promise: to wait for a tool after the second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from typing import TYPE_CHECKING, TextIO, cast

from outrider.agent.cli.output import HidingStream
from outrider.agent.cli.progress import Progress
from outrider.agent.cli.prompts import Person, is_there
from outrider.agent.cli.support.more import ask_for_more
from outrider.memory.errors import LeaseLost, StoreError

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.assemble import Listeners
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.history.run_view import Run
    from outrider.agent.live_run import LiveRun
    from outrider.memory.journal import Stored
    from outrider.memory.store import Store

MakeAgent = Callable[["Listeners"], "Agent"]
Prepare = Callable[["Agent"], Awaitable["LiveRun"]]


def work(make: MakeAgent, prepare: Prepare, progress: Progress, conclusion: Conclusion) -> Run:
    """Prepare a run, drive it to its end or until the person stops it, and show what it came to as soon as it is on disk."""
    printed = cast(TextIO, HidingStream(sys.stderr))
    with (
        redirect_stdout(printed),
        redirect_stderr(printed),
    ):  # what a tool prints is not the answer, and may hold a secret
        return asyncio.run(_work(make, prepare, progress, conclusion))


def listeners_for(progress: Progress, person: Person) -> Listeners:
    """What a person sees of a run, and is asked."""
    from outrider.agent.assemble import Listeners

    listeners = Listeners(progress=progress.progress)
    if progress.painter.console is not None and not progress.quiet:
        listeners.on_text = progress.on_text
    if is_there():
        listeners.approve, listeners.ask = person.approve, person.answer
        progress.asks = True
    return listeners


def start_sandbox(live: LiveRun) -> None:
    """Start it beside the first request, if code may run in it."""
    from outrider.tools.code.code_tools import start_early

    if "python" in live.toolbox.tools or "shell" in live.toolbox.tools:
        early = asyncio.ensure_future(asyncio.to_thread(start_early, live.tool_context))
        early.add_done_callback(_forget_failure)  # the first call reports it


async def _work(make: MakeAgent, prepare: Prepare, progress: Progress, conclusion: Conclusion) -> Run:
    from outrider.agent.history.run_view import read_run

    person = Person(progress)
    agent = make(listeners_for(progress, person))
    try:
        live = await prepare(agent)
        while True:
            await _show_and_drive(live, agent, progress, person, conclusion)
            run = read_run(agent.store, live.journal.run_id)
            more = await ask_for_more(run, person) if progress.asks and not conclusion.for_a_program else {}
            if not more:
                return run
            live = await agent.prepare_resume(run.id, budget=more)
    finally:
        await agent.aclose()


async def _show_and_drive(
    live: LiveRun, agent: Agent, progress: Progress, person: Person, conclusion: Conclusion
) -> None:
    progress.begin(live.journal)
    live.on_event = partial(on_event, agent.store, progress, conclusion)
    start_sandbox(live)
    with progress.watching():
        await _drive(live, progress, person)


def on_event(store: Store, progress: Progress, conclusion: Conclusion, stored: Stored) -> None:
    """Show an event that was just committed, and the end of the run at once."""
    progress.on_event(stored)
    if stored.kind == "stopped":  # closing the sandbox takes its time; a process killed meanwhile has given its answer
        from outrider.agent.history.run_view import read_run

        conclusion.show(read_run(store, stored.run))


def _forget_failure(done: asyncio.Future[None]) -> None:
    """Read the failure of work nobody waits for, so that asyncio does not print it; a run may end before it is done."""
    if not done.cancelled():
        done.exception()


async def _drive(live: LiveRun, progress: Progress, person: Person) -> None:
    from outrider.agent.driving import drive

    task = asyncio.ensure_future(drive(live))
    stopping = Stopping(live, task, progress, person)
    with stopping.on_signals():
        try:
            await task
        except asyncio.CancelledError:
            if not stopping.now:
                raise LeaseLost(
                    f"this process no longer drives run {live.journal.run_id}",
                    "another one took it over, or this one was suspended for too long",
                    f"look with `outrider show {live.journal.run_id}`",
                ) from None
        except StoreError as error:  # a full disk, say: what is recorded is safe
            if not isinstance(error, LeaseLost):
                progress.say(f"the run was left; to go on: outrider resume {live.journal.run_id}")
            raise


class Stopping:
    """Ctrl-C or SIGTERM: the first leaves after the step, the second at once, the third does not even clear up.

    At every moment the journal is whole: what had begun and not returned is reported as unknown by `resume`.
    """

    def __init__(self, live: LiveRun, task: asyncio.Task[None], progress: Progress, person: Person) -> None:
        self._live, self._task, self._progress, self._person = live, task, progress, person
        self.now = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while inside."""
        loop = asyncio.get_running_loop()
        taken = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError, RuntimeError):  # not this platform, not this thread
                loop.add_signal_handler(number, self.told, number)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def told(self, number: signal.Signals) -> None:
        """A signal came."""
        name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        go_on = f"outrider resume {self._live.journal.run_id}"
        if self.now:
            os._exit(4)
        if self._live.stop or self._person.asking:
            self.now = True
            self._live.stop = self._live.stop or name
            self._progress.say(f"stopping now; to go on: {go_on}")
            self._task.cancel()
            return
        self._live.stop = name
        self._progress.say(f"{name}: stopping after this step (again: stop now); to go on: {go_on}")
