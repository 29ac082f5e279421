"""Drives a stored run again, with model and tools answered from its journal, and names the first step that differs.
Reads the journal; writes nothing. With stored model and tools it is the regression test of the loop itself.
Does not promise: anything about time; what depends on the clock is taken as it was recorded.

Live tools run only if they read or execute; a tool with an effect outside the sandbox is answered from the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, cast

from outrider.agent.asking.attempt import MAYBE_LONG, OVERFLOW, UNUSABLE
from outrider.agent.asking.find_tool import specs_of
from outrider.agent.asking.window import CUT_PROMPT
from outrider.agent.assemble import stored_settings
from outrider.agent.budget import Budget, Ledger
from outrider.agent.live_run import LiveRun
from outrider.agent.loop import pursue
from outrider.agent.models.model import (
    ContextOverflow,
    Limits,
    Message,
    Model,
    ModelFailure,
    Price,
    Reply,
    Request,
    Seen,
)
from outrider.agent.think import OutOfBudget
from outrider.memory.appending.group import Settled
from outrider.memory.errors import OutriderError
from outrider.memory.events import (
    ApprovalAsked,
    ApprovalGiven,
    ChildEnded,
    ChildStarted,
    Compacted,
    Effect,
    Event,
    FileChange,
    Interrupted,
    ModelAsked,
    ModelReplied,
    Noted,
    PlanChanged,
    Resumed,
    RunStarted,
    Stopped,
    ToolReturned,
)
from outrider.memory.journal import Journal, Stored
from outrider.memory.store import Store
from outrider.tools.builtin import BUILT_IN, collect, installed
from outrider.tools.policy import EFFECTS, Policy
from outrider.tools.tool import Change, File, Observation, Tool, ToolContext
from outrider.tools.toolbox import Prepared, Returned, Toolbox

Source = Literal["stored", "live"]
TIMES = {"size", "elapsed_s", "latency_s", "wall_s", "waited_s", "detail", "versions"}
PRICES = {"reserved", "max_tokens", "cost", "usage"}
TURNS = 10_000  # of the event loop that a stored result waits for its place
ENOUGH = 1 << 40  # tokens: more than any window


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first event that came out differently: where, and what was stored and what came now, field by field."""

    seq: int
    step: int
    stored: str
    now: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.stored != self.now:
            return f"step {self.step}, event {self.seq}: stored {self.stored}, now {self.now}"
        changed = "; ".join(f"{name}: {was!r} → {now!r}" for name, (was, now) in self.fields.items())
        return f"step {self.step}, event {self.seq} ({self.stored}): {changed}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: how many events were driven again, and the first that differs (None: identical)."""

    events: int
    divergence: Divergence | None = None


async def replay(
    store: Store,
    run_id: str,
    *,
    model: Model | None = None,
    tools: Source = "stored",
    extra: Sequence[Tool] = (),
    context: ToolContext | None = None,
) -> Replayed:
    """Drive run `run_id` again. model None: the stored replies. `context`: what live tools get."""
    stored = list(Journal.open_for_reading(store, run_id).read())
    _, settings, _ = stored_settings(store, run_id)
    toolbox = _tools_of(cast(RunStarted, stored[0].event), settings.tools_from, extra)
    driven = 0
    for begin, end in _segments(stored):
        tape = Tape(store, stored[:end], begin)
        live = _assemble(tape, toolbox, tools, model, context)
        found: Divergence | None = None
        try:
            with suppress(_EndOfTape):
                await pursue(live)
            with suppress(_EndOfTape):
                tape.append(*live.pending)  # held for a commit that did not come
        except _Diverged as diverged:
            found = diverged.what
        driven += tape.at - begin
        if found is None and tape.at < end and not isinstance(stored[tape.at].event, Interrupted):
            found = Divergence(stored[tape.at].seq, live.state.step, stored[tape.at].kind, "nothing")
        if found:
            return Replayed(driven, found)
    return Replayed(driven)


def _segments(stored: list[Stored]) -> list[tuple[int, int]]:
    """[begin, end) of each stretch that one process drove: it starts after `RunStarted`, `Resumed` or `GoalGiven`."""
    taken_up = [i for i, one in enumerate(stored) if one.kind in ("run_started", "resumed", "goal_given")]
    ends = [*taken_up[1:], len(stored)]
    return [(_after_notes(stored, i + 1), end) for i, end in zip(taken_up, ends, strict=True)]


def _after_notes(stored: list[Stored], at: int) -> int:
    """Past what is said when a run is taken up (files that changed, variables that are gone): no model or tool did that."""
    while at < len(stored) and isinstance(event := stored[at].event, Noted) and event.by == "outrider":
        at += 1
    return at


class _EndOfTape(BaseException):
    """The recorded process stopped here. Not an Exception: nothing between here and `replay` may swallow it."""


class _Diverged(BaseException):
    def __init__(self, what: Divergence) -> None:
        super().__init__(str(what))
        self.what = what


