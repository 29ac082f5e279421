"""Budget and the ledger: money, tokens, steps, seconds and calls, reserved before they are spent.
Touches the monotonic clock, nothing else. The ledger is a projection of the run's events: feed it the same events and
it says the same, so a resumed run cannot forget what was spent.
Does not promise: that a provider keeps to what was reserved. What it reports beyond that is booked too, and named
(`ModelReplied.over`): only by so much can a limit be passed.

Rules (docs/budgets.md): a request is sent only if its worst case fits beside the slice held back for the ending;
reported usage settles it; no usage, a failure that may have been billed or a crash leaves the whole reservation spent.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from outrider.agent.models.model import Price
from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.events import (
    Amount,
    ChildEnded,
    ChildStarted,
    Event,
    GoalGiven,
    ModelAsked,
    ModelReplied,
    Resumed,
    RunStarted,
    Share,
    ToolCalled,
    Usage,
)

UNITS = ("usd", "tokens", "steps", "seconds", "calls", "wall_seconds")
ENDING_INPUT, ENDING_OUTPUT = (
    1600,
    400,
)  # tokens the held-back slice pays for: a page of findings, a paragraph of answer
MOST = 10**12  # of any unit; a larger number is a slip, and would be no limit
LEAST_OUTPUT = 64  # a reply bounded below this cannot hold one tool call
LEAST_ENDING = 16


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits of a run; None: no limit of that unit.

    usd: dollars. tokens: input + output, all requests. steps: times the model is asked (retries of one step are one).
    seconds: working time, waits for a person excluded; wall_seconds: with them. calls: tools run. per_tool: calls by
    tool name. soft: a share of any limit (0.8, "80%"), at which the model is told to wrap up.
    Raises UsageError for a limit that is not a number above zero.
    """

    usd: Decimal | float | None = None
    tokens: int | None = None
    steps: int | None = None
    seconds: float | None = None
    calls: int | None = None
    wall_seconds: float | None = None
    soft: float | None = None
    per_tool: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for unit in UNITS:
            value = getattr(self, unit)
            if value is not None:
                object.__setattr__(self, unit, _positive(unit, value))
        if self.soft is not None:
            object.__setattr__(self, "soft", _share(self.soft))
        for name, value in self.per_tool.items():
            if value != 0:  # never
                _positive(f"per_tool[{name!r}]", value)

    def raised(self, **more: Any) -> Budget:
        """The budget with limits changed: a value replaces, a string such as "+0.50" adds to what there was, "none" lifts."""
        changes: dict[str, Any] = {}
        for unit, value in more.items():
            if isinstance(value, str) and value.strip().lower() == "none":
                changes[unit] = None
            elif isinstance(value, str) and value.startswith("+"):
                old = getattr(self, unit)
                changes[unit] = None if old is None else Decimal(str(old)) + _positive(unit, value[1:])
            elif value is not None:
                changes[unit] = value
        return replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON with the limits that are set; dollars as a number."""
        plain = {unit: getattr(self, unit) for unit in UNITS if getattr(self, unit) is not None}
        if "usd" in plain:
            plain["usd"] = float(plain["usd"])
        plain |= {"soft": self.soft} if self.soft is not None else {}
        return plain | ({"per_tool": dict(self.per_tool)} if self.per_tool else {})

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Budget:
        """A budget as it was stored; limits this version does not know are left out."""
        known = {key: value for key, value in stored.items() if key in cls.__dataclass_fields__}
        try:
            return cls(**known)
        except (OutriderError, TypeError):
            return cls()


def _share(value: Any) -> float:
    """A share between 0 and 1, also as "80%"."""
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise UsageError(f"{text!r} is no soft limit", "it is a share of the hard ones", "for example 80% or 0.8")
    return share


def _positive(unit: str, value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    said = repr(value) if len(str(value)) <= 40 else f"{str(value)[:40]!r}…"
    if not number.is_finite() or number <= 0 or number > MOST:
        why = f"a limit is a number above zero and at most {MOST:,}"
        raise UsageError(f"{said} is not a limit for {unit}", why, 'leave it out for the default, or say "none"')
    if unit == "usd":
        return number
    if unit in ("seconds", "wall_seconds"):
        return float(number)
    if number != number.to_integral_value():
        raise UsageError(f"{said} is not a limit for {unit}", f"{unit} are counted in whole numbers", "round it")
    return int(number)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far. Open reservations are counted as spent."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    steps: int = 0
    seconds: float = 0.0
    calls: int = 0
    per_tool: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON of the five units: dollars as a number, seconds to the millisecond."""
        plain = {unit: getattr(self, unit) for unit in ("usd", "tokens", "steps", "seconds", "calls")}
        return plain | {"usd": float(self.usd), "seconds": round(self.seconds, 3)}


