"""One run with many goals: a person gives a goal, sees it worked on, and gives the next. START HERE for `outrider chat`.
May touch: what a run may. Does not promise: to undo what a stopped step did. Everything is an event of the run, so a chat
that was killed goes on with all that was said (`outrider chat --continue`).
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from outrider.agent.cli.chat.prompt import Typed
from outrider.agent.cli.conclusion import Conclusion
from outrider.agent.cli.output import HidingStream, say
from outrider.agent.cli.progress import Progress
from outrider.agent.cli.prompts import Person, is_there
from outrider.agent.cli.session import Stopping, listeners_for, on_event, start_sandbox
from outrider.agent.review.lines import Line, one_line
from outrider.memory.errors import OutriderError, UsageError

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.assemble import Listeners
    from outrider.agent.history.run_view import Run
    from outrider.agent.live_run import LiveRun

MENTIONED = re.compile(r"(?<!\S)@(\S+)")
SHOWN_TURNS = 20  # of a chat that is taken up


@dataclass(slots=True)
class Chat:
    """A conversation. `live`: the run, once there is one and while it is held. model, budget: for the next hold.

    settings: what the flags say. opening: what the workspace adds to the first goal's settings.
    """

    make: Callable[[Listeners], Agent]
    settings: dict[str, Any]
    progress: Progress
    conclusion: Conclusion
    memory: str | None = None
    model: str | None = None
    budget: dict[str, Any] = field(default_factory=dict)
    opening: Callable[[Agent], dict[str, Any]] = lambda agent: {}
    run_id: str = ""
    live: LiveRun | None = None
    agent: Agent = field(init=False)
    person: Person = field(init=False)
    _hold: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def talk(self, run_id: str = "") -> Run | None:
        """Until the person leaves. `run_id`: the run to go on with. Returns the run, None if nothing was asked."""
        from outrider.agent.cli.chat.slash import COMMANDS, complete, obey
        from outrider.agent.history.run_view import read_run

        self.person = Person(self.progress)
        self.agent = self.make(listeners_for(self.progress, self.person))
        typed = Typed({name: about for name, (about, _) in COMMANDS.items()}, say, partial(complete, self))
        try:
            if run_id:
                self.run_id = run_id
                await self.hold()
                self.progress.learn(cast("LiveRun", self.live).journal)
                self._recap()
            while (said := await typed.read()) is not None:
                if not await self._one(said.strip(), obey):
                    break
            return read_run(self.agent.store, self.run_id) if self.run_id else None
        finally:
            await self._hold.aclose()
            await self.agent.aclose()

    async def _one(self, said: str, obey: Callable[..., Any]) -> bool:
        """Do what was said; whether to go on. What goes wrong with one goal is said, and the chat goes on."""
        try:
            if said.startswith("/"):
                return bool(await obey(self, said))
            if said or self._was_left():
                await self.pursue(said)
        except OutriderError as error:
            if self.live is None and self.run_id:
                raise  # the run cannot be held any more
            say(str(error))
        return True

    def _was_left(self) -> bool:
        """Whether the last goal was stopped in the middle: an empty line goes on with it."""
        return self.live is not None and self.live.state.stopped is None

    async def pursue(self, goal: str) -> None:
        """Work on a goal ("": the one that was left) until it ends or the person stops it."""
        from outrider.agent.driving import give_goal, go_on

        attachments = self._attached(goal)
        if self.live is None:
            live = await self.agent.prepare(goal, attachments=attachments, model=self.model, **self.opening(self.agent))
            await self.adopt(live)
            self.progress.begin(live.journal)
        elif goal:
            give_goal(self.live, goal, attachments)
        else:
            go_on(self.live)
        await self._drive()

    async def _drive(self) -> None:
        from outrider.agent.loop import pursue

        live = cast("LiveRun", self.live)
        task = asyncio.ensure_future(pursue(live))
        stopping = _StopsTheStep(live, task, self.progress, self.person)
        printed = cast(TextIO, HidingStream(sys.stderr))
        with (
            redirect_stdout(printed), redirect_stderr(printed), stopping.on_signals(), self.progress.watching(),
        ):  # fmt: skip
            try:
                await task
            except asyncio.CancelledError:
                if not stopping.now:
                    task.cancel()
                    raise
        if stopping.now:
            await self._record_stop(live)
        if live.state.stopped is None:
            say("stopped; Enter goes on with it, or say what to do instead")

    async def _record_stop(self, live: LiveRun) -> None:
        """What had begun and not returned stays open: the next goal finds its outcome told as unknown."""
        from outrider.memory.events import Interrupted

        await live.commit(
            *(() if live.state.stopped else (Interrupted(reason="Ctrl-C", elapsed_s=live.ledger.elapsed_s),))
        )

    async def hold(self, **changes: Any) -> None:
        """Hold the run (again), with another model or budget if one was asked for; the next goal tells it so."""
        await self.let_go()
        live = await self.agent.prepare_follow_up(
            self.run_id, "", model=self.model, budget=self.budget or None, **changes
        )
        await self.adopt(live)

    async def let_go(self) -> None:
        """Give the run back: its lease, its sandbox."""
        await self._hold.aclose()
        self._hold, self.live = AsyncExitStack(), None

    async def adopt(self, live: LiveRun) -> None:
        """Hold this run from here on."""
        from outrider.agent.driving import held

        await self._hold.enter_async_context(held(live))
        self.live, self.run_id = live, live.journal.run_id
        live.on_event = partial(on_event, self.agent.store, self.progress, self.conclusion)
        start_sandbox(live)

    def _attached(self, goal: str) -> tuple[Any, ...]:
        """The files that `@name` names in a goal; a word that names no file is left as it is."""
        from outrider.agent.cli.input.attach import Attachments, small_for

        named = [word.rstrip(".,;:!?)") for word in MENTIONED.findall(goal)]
        if not (found := [word for word in named if Path(word).expanduser().exists()]):
            return ()
        workspace = self.live.tool_context.workspace if self.live else Path(self.settings.get("workspace") or ".")
        attachments = Attachments(
            workspace.resolve(), small=small_for(self.live.model.name if self.live else self.model)
        )
        for word in found:
            attachments.add_file(word)
        return tuple(attachments.kept)

    def _recap(self) -> None:
        """What was said so far, in short."""
        from outrider.memory.events import Answered, GoalGiven, RunStarted

        live = cast("LiveRun", self.live)
        lines: list[Line] = []
        for stored in live.journal.read():
            event = stored.event
            if isinstance(event, RunStarted | GoalGiven):
                lines.append(Line(((one_line(event.goal, 200), "strong"),), (("> ", "dim"),)))
            elif isinstance(event, Answered):
                lines.append(Line(((one_line(event.text, 400), "plain"),)))
        self.progress.show(lines[-2 * SHOWN_TURNS :], always=True)
        if live.state.stopped is None:
            say("the last goal was left in the middle; Enter goes on with it, or say what to do instead")


class _StopsTheStep(Stopping):
    """Ctrl-C stops the step and not the program: the first after the step, the second at once."""

    def told(self, number: Any) -> None:
        """A signal came."""
        if self.now:
            return
        if self._live.stop or self._person.asking:
            self.now = True
            self._live.stop = self._live.stop or "Ctrl-C"
            self._task.cancel()
            return
        self._live.stop = "Ctrl-C"
        self._progress.say("stopping after this step (again: stop now)")


def run_chat(chat: Chat, run_id: str = "") -> int:
    """Talk until the person leaves; the exit code: of the last goal where nobody sits, else 0. Raises OutriderError."""
    run = None
    with suppress(KeyboardInterrupt):
        run = asyncio.run(chat.talk(run_id))
    if run is None:
        if run_id:
            raise UsageError("the chat was left", "it was interrupted", "outrider chat --continue")
        return 0
    if is_there():
        say(f"to go on: outrider chat --run {run.id}")
        return 0
    return run.exit_code
