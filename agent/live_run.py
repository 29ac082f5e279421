"""What the loop works with: one run's journal, model, tools, ledger and what is known so far. Built by run.py.
Touches the journal. Does not promise: anything about order; the loop decides what happens when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from outrider.agent.asking.find_tool import found_before
from outrider.agent.asking.offered import FINDER, MOST_TOOLS, offered
from outrider.agent.asking.window import Counted
from outrider.agent.budget import Ledger
from outrider.agent.context.conversation import Context
from outrider.agent.limits.pool import Share
from outrider.agent.limits.purse import Purse
from outrider.agent.models.model import Model, ToolSpec, tools_bytes
from outrider.agent.run_secrets import Hidden
from outrider.agent.settings.config import undo_key
from outrider.agent.settings.run_settings import Settings
from outrider.agent.state import State
from outrider.agent.structured.reading import Check
from outrider.memory.events import ApprovalAsked, ApprovalGiven, Event, ModelAsked, ModelReplied, PlanStep
from outrider.memory.inbox import Inbox
from outrider.memory.journal import Journal, Stored
from outrider.memory.redaction import NOTHING, Masker
from outrider.memory.redaction.sealed import Sealer
from outrider.tools.policy import Policy
from outrider.tools.skills.skill import Skill
from outrider.tools.tool import Observation, ToolContext
from outrider.tools.toolbox import Toolbox

Approve = Callable[[ApprovalAsked], Awaitable[ApprovalGiven]]


async def nobody(asked: ApprovalAsked) -> ApprovalGiven:
    """The answer when no person is there: no."""
    return ApprovalGiven(call_id=asked.call_id, approved=False, by="nobody was there to ask", via="nobody")


LOCAL_RATIO = 0.2  # tokens for a byte of a tool's schema where tools are told as one-line signatures


@dataclass(slots=True)
class LiveRun:
    """One run while it is driven.

    stage() takes secrets out of an event, tells everybody who keeps a picture of the run and holds it for the next
    commit; commit() commits. Nothing else writes to the run's journal. Staging a request books its money first and raises
    PeriodSpent if a limit over time has no room for it.
    stop: a reason, set from outside (Ctrl-C), to leave after the current step. changes: what differs from how it was last
    driven and is not recorded yet. inbox: what people say to it from other processes; None: nobody can. approve_within_s: how long it
    waits there for an answer when nobody is at its terminal.
    """

    journal: Journal
    model: Model
    toolbox: Toolbox
    policy: Policy
    ledger: Ledger
    tool_context: ToolContext
    specs: tuple[ToolSpec, ...]
    state: State = field(default_factory=State)
    context: Context = field(default_factory=Context)
    approve: Approve = nobody
    inbox: Inbox | None = None
    approve_within_s: float = 0.0
    on_event: Callable[[Stored], None] | None = None
    on_text: Hidden | None = None
    told_blind: bool = False  # it is noted that the model's server takes no pictures
    observation_chars: int = 12_000
    masker: Masker = NOTHING
    sealer: Sealer = field(default_factory=undo_key)
    delegate: Callable[[LiveRun, str, str, float, tuple[str, ...]], Awaitable[Observation]] | None = None
    prompt: Callable[[LiveRun, str, str, str, dict[str, Any] | None, float, str], Awaitable[Observation]] | None = None
    run_steps: Callable[[LiveRun, str, tuple[PlanStep, ...]], Awaitable[Observation]] | None = None
    skills: dict[str, Skill] = field(default_factory=dict)  # by name
    purse: Purse | None = None  # None: its model costs nothing
    share: Share | None = None  # of a budget over many runs
    turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext  # entered before each request: rates of a host
    counted: Counted = field(default_factory=Counted)
    window: int | None = None  # the model's window, as the events tell it
    parent: LiveRun | None = None
    answer_schema: dict[str, Any] | None = None  # the answer must be JSON that fits it
    check_answer: Check | None = None  # what is wrong with such a value, "" if nothing is
    answer_kind: Any = None  # the Python type it must be, where a program asked for one
    tracks: bool = True  # whether it records what the rule of two goes by; a replay of an older run does not
    stop: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    door: asyncio.Lock = field(default_factory=asyncio.Lock)  # calls that code makes come in one by one
    pending: list[Event] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    _sent: int = 0  # how many of `pending` are on their way
    _flight: asyncio.Future[None] | None = None  # the newest commit; all before it are made before it

    def expect(self, kind: Any) -> None:
        """The answer must be a `kind` (a pydantic model, say), not only fit its schema."""
        from outrider.agent.structured.reading import check_of_type

        if self.answer_schema is not None:
            self.answer_kind, self.check_answer = kind, check_of_type(kind, self.answer_schema)

    @property
    def stopping(self) -> str:
        """Why to leave after the current step, "" if not to; a child leaves with its parent."""
        return self.stop or (self.parent.stopping if self.parent else "")

    def lineage(self) -> Iterator[LiveRun]:
        """This run, the one that delegated it, and so on."""
        yield self
        if self.parent:
            yield from self.parent.lineage()

    def apply(self, seq: int, event: Event) -> None:
        """Learn from an event that is on disk, or will be with the next commit."""
        self.state.add(seq, event)
        self.ledger.add(event)
        self.counted.add(event)
        self.context.add(event, self.ledger.line, seq)
        if isinstance(event, ModelReplied) and event.window:
            self.learn_window(event.window)

    def learn_window(self, window: int) -> None:
        """The model's window, as its server told it: from now on requests, and what is shown of results, keep to it."""
        self.window = window
        if self.model.limits.context is None or self.model.limits.context > window:
            self.model.limits = replace(self.model.limits, context=window)
        self.observation_chars = max(500, min(self.observation_chars, window))

    @property
    def counts_exactly(self) -> bool:
        """Whether the model's own tokenizer counts: then its bound is the truth and no estimate is needed."""
        return bool(getattr(self.model, "counts_exactly", False))

    def offered(self) -> tuple[ToolSpec, ...]:
        """The tools that the next request tells of: all, or those that fit a small window."""
        if self.model.limits.context is None and len(self.specs) <= MOST_TOOLS:
            return tuple(spec for spec in self.specs if spec.name != FINDER)
        called: list[str] = []  # the newest first
        for seen in reversed(self.state.seen[-50:]):
            called += found_before(seen.text) if seen.tool == FINDER else [seen.tool]
        window, ratio = self.model.limits.context, LOCAL_RATIO if self.counts_exactly else self.counted.tokens_a_byte
        return offered(self.specs, self.state.goal, window, ratio, called)

    def size(self, specs: Sequence[ToolSpec]) -> int:
        """UTF-8 bytes of the next request with these tools."""
        return self.context.size + tools_bytes(specs)

    def stage(self, event: Event) -> int:
        """Hold an event for the next commit, without secrets; returns the seq it will have (a run has one writer)."""
        event = self.masker.event(event)
        if isinstance(event, ModelAsked) and self.purse:
            self.purse.reserve(event.reserved.usd, Decimal(0) if event.purpose == "ending" else self.ledger.ending_usd)
        elif isinstance(event, ModelReplied):
            if self.purse:
                self.purse.settle(event.cost.usd)
            if self.share:
                self.share.settle(event.cost)
        seq = self.journal.head_seq + len(self.pending) + 1
        self.pending.append(event)
        self.apply(seq, event)
        return seq

    async def commit(self, *events: Event) -> None:
        """Commit what was held and these, in one transaction with whatever other runs commit now; everything staged so far is
        on disk when this returns. Raises StoreError; then nothing was acted on.

        Cancelled while it waits, the commit is still made.
        """
        for event in events:
            self.stage(event)
        if len(self.pending) > self._sent:
            new, blobs = self.pending[self._sent :], self.blobs
            self._sent, self.blobs = len(self.pending), {}
            self._flight = self.journal.submit(new, blobs, partial(self._settled, blobs))
        if self._flight is not None:
            await asyncio.shield(self._flight)

    def commit_now(self, *events: Event) -> None:
        """`commit` outside the loop's work: before a run is driven, or after. Holds up the loop while the database is locked."""
        for event in events:
            self.stage(event)
        if self.pending:
            stored, self.blobs = self.journal.append(*self.pending, blobs=self.blobs), {}
            self._settled({}, stored, None)

    def _settled(self, blobs: dict[str, bytes], stored: Sequence[Stored], error: BaseException | None) -> None:
        """What was sent is on disk, or is held again: then the next commit tries once more."""
        if error is not None:
            self._sent, self._flight, self.blobs = 0, None, blobs | self.blobs
            return
        del self.pending[: len(stored)]
        self._sent = max(0, self._sent - len(stored))
        if self.on_event:
            for one in stored:
                self.on_event(one)


Prompted = Callable[[Settings, LiveRun, str, str, str, dict[str, Any] | None, float, str], Awaitable[Observation]]
Delegate = Callable[[Settings, LiveRun, str, str, float, tuple[str, ...]], Awaitable[Observation]]


@dataclass(slots=True)
class Listeners:
    """Who watches a run, who may be asked, and who drives the goals it hands on (children.py). All optional.

    approve_within_s: without `approve`, how long a call that needs a yes waits for one from another process (memory/inbox/).
    """

    on_event: Callable[[Stored], None] | None = None
    on_text: Callable[[str], None] | None = None
    progress: Callable[[str], None] = lambda text: None
    approve: Approve = nobody
    approve_within_s: float = 0.0
    ask: Callable[[str], Awaitable[str | None]] | None = None
    delegate: Delegate | None = None
    prompt: Prompted | None = None