class Tape:
    """The stored events, and how far the replay has come. Stands in for the journal of the run."""

    def __init__(self, store: Store, stored: list[Stored], at: int) -> None:
        self.store, self.stored, self.at = store, stored, at
        self.run_id = stored[0].run
        self._events = [one.event for one in stored]  # decoded once
        self.ignored = set(TIMES)
        self.messages: Callable[[], list[Message]] = list  # what the run has said so far
        self.held: Callable[[], int] = lambda: 0  # events that were put and not yet compared

    @property
    def head_seq(self) -> int:
        """As a journal's: the seq of the last event that is on disk."""
        return self.at

    def ahead(self) -> Iterator[Event]:
        """The stored events after everything that was driven or is held."""
        return islice(self._events, self.at + self.held(), None)

    def next(self) -> Event:
        """The stored event that should come next."""
        index = self.at + self.held()
        if index >= len(self.stored):
            raise _EndOfTape
        return self._events[index]

    def submit(self, events: Sequence[Event], blobs: Mapping[str, bytes], settled: Settled) -> asyncio.Future[None]:
        """Compare instead of commit, at once."""
        settled(self.append(*events), None)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def append(self, *events: Event) -> list[Stored]:
        """Compare instead of commit."""
        first = self.at
        for event in events:
            if self.at >= len(self.stored):
                raise _EndOfTape
            self._compare(self.stored[self.at], self._events[self.at], event)
            self.at += 1
        return self.stored[first : self.at]

    def _compare(self, stored: Stored, was: Event, now: Event) -> None:
        if was.kind != now.kind:
            raise _Diverged(Divergence(stored.seq, self._step(), was.kind, now.kind))
        old, new = was.model_dump(), now.model_dump()
        changed = {k: (old[k], new[k]) for k in new if k not in self.ignored and old.get(k) != new[k]}
        if changed:
            raise _Diverged(Divergence(stored.seq, self._step(), was.kind, now.kind, changed))

    def _step(self) -> int:
        return max((e.step for e in self._events[: self.at + 1] if isinstance(e, ModelAsked)), default=0)


class _Clock(Ledger):
    """A ledger whose clock is the tape: each event gets the time that was recorded with it."""

    tape: Tape

    @property
    def elapsed_s(self) -> float:
        for event in islice(self.tape.ahead(), 64):
            if seconds := getattr(event, "elapsed_s", 0.0):
                return float(seconds)
        return self._worked_s


class _StoredModel:
    """Answers with what was recorded."""

    def __init__(self, tape: Tape, name: str, limits: Limits, price: Price | None) -> None:
        self.tape, self.name, self.limits, self.price = tape, name, limits, price
        self.counts_exactly = name.partition(":")[0] in ("llama", "starter", "scripted")

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """The bound that was recorded, or one that leads to the same decision."""
        following = self.tape.next()
        if request.max_tokens == 1:  # asked by fit.py: did it cut here?
            return ENOUGH if isinstance(following, Compacted) else 0
        ending = request.messages is not self.tape.messages()
        if isinstance(following, ModelAsked) and (following.purpose == "ending") == ending:
            return following.reserved.tokens - following.max_tokens
        for event in self.tape.ahead():
            if isinstance(event, Stopped) and event.reason == "budget":
                raise OutOfBudget(event.limit)
            if isinstance(event, Stopped) and event.reason == "model":
                raise ModelFailure(event.detail, "as recorded", "as recorded")
        raise _EndOfTape

    async def reply(self, request: Request) -> Reply:
        """The recorded reply, or the recorded failure."""
        replied = self.tape.next()
        if not isinstance(replied, ModelReplied):
            raise _EndOfTape
        if replied.window:
            self.limits = replace(self.limits, context=replied.window)
        if replied.error.startswith((UNUSABLE, CUT_PROMPT)):
            flaw = replied.error.removeprefix(UNUSABLE)
            return Reply("", (), replied.usage, replied.finish_reason, reasoning=replied.reasoning, flaw=flaw)
        if not replied.error:
            return Reply(
                replied.text,
                replied.calls,
                replied.usage,
                replied.finish_reason,
                replied.outcome,
                reasoning=replied.reasoning,
                kept=replied.kept,
            )
        following = next(islice(self.tape.ahead(), 1, None), None)
        again = isinstance(following, ModelAsked) and following.step == replied.step
        if not again:  # it was tried again, but the next attempt did not fit
            again = any(isinstance(event, Stopped) and event.reason == "budget" for event in self.tape.ahead())
        what, _, why = replied.error.partition(": ")
        if isinstance(following, Compacted) or replied.finish_reason == OVERFLOW:
            raise ContextOverflow(what, why, "", context=replied.window)
        long = replied.finish_reason == MAYBE_LONG
        raise ModelFailure(
            what,
            why,
            "",
            retryable=again and not long,
            billed=replied.cost.tokens > 0,
            retry_after_s=0,
            maybe_long=long,
            usage=replied.usage,
        )

    async def aclose(self) -> None:
        """Nothing is held."""