def share_of(budget: Budget) -> Share:
    """What a child with this budget can use at most; a unit without a limit counts nothing in advance."""
    usd = Decimal(str(budget.usd)) if budget.usd is not None else Decimal(0)
    return Share(
        usd=usd,
        tokens=budget.tokens or 0,
        steps=budget.steps or 0,
        calls=budget.calls or 0,
        per_tool=dict(budget.per_tool),
    )


def _sum(*shares: Share) -> Share:
    return Share(
        usd=sum((s.usd for s in shares), Decimal(0)),
        tokens=sum(s.tokens for s in shares),
        steps=sum(s.steps for s in shares),
        calls=sum(s.calls for s in shares),
        per_tool=dict(sum((Counter(s.per_tool) for s in shares), Counter[str]())),
    )


NOTHING = Amount()


class Ledger:
    """What a run may still spend. `add` every event of the run, in order; ask before anything is sent."""

    def __init__(self, budget: Budget, price: Price | None, clock: Callable[[], float] = time.monotonic) -> None:
        if budget.usd is not None and price is None:
            raise UsageError(
                "a dollar limit needs a price, and none is known for this model",
                "an unknown price counted as zero would make the limit meaningless",
                "give --price-in and --price-out (dollars per million tokens), or leave --usd out",
            )
        self.budget, self.price = budget, price
        self._clock = clock
        self._start()

    def _start(self) -> None:
        self._whole: Share | None = None  # `_tree` as of the last event
        self._tokens, self._usd = 0, Decimal(0)
        self._open = NOTHING
        self._steps: set[int] = set()
        self._calls: Counter[str] = Counter()
        self._worked_s, self._since = 0.0, self._clock()
        self._paused = 0
        self.waited_s = 0.0  # for a person, as the events tell
        self.waiting_s = 0.0  # the same, as it passes in this process
        self._children: dict[str, Share] = {}  # what open children may use
        self._childrens = Share()  # what ended children used

    # -- what was spent -------------------------------------------------------------------------------------------

    def add(self, event: Event) -> None:
        """Learn from one event of the run."""
        self._whole = None
        if isinstance(event, ModelAsked):
            self._open = event.reserved
            if event.purpose in ("step", "ending"):
                self._steps.add(event.step)
        elif isinstance(event, ModelReplied):
            self._tokens += event.cost.tokens
            self._usd += event.cost.usd
            self._open = NOTHING
        elif isinstance(event, ToolCalled):
            self._calls[event.tool] += 1
        elif isinstance(event, ChildStarted):
            self._children[event.child] = event.share
        elif isinstance(event, ChildEnded):
            self._children.pop(event.child, None)
            self._childrens = _sum(self._childrens, event.cost)
        elif isinstance(event, Resumed) and event.changes.get("fork"):
            self._start()  # what the shared events cost was paid by the run they are from
        elif isinstance(event, Resumed | RunStarted | GoalGiven):  # the time until a person gave it is not the run's
            self._since = self._clock()
        told = event.__dict__  # its fields: pydantic is slow to say that an event has no such one
        self.waited_s += told.get("waited_s", 0.0)
        if (elapsed_s := told.get("elapsed_s", 0.0)) > self._worked_s:
            self._worked_s, self._since = elapsed_s, self._clock()

    @property
    def spent(self) -> Spent:
        """Now, never above the limit: the clock is read once more after the last work was stopped."""
        seconds = self.elapsed_s
        if self.budget.seconds is not None:
            seconds = min(seconds, self.budget.seconds)
        tree = self._tree()
        per_tool = {name: self._calls[name] + tree.per_tool.get(name, 0) for name in {*self._calls, *tree.per_tool}}
        return Spent(tree.usd, tree.tokens, tree.steps, seconds, tree.calls, per_tool)

    @property
    def open(self) -> Amount:
        """What is reserved for a request that has not come back."""
        return self._open

    def _tree(self) -> Share:
        """What this run and its children used, open reservations and shares included; `per_tool` the children's only."""
        if self._whole is None:
            own = Share(
                usd=self._usd + self._open.usd,
                tokens=self._tokens + self._open.tokens,
                steps=len(self._steps),
                calls=sum(self._calls.values()),
            )
            parts = (self._childrens, *self._children.values())
            self._whole = _sum(own, *parts) if self._children or self._childrens.steps else own
        return self._whole

    @property
    def elapsed_s(self) -> float:
        """Working seconds so far."""
        return self._worked_s + (0.0 if self._paused else self._clock() - self._since)

    @property
    def worked_s(self) -> float:
        """Working seconds as the events tell, the clock not asked."""
        return self._worked_s

    @contextmanager
    def waiting_for_a_person(self) -> Iterator[None]:
        """The clock of working time stands still inside."""
        self._worked_s, self._paused, began = self.elapsed_s, self._paused + 1, self._clock()
        try:
            yield
        finally:
            self._paused -= 1
            self._since = self._clock()
            if not self._paused:  # two may wait at once; the clock on the wall runs once
                self.waiting_s += self._clock() - began

    # -- what may still be spent ----------------------------------------------------------------------------------

    def seconds_left(self, *, ending: bool = False) -> float:
        """Working seconds left for the task, or with `ending` for everything; by whichever limit ends sooner."""
        left = math.inf
        for limit, used in ((self.budget.seconds, 0.0), (self.budget.wall_seconds, self.waited_s)):
            if limit is not None:
                hold = 0.0 if ending else min(10.0, limit / 10)
                left = min(left, max(0.0, limit - hold - used - self.elapsed_s))
        return left

    def wall_left(self) -> float:
        """Seconds left by the clock on the wall, waits for a person included, beside the ending; inf without such a limit."""
        limit = self.budget.wall_seconds
        return math.inf if limit is None else max(0.0, limit - min(10.0, limit / 10) - self.waited_s - self.elapsed_s)

    def calls_left(self, tool: str = "") -> int | None:
        """Tool calls left in all, or for one tool by its own limit; None: no limit."""
        if tool:
            limit = self.budget.per_tool.get(tool)
            used = self._calls[tool] + self._tree().per_tool.get(tool, 0) if limit is not None else 0
            return None if limit is None else max(0, limit - used)
        return None if self.budget.calls is None else max(0, self.budget.calls - self._tree().calls)

    def reached(self) -> str:
        """The unit that leaves no room for another step beside the ending, "" if none does."""
        if self.budget.steps is not None:
            hold = 1 if self.budget.steps > 1 else 0
            if self._tree().steps >= self.budget.steps - hold:
                return "steps"
        if self.calls_left() == 0:
            return "calls"
        return "seconds" if self.seconds_left() <= 0 else ""

    def room_for_ending(self) -> bool:
        """Whether one more request may be sent at all."""
        steps_left = self.budget.steps is None or self._tree().steps < self.budget.steps
        return steps_left and self.seconds_left(ending=True) > 0

    def reserve(self, input_tokens: int, max_output: int, *, ending: bool = False) -> tuple[Amount, int] | str:
        """The reservation for one request and its `max_tokens`, clamped to what is left; or the unit that forbids it.

        input_tokens: an upper bound. Without `ending` the slice for the ending stays untouched.
        """
        output, unit = max_output, "tokens"
        if self.budget.tokens is not None:
            hold = 0 if ending else min(self.budget.tokens // 4, ENDING_INPUT + ENDING_OUTPUT)
            output = min(output, self.budget.tokens - self._tree().tokens - hold - input_tokens)
        if self.budget.usd is not None and self.price is not None:
            affordable = self._affordable_output(input_tokens, ending)
            if affordable < output:
                output, unit = affordable, "usd"
        if output < (LEAST_ENDING if ending else LEAST_OUTPUT) and output < max_output:
            return unit
        usd = self.price.most(input_tokens, max(0, output)) if self.price else Decimal(0)
        return Amount(tokens=input_tokens + output, usd=usd), output

    def _affordable_output(self, input_tokens: int, ending: bool) -> int:
        if self.price is None or self.budget.usd is None:
            raise ValueError("only asked where dollars are limited")
        budget = Decimal(str(self.budget.usd))
        slice_ = self.price.most(ENDING_INPUT, ENDING_OUTPUT)
        hold = Decimal(0) if ending else min(budget / 4, slice_)
        left = budget - self._tree().usd - hold - self.price.most(input_tokens, 0)
        if left < 0:
            return -1
        return 1 << 30 if self.price.output == 0 else int(left * 1_000_000 / self.price.output)

    @property
    def ending_usd(self) -> Decimal:
        """What the slice for the ending may cost; 0 where no price is known."""
        slice_ = Usage(input_tokens=ENDING_INPUT, output_tokens=ENDING_OUTPUT)
        return self.price.usd(slice_) if self.price else Decimal(0)

    def carve(self, fraction: float) -> Budget | str:
        """The budget of a child: `fraction` of what remains of each limit beside the ending; or the unit that has none."""
        tree, parts = self._tree(), dict[str, Any]()
        if self.budget.usd is not None and self.price is not None:
            total = Decimal(str(self.budget.usd))
            slice_ = self.price.most(ENDING_INPUT, ENDING_OUTPUT)
            part = (total - min(total / 4, slice_) - tree.usd) * Decimal(str(fraction))
            parts["usd"] = part.quantize(Decimal("1e-9"), ROUND_DOWN)  # stored as a number, it must not grow
        if self.budget.tokens is not None:
            hold = min(self.budget.tokens // 4, ENDING_INPUT + ENDING_OUTPUT)
            parts["tokens"] = int((self.budget.tokens - hold - tree.tokens) * fraction)
        if self.budget.steps is not None:
            parts["steps"] = int((self.budget.steps - 1 - tree.steps) * fraction)
        if self.budget.calls is not None:
            parts["calls"] = int((self.budget.calls - tree.calls) * fraction)
        if self.budget.seconds is not None:
            parts["seconds"] = self.seconds_left() * fraction
        for unit, value in parts.items():
            if value <= 0:
                return unit
        left = {name: self.calls_left(name) or 0 for name in self.budget.per_tool}
        per_tool = {name: max(int(n * fraction), min(n, 1)) for name, n in left.items()}
        return Budget(**parts, per_tool=per_tool)

    def settle(self, reserved: Amount, usage: Usage | None) -> Amount:
        """What a request cost: the reported usage, also where that is more than was reserved; without a report all of it."""
        if usage is None:
            return reserved
        tokens = usage.input_tokens + usage.output_tokens
        return Amount(tokens=tokens, usd=self.price.usd(usage) if self.price else Decimal(0))

    def line(self) -> str:
        """What is left, in one short line for the model and the person; "" without limits.

        Computed from the events alone, not from the clock: a run replayed from its journal reads the same.
        """
        spent, budget, parts = self.spent, self.budget, []
        if budget.usd is not None:
            parts.append(f"${Decimal(str(budget.usd)) - spent.usd:.4f}")
        for unit in ("tokens", "steps", "calls"):
            if (limit := getattr(budget, unit)) is not None:
                parts.append(f"{limit - getattr(spent, unit):,} {unit}")
        if budget.seconds is not None:
            parts.append(f"{max(0.0, budget.seconds - self._worked_s):.0f} s")
        return f"left: {', '.join(parts)}" if parts else ""
