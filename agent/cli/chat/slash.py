"""What begins with a slash in a chat: commands about the run, not goals for it.
May touch: what the commands of the same name may. Does not promise: to record what only looks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from outrider.agent.cli.output import out, out_lines, say
from outrider.agent.review.lines import Line, one_line
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.cli.chat.talk import Chat

NOTHING = UsageError("there is no run yet", "nothing was asked", "say what you want first")


async def obey(chat: Chat, said: str) -> bool:
    """Do a command; whether the chat goes on. Raises OutriderError."""
    name, _, rest = said.partition(" ")
    if name in ("/exit", "/quit"):
        return False
    found = [one for one in COMMANDS if one.startswith(name)]
    if name not in COMMANDS and len(found) != 1:
        raise UsageError(
            f"there is no {name[:40]!r}", "it is not a command of a chat", f"there are {', '.join(COMMANDS)}"
        )
    await COMMANDS[name if name in COMMANDS else found[0]][1](chat, rest.strip())
    return True


def complete(chat: Chat, command: str) -> Iterable[str]:
    """Words that may follow a command."""
    if command == "/budget":
        return ("usd", "tokens", "steps", "seconds", "calls")
    if command == "/model":
        from outrider.agent.models.detect import detect

        return tuple(one.spec for one in detect() if one.ok)
    return ()


async def _help(chat: Chat, rest: str) -> None:
    for name, (about, _) in COMMANDS.items():
        out_lines([Line(((about, "plain"),), ((f"{name:9}", "tool"),))])
    out(
        "Enter sends, Alt-Enter breaks the line, Tab completes, @file attaches a file, Ctrl-C stops the step, Ctrl-D leaves."
    )


async def _model(chat: Chat, rest: str) -> None:
    from outrider.agent.cli.given import meant

    if not rest:
        out(one_line(chat.live.model.name if chat.live else chat.model or "the best that is found", 200))
        return
    from outrider.agent.models import split_spec

    spec = str(meant(rest))
    split_spec(spec)
    before, chat.model = chat.model, spec
    try:
        await _hold_again(chat)
    except BaseException:
        chat.model = before
        raise
    say(f"from the next goal on: {spec}")


async def _hold_again(chat: Chat) -> None:
    """Hold the run with what was asked for; if that cannot be, as it was, and the error goes on."""
    if chat.live is None:
        return
    model, budget = chat.model, chat.budget
    try:
        await chat.hold()
    except BaseException:
        chat.model, chat.budget = None, {}
        await chat.hold()
        chat.model, chat.budget = model, budget
        raise


async def _tools(chat: Chat, rest: str) -> None:
    if chat.live is None:
        raise NOTHING
    for tool in chat.live.toolbox.tools.values():
        out_lines([Line(((one_line(tool.description, 200), "plain"),), ((f"{tool.name:14}", "tool"),))])


async def _budget(chat: Chat, rest: str) -> None:
    from outrider.agent.budget import UNITS

    if chat.live is None:
        raise NOTHING
    if rest:
        unit, _, value = rest.partition(" ")
        if unit not in UNITS or not value.strip():
            raise UsageError(f"{rest[:60]!r} is not a limit", f"limits are {', '.join(UNITS)}", "/budget usd +0.50")
        chat.budget = {unit: value.strip()}
        try:
            await _hold_again(chat)
        finally:
            chat.budget = {}
    out(chat.live.ledger.line() or "no limits")


async def _undo(chat: Chat, rest: str) -> None:
    from outrider.agent.cli.commands import undo

    if not chat.run_id:
        raise NOTHING
    with suppress(typer.Exit):
        undo.command(run=chat.run_id, memory=chat.memory)


async def _show(chat: Chat, rest: str) -> None:
    from outrider.agent.cli.commands import show

    if not chat.run_id:
        raise NOTHING
    show.command(run=chat.run_id, full=rest in ("--full", "full"), memory=chat.memory)


async def _fork(chat: Chat, rest: str) -> None:
    """Go on in a new run that shares everything so far; the old one stays as it is."""
    if chat.live is None:
        raise NOTHING
    parent = chat.run_id
    await chat.let_go()
    try:
        live = await chat.agent.prepare_fork(parent, at=None, goal="")
        await chat.adopt(live)
        chat.progress.learn(live.journal)  # its ledger begins at zero
    except BaseException:
        await chat.hold()
        raise
    say(f"run {chat.run_id} goes on from here; {parent} stays as it is")
    if rest:
        await chat.pursue(rest)


async def _exit(chat: Chat, rest: str) -> None:
    raise AssertionError("handled before")


COMMANDS: dict[str, tuple[str, Callable[[Chat, str], Awaitable[None]]]] = {
    "/help": ("this list", _help),
    "/model": ("which model answers; /model NAME changes it", _model),
    "/tools": ("the tools of this chat", _tools),
    "/budget": ("what is left; /budget usd +0.50 raises a limit", _budget),
    "/undo": ("put back the files that tools changed", _undo),
    "/show": ("the transcript so far (/show full: nothing left out)", _show),
    "/fork": ("go on in a new run that shares everything so far", _fork),
    "/exit": ("leave; everything is kept", _exit),
}