class _StoredTools(Toolbox):
    """Checks calls as the tools do, and answers them from the tape, in the order they were answered."""

    def __init__(self, tools: Sequence[Tool], tape: Tape, live: bool) -> None:
        super().__init__(tools)
        self._tape, self._live = tape, live
        self.live: LiveRun | None = None

    async def run(self, call: Prepared, context: ToolContext, timeout_s: float) -> Returned:
        answers = (event for event in self._tape.ahead() if isinstance(event, ToolReturned))
        stored = next((event for event in answers if event.call_id == context.call_id), None)
        live = self._live and call.effect in ("read", "execute")
        if stored is None and not live:
            raise _EndOfTape
        if stored is None:
            return await super().run(call, context, timeout_s)
        as_stored = Returned(self._observation(stored), stored.detail)
        returned = await super().run(call, context, timeout_s) if live else as_stored
        for _ in range(TURNS):
            if self._next_is(stored):
                return returned
            await asyncio.sleep(0.005 if live else 0)  # others of this reply were answered before
        raise _EndOfTape  # the answer that was recorded before this one does not come: the comparison will say

    def _next_is(self, stored: ToolReturned) -> bool:
        """Whether `stored` is next on the tape, after putting what tools recorded by themselves (notes, plans, children,
        calls made by code)."""
        while True:
            following = self._tape.next()
            noted = isinstance(following, Noted) and following.by == "agent"
            nested = "/" in getattr(following, "call_id", "")
            if not (nested or noted or isinstance(following, PlanChanged | ChildStarted | ChildEnded)) or not self.live:
                return isinstance(following, ToolReturned) and following.call_id == stored.call_id
            self.live.stage(following)

    def _observation(self, stored: ToolReturned) -> Observation:
        whole = self._blob(stored.blob)
        text = stored.text if whole is None else whole.decode()
        files = tuple(File(a.name, a.media_type, self._tape.store.get_blob(a.digest) or b"") for a in stored.artifacts)
        changes = tuple(self._change(change) for change in stored.changes)
        return Observation(text, stored.ok, stored.origin, files, changes, private=stored.private)

    def _change(self, stored: FileChange) -> Change:
        if not stored.after_kept:
            return Change(stored.path, self._blob(stored.before), None, stored.after or "", stored.form)
        return Change(stored.path, self._blob(stored.before), self._blob(stored.after), form=stored.form)

    def _blob(self, digest: str | None) -> bytes | None:
        return None if digest is None else self._tape.store.get_blob(digest)


def _assemble(
    tape: Tape, toolbox: list[Tool], tools: Source, model: Model | None, context: ToolContext | None
) -> LiveRun:
    past = [one.event for one in tape.stored[: tape.at]]
    started = cast(RunStarted, past[0])
    budget, policy, limits, price, name = started.budget, started.policy, started.limits, started.price, started.model
    for event in past[1:]:
        if isinstance(event, Resumed):
            changes = cast(dict[str, Any], event.changes)
            budget, policy = changes.get("budget", budget), changes.get("policy") or policy
            limits, price, name = changes.get("limits", limits), changes.get("price", price), changes.get("model", name)
    stored_model = _StoredModel(tape, name, Limits(**cast(dict[str, Any], limits)), Price.of(price))
    ledger = _Clock(Budget.of(budget), stored_model.price)
    ledger.tape = tape
    box = _StoredTools(toolbox, tape, tools == "live")
    live = LiveRun(
        journal=cast(Journal, tape),
        model=model or cast(Model, stored_model),
        toolbox=box,
        policy=Policy.of(policy),
        ledger=ledger,
        tool_context=context or _no_context(started),
        specs=specs_of(box),
        approve=lambda asked: _as_recorded(tape, asked),
    )
    live.tracks = bool(started.trust)
    box.live = live
    tape.held, tape.messages = lambda: len(live.pending), lambda: live.context.messages
    if model is not None:
        tape.ignored |= PRICES
    if window := stored_model.limits.context:
        live.learn_window(window)
    for one in tape.stored[: tape.at]:
        live.apply(one.seq, one.event)
    return live


async def _as_recorded(tape: Tape, asked: ApprovalAsked) -> ApprovalGiven:
    following = tape.next()
    if isinstance(following, ApprovalGiven):
        return following
    raise _EndOfTape


def _no_context(started: RunStarted) -> ToolContext:
    from pathlib import Path

    return ToolContext(workspace=Path(started.workspace or "."))


def _tools_of(started: RunStarted, files: Sequence[str], extra: Sequence[Tool]) -> list[Tool]:
    """The tools of the run as they are now; one that is gone is stood in for by what was recorded of it."""
    names = [str(told["name"]) for told in started.tools if told["name"] in BUILT_IN]
    try:
        now = {tool.name: tool for tool in collect(names, files, [*installed(), *extra])}
    except OutriderError:  # a tools file that moved or broke since
        now = {tool.name: tool for tool in collect(names, (), extra)}
    return [now.get(str(told["name"])) or _stand_in(told) for told in started.tools]


def _stand_in(told: dict[str, Any]) -> Tool:
    def gone(arguments: dict[str, Any], context: ToolContext) -> str:
        raise LookupError(f"{told['name']} is not here any more")

    effect: Effect = told["effect"] if told["effect"] in EFFECTS else "read"
    return Tool(told["name"], told["description"], told["parameters"], gone, dict, effect=effect)
