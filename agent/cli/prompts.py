"""The person at the terminal: says yes or no to a call, answers a question.
May touch: reads the terminal, a line at a time, without holding up the run's loop. Does not promise: that what was typed
before the question was an answer to it: it is thrown away.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Any, Literal

from outrider.agent.cli.progress import Progress
from outrider.agent.review.lines import Line
from outrider.agent.settings.policy_file import add_rule
from outrider.memory.events import ApprovalAsked, ApprovalGiven
from outrider.memory.text import for_terminal
from outrider.tools.policy import Rule

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
        """Once (y), for this run (a), for always (w: a rule in the policy file), with other arguments (e), or no (n, with a
        reason the model reads; Enter; end of input)."""
        async with self._lock:
            with self._progress.aside():
                try:
                    return await self._decide(asked)
                except asyncio.CancelledError:  # answered elsewhere, or told to stop
                    self._progress.say("")
                    raise

    async def _decide(self, asked: ApprovalAsked) -> ApprovalGiven:
        edited: dict[str, Any] | None = None
        whole = False
        while True:
            shown = asked if edited is None else asked.model_copy(update={"arguments": edited})
            lines, cut = question(shown, whole=whole)
            self._progress.show(lines, always=True)
            holds = edited is None and bool(asked.holds)  # what is held for later is what was asked, never an edit
            said = (await self._read(f"  allow? [{_choices(holds, cut)}] ")).strip()
            word, _, reason = said.partition(" ")
            word = word.lower()
            if cut and word in ("v", "view"):
                whole = True
            elif word in ("e", "edit"):
                edited = await self._edit(shown)
            else:
                return self._given(asked, word, reason.strip(), edited, holds)

    def _given(
        self, asked: ApprovalAsked, word: str, reason: str, edited: dict[str, Any] | None, holds: bool
    ) -> ApprovalGiven:
        scope: Literal["once", "run", "always"] = "once"
        if word in ("a", "all") and edited is None:
            scope = "run"
        elif word in ("w", "always") and holds:
            scope = "always"
            add_rule(Rule.of(asked.holds))
        approved = not reason and (scope != "once" or word in ("y", "yes"))
        said = reason if word in ("n", "no") else ""
        return ApprovalGiven(
            call_id=asked.call_id,
            approved=approved,
            scope=scope if approved else "once",
            by="you" if approved else "",
            via="terminal",
            reason=said[:2000],
            arguments=edited if approved else None,
        )

    async def _edit(self, asked: ApprovalAsked) -> dict[str, Any] | None:
        """Other arguments, typed as one line of JSON; None: as they were."""
        self._progress.show([Line(((json.dumps(asked.arguments), "plain"),), (("    ", "plain"),))], always=True)
        typed = (await self._read("  arguments as one line of JSON (Enter: as they were): ")).strip()
        try:
            made = json.loads(typed) if typed else None
        except ValueError as error:
            self._progress.say(f"that is not JSON ({error}); the arguments are as they were")
            return None
        if made is not None and not isinstance(made, dict):
            self._progress.say("that is no JSON object; the arguments are as they were")
            return None
        return made

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


def _choices(holds: bool, cut: bool) -> str:
    always = ", w: always" if holds else ""
    return f"y: once, a: in this run{always}, e: edit, n: no, n REASON" + (", v: view all" if cut else "")


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
    return lines + _about(asked), cut


def _about(asked: ApprovalAsked) -> list[Line]:
    """Where the call sends, whose words it repeats, why it is asked, and what a yes for longer stands for."""
    told = [("goes to", ", ".join(asked.sends)), ("asked because", asked.why)]
    told += [("careful", one) for one in asked.repeats]
    told += [("a and w mean", str(Rule.of(asked.holds)))] if asked.holds else []
    return [
        Line(
            ((f"{word}: ", "dim"), (for_terminal(text, spelled=True).replace("\n", "\\n"), "warn")),
            (("    ", "plain"),),
        )
        for word, text in told
        if text
    ]


def _json(value: object) -> str:
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
