"""What the tools of a run get: its context, and what they may ask of memory. Reads the journal of any run, adds notes and
the plan to its own.
Does not promise: that a note is on disk before the next commit of the run.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outrider.agent.budget import Ledger
from outrider.agent.live_run import LiveRun
from outrider.agent.run_secrets import named_secrets
from outrider.agent.settings.config import config_file, data_folder
from outrider.agent.settings.policy_file import policy_file
from outrider.agent.settings.run_settings import Settings
from outrider.agent.settings.secret_store import secrets_file
from outrider.memory import recall
from outrider.memory.events import Noted, Origin, PlanChanged, PlanStep
from outrider.memory.journal import Journal
from outrider.memory.listings import Listings
from outrider.memory.redaction import Masker
from outrider.memory.store import Store
from outrider.tools.files.guarded import protect
from outrider.tools.net.named_secrets import bound_hosts
from outrider.tools.tool import ToolContext, ToolError

Ask = Callable[[str], Awaitable[str | None]]
LONGEST_S = 30 * 86_400.0  # a run without a limit of seconds still needs a number that timers take


class RunMemory:
    """What a tool may ask of memory, bound to one run. Safe to call from a tool's thread."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        """Observations, answers, notes and goals that match, best first; not this run's own goals: those are the question."""
        mine, found = (
            self._live.journal.run_id,
            recall.search(self._live.journal.store, query, limit=2 * limit, run=run),
        )
        asked = ("run_started", "goal_given")
        return [asdict(hit) for hit in found if not (hit.run == mine and hit.kind in asked)][:limit]

    def read(self, run: str, handle: int | str) -> str:
        """The whole text of an observation: `handle` is its call ("3.1") or its event ("12"). Raises ToolError."""
        journal = self._live.journal
        if run and run != journal.run_id:
            journal = Journal.open_for_reading(journal.store, run)
        text = recall.whole_text(journal, handle)
        if text is None:
            raise ToolError(
                f"there is no observation {str(handle)!r}",
                "the run holds none of that number",
                "use one you were shown",
            )
        return text

    def origin_of(self, run: str, handle: int | str) -> Origin:
        """Who wrote an observation: as it was recorded in this run; of another run's it is not known."""
        if run and run != self._live.journal.run_id:
            return "untrusted"
        wanted = str(handle)
        seen = (one.origin for one in self._live.state.seen if wanted in (one.call_id, str(one.seq)))
        return "trusted" if next(seen, "untrusted") == "trusted" else "untrusted"

    def note(self, text: str) -> None:
        """Keep a note with the run."""
        self._put(Noted(text=text))

    def plan(self, items: tuple[str, ...], steps: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
        """Replace the run's plan. A step whose very call began before keeps it, so that it is not run again."""
        kept = tuple(self._as_before(step) for step in steps)
        self._put(PlanChanged(items=items, steps=kept))
        return kept

    def _as_before(self, step: PlanStep) -> PlanStep:
        graph, masked = self._live.state.graph, self._live.masker.value(step.arguments)
        before = graph.step(step.id)
        same = before is not None and (before.tool, before.arguments) == (step.tool, masked)
        return step.model_copy(update={"call": before.call}) if before and same and graph.begun(before) else step

    def _put(self, event: Noted | PlanChanged) -> None:
        if threading.get_ident() == self._thread:
            self._live.stage(event)
        else:
            self._loop.call_soon_threadsafe(self._live.stage, event)


def tool_context(
    journal: Journal,
    settings: Settings,
    ledger: Ledger,
    workspace: Path,
    *,
    ask: Ask | None,
    progress: Callable[[str], None],
    masker: Masker,
) -> ToolContext:
    """What the tools of a run get. ask: a person, if one is there; progress: where a line for the person goes."""
    named = named_secrets(settings)
    _keep_out(settings, workspace)
    return ToolContext(
        workspace=workspace,
        run_id=journal.run_id,
        ask=_asking(ask, ledger) if ask else None,
        progress=lambda text: progress(masker.text(text)),
        seconds_left=lambda: min(ledger.seconds_left(), LONGEST_S),
        secret=named.get,
        secret_hosts=bound_hosts(settings.secrets),
        mask=masker.text,
        hide=lambda name, value: masker.add({name: value}),
        isolation=settings.isolation,
        unsafe=settings.unsafe,
        allowed_hosts=settings.allowed_hosts,
        settings=_with_skills(_with_hidden(settings.tool_settings, journal.store, workspace), settings.skills),
        listings=Listings(journal.store),
    )


def _keep_out(settings: Settings, workspace: Path) -> None:
    """What the next run obeys is not written by this one: its tools files, its skills, the configuration, the policy file."""
    named = (Path(file).expanduser() for file in (*settings.tools_from, *settings.skills))
    protect(workspace, [*named, config_file(), policy_file()])


def _with_hidden(tool_settings: dict[str, Any], store: Store, workspace: Path) -> dict[str, Any]:
    """Tool settings under which the sandbox does not carry in the memory database, the secrets and the data folder, should
    they lie in the workspace."""
    files = [data_folder(), secrets_file()]
    if store.dialect == "sqlite" and store.url.database:
        files += [Path(f"{store.url.database}{end}") for end in ("", "-wal", "-shm")]
    hidden = protect(workspace, files, keys=True)
    if not hidden:
        return tool_settings
    sandbox = tool_settings.get("sandbox") or {}
    return tool_settings | {"sandbox": sandbox | {"hide": [*sandbox.get("hide", ()), *hidden]}}


def _with_skills(tool_settings: dict[str, Any], folders: tuple[str, ...]) -> dict[str, Any]:
    """Tool settings under which the sandbox shows the folders of the run's skills, to be read."""
    if not folders:
        return tool_settings
    from outrider.tools.skills.shelf import read_shelf

    found = [str(one.folder) for one in read_shelf(folders).skills.values()]
    sandbox = tool_settings.get("sandbox") or {}
    return tool_settings | {"sandbox": sandbox | {"read": [*sandbox.get("read", ()), *found]}}


def _asking(ask: Ask, ledger: Ledger) -> Ask:
    """`ask`, with the run's clock standing still while the person thinks."""

    async def asked(question: str) -> str | None:
        with ledger.waiting_for_a_person():
            return await ask(question)

    return asked
