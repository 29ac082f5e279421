"""What a tool may ask of memory, bound to one run. Reads the journal of any run, adds notes and the plan to its own.
Does not promise: that a note is on disk before the next commit of the run.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict
from typing import Any

from outrider.agent.live_run import LiveRun
from outrider.memory import recall
from outrider.memory.events import Noted, Origin, PlanChanged, PlanStep
from outrider.memory.journal import Journal
from outrider.tools.tool import ToolError


class RunMemory:
    """What a tool may ask of memory, bound to one run. Safe to call from a tool's thread."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        """Observations, answers, notes and goals that match, best first."""
        return [asdict(hit) for hit in recall.search(self._live.journal.store, query, limit=limit, run=run)]

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
