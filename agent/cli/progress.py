"""What a person sees of a run while it goes on: lines on stderr, and on a terminal one that says what is being waited for.
May touch: stderr; the terminal's input when a person is asked. Does not promise: to be watched; a run needs no progress.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from outrider.agent.cli.support.more import flags_for_more, how_to_wait, limit_of
from outrider.agent.review.lines import LIVE, SHOW, Line, Style, count, dollars, duration, one_line
from outrider.agent.review.render import Painter
from outrider.agent.review.terminal import SANDBOX_OFF, TranscriptWriter, citations, warning
from outrider.memory.events import (
    Answered,
    ApprovalAsked,
    Event,
    GoalGiven,
    ModelAsked,
    ModelReplied,
    Resumed,
    RunStarted,
    ToolCalled,
    ToolReturned,
)
from outrider.memory.journal import Stored

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from outrider.agent.history.run_view import Run
    from outrider.memory.journal import Journal


def goal_in(event: Event) -> str:
    """The goal that an event gives, "" if it gives none."""
    if isinstance(event, RunStarted | GoalGiven):
        return event.goal
    return str(event.changes.get("goal") or "") if isinstance(event, Resumed) else ""


class Progress:
    """Progress of one run on stderr. `quiet`: only warnings and what a person must answer. `verbose`: calls and results at
    length. `bell`: ring when a person is asked and when the run is over."""

    def __init__(self, *, quiet: bool, verbose: bool = False, bell: bool = False) -> None:
        self.quiet, self.bell, self.asks = quiet, bell, False
        self.painter = Painter(sys.stderr)
        self._teller = TranscriptWriter(replace(SHOW, answer=False) if verbose else LIVE)
        self._live: Live | None = None
        self._doing, self._since, self._text = "starting", time.monotonic(), ""
        self._open: dict[str, str] = {}
        self._step = 0

    def show(self, lines: list[Line], *, always: bool = False) -> None:
        """Print lines. A stderr that is gone is nobody's trouble: the run goes on."""
        if lines and (always or not self.quiet):
            with suppress(OSError, ValueError):
                self.painter.show(lines)

    def ring(self) -> None:
        """The terminal's bell, if it was asked for and there is one."""
        if self.bell and self.painter.console is not None:
            with suppress(OSError, ValueError):
                self.painter.stream.write("\a")
                self.painter.stream.flush()

    def say(self, text: str, *, always: bool = True) -> None:
        """Print one line of our own words."""
        self.show([Line(((text, "warn"),))], always=always)

    def begin(self, journal: Journal) -> None:
        """Learn of what was there before; shown are the header, with the goal as it is now, and the last event."""
        events = list(journal.read())
        now = next(one.event for one in reversed(events) if goal_in(one.event))
        change = {"goal": goal_in(now), "attachments": getattr(now, "attachments", ())}
        for stored in events:
            lines = self._teller.tell(stored)
            event = stored.event
            if isinstance(event, RunStarted):
                if event.settings.get("unsafe") and self.quiet:
                    self.show([warning(SANDBOX_OFF)], always=True)
                header = replace(stored, run=journal.run_id, body=event.model_copy(update=change).body())
                self.show(TranscriptWriter(LIVE).tell(header))
            elif stored.seq == journal.head_seq and not isinstance(event, GoalGiven):
                self.show(lines)

    def learn(self, journal: Journal) -> None:
        """Learn of what was there before, and show nothing of it."""
        for stored in journal.read():
            self._teller.tell(stored)

    def on_event(self, stored: Stored) -> None:
        """Show an event that was just committed."""
        self._watch(stored)
        lines = self._teller.tell(stored)
        if not (isinstance(stored.event, ApprovalAsked) and self.asks):  # the question itself shows more
            self.show(lines)

    def on_text(self, piece: str) -> None:
        """A piece of the reply that is being written."""
        self._text = (self._text + piece)[-400:]

    def clear(self) -> None:
        """Take the line that says what is being waited for off the terminal: nothing is."""
        self._stop()

    def progress(self, text: str) -> None:
        """A line from a tool that takes long."""
        self._text = text[:400]
        if self._live is None:
            self.show([Line(((one_line(text, 160), "dim"),), (("    ", "plain"),))])

    def _watch(self, stored: Stored) -> None:
        event = stored.event
        if isinstance(event, ModelAsked):
            self._step = event.step
            what = f"step {event.step}" if event.purpose == "step" else event.purpose
            self._doing = f"{what}, the model is thinking"
        elif isinstance(event, ToolCalled):
            self._open[event.call_id] = event.tool
        elif isinstance(event, ToolReturned):
            self._open.pop(event.call_id, None)
            self._doing = f"step {self._step + 1}, the model is thinking"
        if isinstance(event, ModelAsked | ToolCalled | ToolReturned | ModelReplied):
            self._since, self._text = time.monotonic(), ""

    # -- the line that says what is going on ---------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, a terminal's last line says what is being waited for."""
        if self.painter.console is None or self.quiet:
            yield
            return
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While inside, the terminal is free for a question."""
        running = self._live is not None
        self._stop()
        self.ring()
        try:
            yield
        finally:
            self._since = time.monotonic()
            if running:
                self._start()

    def _start(self) -> None:
        from rich.live import Live

        self._live = Live(
            self, console=self.painter.console, refresh_per_second=6, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        with suppress(OSError, ValueError):
            self._live.start()

    def _stop(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError, ValueError):
                live.stop()

    def __rich__(self) -> Text:
        from rich.text import Text

        doing = f"running {', '.join(sorted(set(self._open.values())))}" if self._open else self._doing
        waited_s = time.monotonic() - self._since
        frame = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(waited_s * 6) % 10]
        tail = f"  {one_line(self._text[::-1], 60)[::-1]}" if self._text else ""
        return Text(f"{frame} {doing}, {waited_s:.0f} s{tail}", "dim", overflow="ellipsis", no_wrap=True)


def ending(run: Run) -> list[Line]:
    """What is said of a run after its answer: where it is from, why it stopped, what it used, how to go on."""
    supported = tuple(one for one in run.citations if one.seq is not None)  # the others are marked beside the answer
    answered = Answered(text=str(run.answer), citations=supported)
    spent = run.spent
    used = (
        f"{count(spent.steps, 'step')}, {count(spent.calls, 'call')}, {count(spent.tokens, 'token')}, "
        f"{dollars(float(spent.usd))}, {duration(spent.seconds)}"
    )
    style: Style = "good" if run.state == "answered" else "warn"
    lines = list(citations(answered)) if str(run.answer) else []
    lines.append(Line(((run.state, style), (f"  {used}", "dim")), right=f"run {run.id}"))
    if run.state != "answered":
        lines += _how_to_go_on(run)
    return lines


def _how_to_go_on(run: Run) -> list[Line]:
    lines = []
    if run.unfinished and run.unfinished != run.goal:
        lines.append(Line(((f"unfinished: {one_line(run.unfinished, 300)}", "plain"),)))
    if run.stop_reason in ("partial", "not_found", "refused", "unable"):
        return [*lines, Line((("to go on: ", "dim"), (f'outrider run --continue {run.id} "…"', "plain")))]
    if run.stop_reason == "denied":
        return [*lines, _go_on(run, " --yes EFFECT")]
    if limit_of(run).startswith("limits."):
        return [*lines, *how_to_wait(run)]
    return [*lines, _go_on(run, flags_for_more(run) if run.stop_reason == "budget" else "")]


def _go_on(run: Run, flags: str) -> Line:
    return Line((("to go on: ", "dim"), (f"outrider resume {run.id}{flags}", "plain")))
