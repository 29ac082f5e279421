"""What a person sees of a batch while it goes on: how many are done, what they cost, when it will be over. On stderr.
Does not promise: that the time it tells is more than what the goals so far say.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.output import hide, say
from outrider.agent.review.lines import dollars, duration, one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from outrider.agent.cluster.driver import Cluster, Told
    from outrider.agent.fleet.batch import Batch
    from outrider.agent.fleet.outcome import Outcome

EVERY_S, LIVE_S = 10.0, 0.25
MOST_ROWS = 12
MOST_NAMED = 20  # wrong lines; the results name them all


class BatchView:
    """Counts outcomes and shows them: a table on a terminal, elsewhere a line now and then."""

    def __init__(self, batch: Batch | Cluster, total: int, *, quiet: bool) -> None:
        self.states: Counter[str] = Counter()
        self._batch, self._total, self._quiet = batch, total, quiet
        self._before, self._same, self._began = 0, 0, time.monotonic()
        self._usd, self._tokens = 0.0, 0

    @property
    def done(self) -> int:
        """Goals of which something is known to have become."""
        return sum(self.states.values())

    def add(self, outcome: Outcome | Told) -> None:
        """Count one, and name it if it is not answered."""
        self.states[outcome.state] += 1
        self._before += outcome.before
        self._same += bool(outcome.same_as)
        if not outcome.same_as:
            usd, tokens = outcome.spent
            self._usd, self._tokens = self._usd + usd, self._tokens + tokens
        if outcome.state == "wrong" and self.states["wrong"] <= MOST_NAMED:
            say(f"line {outcome.number} is no goal: {one_line(outcome.error, 300)}")
        elif outcome.error and not outcome.same_as and not self._quiet and self.states[outcome.state] <= MOST_NAMED:
            say(f"line {outcome.number} {outcome.state.replace('_', ' ')}: {one_line(outcome.error, 300)}")

    async def watch(self) -> None:
        """Show how it stands until cancelled."""
        if self._quiet:
            return
        if not sys.stderr.isatty():
            while True:
                await asyncio.sleep(EVERY_S)
                say(self.line())
        from rich.console import Console
        from rich.live import Live

        with (
            suppress(OSError, ValueError),
            Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live,
        ):
            while True:
                live.update(self._table(), refresh=True)
                await asyncio.sleep(LIVE_S)

    def line(self) -> str:
        """How it stands, in one line."""
        parts = [f"{self.done:,} of {self._total:,}"]
        parts += [f"{number:,} {state.replace('_', ' ')}" for state, number in self.states.most_common()]
        parts += [f"{self._batch.at_work} at work", self._spent()]
        if (eta := self._eta_s()) is not None:
            parts.append(f"about {duration(eta)} to go")
        return ", ".join(parts)

    def last_lines(self) -> list[str]:
        """How it ended."""
        parts = [f"{number:,} {state.replace('_', ' ')}" for state, number in self.states.most_common()]
        before = f" ({self._before:,} of them before this start)" if self._before else ""
        took = duration(time.monotonic() - self._began)
        lines = [f"{', '.join(parts) or 'nothing'}{before}; {self._spent()}, {took}"]
        if self.states["wrong"] > MOST_NAMED:
            lines.append(f"{self.states['wrong'] - MOST_NAMED:,} more wrong lines: the results name them")
        if self._same:
            lines.append(
                f"{self._same:,} lines say the same as an earlier one and share its run (give them an id to ask twice)"
            )
        return lines

    def _spent(self) -> str:
        limit, live = self._batch.fleet.limit, [run.ledger.spent for run in self._batch.live.values()]
        usd, tokens = self._usd + sum(float(s.usd) for s in live), self._tokens + sum(s.tokens for s in live)
        of_usd = f" of {dollars(float(limit.usd))}" if limit.usd is not None else ""
        of_tokens = f" of {limit.tokens:,}" if limit.tokens is not None else ""
        return f"{dollars(usd)}{of_usd}, {tokens:,}{of_tokens} tokens"

    def _eta_s(self) -> float | None:
        here = self.done - self._before
        if not here:
            return None
        return (time.monotonic() - self._began) / here * max(0, self._total - self.done)

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        rows: list[Any] = list(self._batch.live.items())
        for run_id, live in rows[:MOST_ROWS]:
            spent = live.ledger.spent
            goal = Text(one_line(hide(live.state.goal), 60), style="dim")
            table.add_row(run_id, f"step {spent.steps}", dollars(float(spent.usd)), goal)
        more = Text(f"… and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else "", style="dim")
        return Group(table, more, Text(self.line(), style="bold"))
