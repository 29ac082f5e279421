"""One tool call without a run: checked, decided, asked and sandboxed as in a run, but recorded nowhere.
May touch: what the tool may; the memory database, to recall from. Does not promise: a budget beyond the tool's own time.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from outrider.agent.cli.output import HidingStream, hide, hide_values
from outrider.agent.cli.progress import Progress
from outrider.agent.cli.prompts import Person, is_there
from outrider.agent.review.lines import Line
from outrider.agent.review.terminal import SANDBOX_OFF, warning
from outrider.memory.errors import NoDatabase, UsageError
from outrider.memory.events import ApprovalAsked, PlanStep
from outrider.tools.net.named_secrets import bound_hosts
from outrider.tools.policy import Policy
from outrider.tools.policy.reach import reach_of
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError
from outrider.tools.toolbox import Prepared, Returned, Toolbox

if TYPE_CHECKING:
    from outrider.memory.listings import Listings
    from outrider.memory.store import Store

BY_HAND = ToolError("nothing was kept", "a call by hand belongs to no run", "use it inside a run")


def call_by_hand(tool: Tool, arguments: str, settings: dict[str, Any], memory: str | None) -> Returned:
    """Run one call. Raises UsageError for settings that cannot be meant; everything else is the observation."""
    with redirect_stdout(cast(TextIO, HidingStream(sys.stderr))):  # what the tool prints is not its result
        return asyncio.run(_call(tool, arguments, settings, memory))


async def _call(tool: Tool, arguments: str, settings: dict[str, Any], memory: str | None) -> Returned:
    progress = Progress(quiet=False)
    person = Person(progress)
    toolbox, policy = Toolbox([tool]), Policy.of(settings.get("policy"))
    context = _context(settings, memory, progress, person)
    if tool.name.startswith("hub_"):
        context.listings = _listings(memory)
    if context.unsafe:
        progress.show([warning(SANDBOX_OFF)])
    try:
        prepared = toolbox.prepare(tool.name, arguments)
        if said := await _refusal(prepared, policy, person):
            return Returned(Observation(said, ok=False))
        with progress.watching():
            return await toolbox.run(prepared, context, tool.timeout_s)
    except ToolError as error:
        return Returned(Observation(str(error), ok=False))
    finally:
        for value in context.scratch.values():
            if callable(close := getattr(value, "close", None)):
                await asyncio.to_thread(close)


async def _refusal(call: Prepared, policy: Policy, person: Person) -> str:
    """Why the call may not run, "" if it may."""
    reach = reach_of(call.tool, call.effect, call.arguments)
    decision, why, _ = policy.decide(reach)
    if decision == "allow":
        return ""
    if decision == "deny":
        return f"Not allowed: {why} says deny."
    if not is_there():
        return (
            f"Not allowed: {call.effect} calls need a person's yes, and nobody is there; --yes {call.effect} gives it."
        )
    given = await person.approve(
        ApprovalAsked(call_id="by hand", tool=call.tool.name, arguments=call.plain, effect=call.effect, why=why)
    )
    return "" if given.approved else "Not allowed: the answer was no."


def _context(settings: dict[str, Any], memory: str | None, progress: Progress, person: Person) -> ToolContext:
    from outrider.agent.settings.secret_store import read_kept, values_of

    workspace = Path(settings.get("workspace") or ".").expanduser().resolve()
    if not workspace.is_dir():
        raise UsageError(
            f"the workspace {str(workspace)!r} is not a folder", "a tool works inside one", "make it, or name another"
        )
    hosts = bound_hosts(settings.get("secrets", ()))
    secrets = values_of(hosts)
    hide_values(read_kept().values)

    def report(text: str) -> None:
        progress.show([Line(((text, "dim"),))])

    return ToolContext(
        workspace=workspace,
        run_id="by-hand",
        call_id="1.0",
        memory=_Memory(memory),
        ask=person.answer if is_there() else None,
        progress=report,
        secret=secrets.get,
        secret_hosts=hosts,
        mask=hide,
        isolation=settings.get("isolation", "auto"),
        unsafe=settings.get("unsafe", False),
        allowed_hosts=settings.get("allowed_hosts", ()),
        settings=settings.get("tool_settings", {}),
    )


def _listings(memory: str | None) -> Listings | None:
    """What the hub listed before, if there is a memory database; by hand none is made."""
    from outrider.agent.cli.listing.databases import open_store
    from outrider.memory.listings import Listings

    try:
        return Listings(open_store(memory, writing=True))
    except NoDatabase:
        return None


class _Memory:
    """What earlier runs saw; a call by hand adds nothing to it."""

    def __init__(self, url: str | None) -> None:
        self._url = url

    @property
    def _store(self) -> Store:
        from outrider.agent.cli.listing.databases import open_store

        return open_store(self._url)

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        """Observations, answers and notes that match, best first."""
        from outrider.memory import recall

        try:
            return [asdict(hit) for hit in recall.search(self._store, query, limit=limit, run=run)]
        except NoDatabase:
            return []

    def read(self, run: str, handle: int | str) -> str:
        """The whole text of one stored observation."""
        from outrider.memory.journal import Journal
        from outrider.memory.recall import whole_text

        text = whole_text(Journal.open_for_reading(self._store, run), handle)
        if text is None:
            raise ToolError(f"there is no observation {handle!r}", f"run {run} has none of that name", "look in show")
        return text

    def note(self, text: str) -> None:
        """Refused: there is no run to keep it with."""
        raise BY_HAND

    def plan(self, items: tuple[str, ...], steps: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
        """Refused: there is no run to plan."""
        raise BY_HAND
