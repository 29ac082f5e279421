"""The person at the terminal: says yes or no to a call, answers a question.
May touch: reads the terminal, a line at a time, without holding up the run's loop. Does not promise: that what was typed
before the question was an answer to it: it is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Literal

from outrider.agent.cli.progress import Progress
from outrider.agent.review.lines import Line
from outrider.memory.events import ApprovalAsked, ApprovalGiven
from outrider.memory.text import for_terminal

MOST_LINES = 60  # of one argument; more is shown on demand, never silently left out
MOST_CHARS = 8000


def is_there() -> bool:
    """Whether somebody can be asked: what is typed comes from a terminal and what is shown goes to one."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):  # a closed stream
        return False


class Person:
    """Asks on stderr, reads stdin. One question at a time. `gone` is set when Ctrl-C leaves a question unanswered."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._lock = progress, asyncio.Lock()
        self.asking: asyncio.Future[str] | None = None

    async def approve(self, asked: ApprovalAsked) -> ApprovalGiven:
        """Yes once (y), yes for this run (a) or no (n, Enter, end of input)."""
        async with self._lock:
            with self._progress.aside():
                whole = False
                while True:
                    lines, cut = question(asked, whole=whole)
                    self._progress.show(lines, always=True)
                    choices = "y: once, a: in this run, n: no" + (", v: view all" if cut else "")
                    said = (await self._read(f"  allow? [{choices}] ")).strip().lower()
                    if cut and said in ("v", "view"):
                        whole = True
                        continue
                    break
        scope: Literal["once", "run"] = "run" if said in ("a", "all") else "once"
        approved = scope == "run" or said in ("y", "yes")
        return ApprovalGiven(call_id=asked.call_id, approved=approved, scope=scope, by="you" if approved else "")

    async def answer(self, text: str) -> str | None:
        """The person's answer to the agent's question; None when there is none."""
        async with self._lock:
            with self._progress.aside():
                lines = [
                    Line(((line, "strong"),), (("  ? ", "warn"),))
                    for line in for_terminal(text, spelled=True).split("\n")
                ]
                self._progress.show(lines, always=True)
                said = (await self._read("  > ")).strip()
        return said or None

    async def _read(self, prompt: str) -> str:
        """One line; "" at the end of input."""
        loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
        _forget_typed(stdin)
        with suppress(OSError):
            sys.stderr.write(prompt)
            sys.stderr.flush()
        self.asking = loop.create_future()

        def readable() -> None:
            if self.asking and not self.asking.done():
                try:
                    self.asking.set_result(os.read(stdin, 65_536).decode("utf-8", "replace"))
                except OSError:
                    self.asking.set_result("")

        loop.add_reader(stdin, readable)
        try:
            return await self.asking
        finally:
            loop.remove_reader(stdin)
            self.asking = None


def question(asked: ApprovalAsked, *, whole: bool = False) -> tuple[list[Line], bool]:
    """(the lines that show a call exactly, whether something was left out)."""
    lines = [Line((("the agent wants to run ", "plain"), (asked.tool, "tool"), (f"  effect: {asked.effect}", "warn")))]
    cut = False
    for name, value in asked.arguments.items():
        rows = for_terminal(value if isinstance(value, str) else _json(value), spelled=True).split("\n")
        kept = rows if whole else [row[:MOST_CHARS] for row in rows[:MOST_LINES]]
        lines.append(
            Line(((for_terminal(name, spelled=True).replace("\n", "\\n"), "dim"), (":", "dim")), (("    ", "plain"),))
        )
        lines += [Line(((row, "plain"),), (("    │ ", "dim"),)) for row in kept]
        if kept != rows:
            cut = True
            left_out = sum(map(len, rows)) - sum(map(len, kept))
            lines.append(Line(((f"{left_out:,} CHARACTERS ARE NOT SHOWN", "bad"),), (("    ", "plain"),)))
    return lines, cut


def _json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)


def _forget_typed(stdin: int) -> None:
    """What was typed before the question must not answer it."""
    try:
        import termios

        termios.tcflush(stdin, termios.TCIFLUSH)
    except (ImportError, OSError):
        return
    except Exception:  # noqa: S110 - termios.error is not an OSError; without a terminal nothing was typed
        pass
