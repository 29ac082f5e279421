"""Where a run stands, computed from its events alone. Feed it every event in order, while it happens or when it is resumed:
there is no second way to know. Touches nothing.
Does not promise: the messages (context.py) or the money (budget.py); they come from the same events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from outrider.agent.plan.graph import Graph
from outrider.agent.structured.reading import MISFIT
from outrider.memory.events import (
    Answered,
    ApprovalAsked,
    ApprovalGiven,
    Attachment,
    ChildStarted,
    Event,
    GoalGiven,
    Interrupted,
    ModelAsked,
    ModelReplied,
    Noted,
    PlanChanged,
    Resumed,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
)
from outrider.tools.net.named_secrets import texts_in
from outrider.tools.policy.taint import Strangers
from outrider.tools.policy.two import Flags, in_words

Flag = Literal["untrusted", "private", "sends"]
Mark = tuple[str, str]  # what makes two calls the same call: the tool and its arguments in one spelling

REPLAN = "You are repeating yourself:"
WRAP_UP = "Wrap up:"
DENIED = "Not allowed:"  # how the observation of a call begins that the policy or a person refused
REPEATED = "Not run again:"
SAME_IN_A_ROW = 3
WRITERS = ("write_file", "python", "shell")  # what these make holds what the run knew
MAX_CALLS = 32  # of one reply; a reply with more is a model gone wrong


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation: the seq of its event, the call it answers, and what the model was shown."""

    seq: int
    call_id: str
    tool: str
    text: str
    ok: bool
    origin: str
    elapsed_s: float


def mark_of(tool: str, arguments: str | Mapping[str, Any]) -> Mark:
    """The mark of a call, as the model wrote it or as it was recorded."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            return tool, str(arguments)
    return tool, _SPELLING(arguments)


_SPELLING = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode  # made once: it is asked at every call


@dataclass(slots=True)
class State:
    """The run as its events say so far.

    reply: the last reply of a step whose calls are not all answered, else None. open: calls that began and did not
    return. asked: the request that was sent and not answered. fresh: reads whose result still holds. past: each call and
    what came of it. warned: calls the model was told not to repeat. `seen` begins with what came with the goal (call_id "").
    bad_replies, denials: in a row. misfits: answers that were not the data asked for.
    """

    goal: str = ""
    started: RunStarted | None = None
    step: int = 0
    asked: ModelAsked | None = None
    reply: ModelReplied | None = None
    halves: list[str] = field(default_factory=list)  # the last answer, in parts where it was cut at its limit
    cut: bool = False  # whether the last of them was
    filtered: int = 0  # replies in a row that a provider's filter stopped
    reasoned: str = ""  # the last reasoning of replies that held nothing else
    open: dict[str, ToolCalled] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)
    fresh: dict[Mark, Seen] = field(default_factory=dict)
    past: list[tuple[Mark, int]] = field(default_factory=list)
    warned: set[Mark] = field(default_factory=set)
    replans: int = 0
    misfits: int = 0
    told_to_wrap_up: bool = False
    bad_replies: int = 0
    denials: int = 0
    failed: dict[str, bool] = field(default_factory=dict)  # tools with effects that did nothing → whether denied
    plan: tuple[str, ...] = ()
    graph: Graph = field(default_factory=Graph)  # the plan, with what became of its steps
    skills: list[str] = field(default_factory=list)  # loaded for this goal
    abandoned: bool = False  # another goal was given while calls were open
    children: dict[str, str] = field(default_factory=dict)  # call id → run that was started for it
    asked_for: ApprovalAsked | None = None
    allowed: list[dict[str, Any]] = field(
        default_factory=list
    )  # rules a person's yes for the rest of the run stands for
    flags: Flags = field(default_factory=Flags)
    strangers: Strangers = field(default_factory=Strangers)
    made: set[str] = field(default_factory=set)  # files the run itself made
    changed: set[str] = field(default_factory=set)  # files it made or changed in any way
    helped: bool = False  # a child run may have changed others
    tainted: set[str] = field(default_factory=set)  # files it wrote after it had read strangers' words
    raised: list[tuple[Flag, str]] = field(default_factory=list)  # flags that went up with the last event
    answered: Answered | None = None
    stopped: Stopped | None = None
    last: Event | None = None
    _marks: dict[str, Mark] = field(default_factory=dict)
    _counted: set[Mark] = field(default_factory=set)  # calls of this reply: the same one twice is no repetition

    def add(self, seq: int, event: Event) -> None:
        """Learn from one event."""
        self.last = event
        self.graph.add(event)
        if isinstance(event, RunStarted):
            self.goal, self.started = event.goal, event
            self._begin_flags(event)
            self._add_attachments(seq, event.attachments)
        elif isinstance(event, GoalGiven):
            self._begin(event.goal)
            self.flags.goal += f"\n{event.goal}"
            self.abandoned = self.reply is not None or bool(self.open)
            self._add_attachments(seq, event.attachments)
        elif isinstance(event, ModelAsked):
            self.asked, self.step = event, event.step
        elif isinstance(event, ModelReplied):
            self._add_reply(event)
        elif isinstance(event, ToolCalled):
            self._add_call(event)
        elif isinstance(event, ToolReturned):
            self._add_return(seq, event)
        elif isinstance(event, ApprovalAsked):
            self.asked_for = event
        elif isinstance(event, ApprovalGiven):
            if event.approved and event.scope != "once" and self.asked_for:  # its asker keeps "always" beyond the run
                tool_alone = {"decision": "allow", "tool": [self.asked_for.tool]}  # what earlier versions recorded
                self.allowed.append(dict(self.asked_for.holds) or tool_alone)
        elif isinstance(event, ChildStarted):
            self.children[event.call_id] = event.child
        elif isinstance(event, PlanChanged):
            self.plan = event.items
        elif isinstance(event, Noted) and event.by == "outrider":
            self._add_note(event)
        elif isinstance(event, Answered):
            self.answered = event
        elif isinstance(event, Stopped):
            self.stopped = event
        elif isinstance(event, Resumed):
            self._add_resumed(event)

    def _add_resumed(self, event: Resumed) -> None:
        if event.changes.get("fork"):
            self.children.clear()  # they belong to the run this one is from, and are paid by it
        self.flags.goal += f"\n{event.changes.get('goal') or ''}"
        self._begin(str(event.changes.get("goal") or self.goal))
        if event.changes.get("clean"):
            self._forget()

    def _begin(self, goal: str) -> None:
        """Work begins, on this goal: what went wrong before counts no more."""
        if goal != self.goal:
            self.halves, self.cut, self.skills = [], False, []
        self.goal, self.answered, self.stopped = goal, None, None
        self.bad_replies = self.denials = self.replans = self.misfits = 0
        self.told_to_wrap_up = False
        self.past.clear()
        self.warned.clear()

    def _forget(self) -> None:
        """What was observed was for another goal."""
        self.seen, self.plan, self.failed, self.graph = [], (), {}, Graph()
        self.fresh.clear()
        self.open.clear()
        self.reply = self.asked = None

    def _add_attachments(self, seq: int, attachments: tuple[Attachment, ...]) -> None:
        """What came with a goal bears out claims as an observation does; no call brought it."""
        for one in attachments:
            self.flags.goal += f"\n{one.name}"  # the person handed it over: as a file the goal names
            self.flags.read_private(f"the attachment {one.name}", one.text, (one.name,))
        self.seen += [Seen(seq, "", one.name, one.text, True, "trusted", 0.0) for one in attachments if one.text]

    @property
    def interrupted(self) -> bool:
        """Whether the run was left on purpose and not taken up again."""
        return isinstance(self.last, Interrupted)

    @property
    def undone(self) -> list[str]:
        """Tools with effects whose calls were refused or failed, and that nothing made up for since."""
        return list(self.failed)

    def in_a_row(self, mark: Mark) -> int:
        """How many of the last calls were this very call."""
        count = 0
        for earlier, _ in reversed(self.past):
            if earlier != mark:
                break
            count += 1
        return count

    def in_a_cycle(self) -> bool:
        """Whether the last calls repeat a pattern of 2 to 4 calls three times, with the same results each time."""
        for period in (2, 3, 4):
            last = self.past[-3 * period :]
            if len(last) == 3 * period and last[:period] * 3 == last:
                return True
        return False

    def _add_note(self, event: Noted) -> None:
        self.misfits += event.text.startswith(MISFIT)
        self.told_to_wrap_up = self.told_to_wrap_up or event.text.startswith(WRAP_UP)
        if event.text.startswith(REPLAN):
            self.replans += 1
            self.warned.update(mark for mark, _ in self.past[-1:])
            self.past.clear()

    def _add_reply(self, event: ModelReplied) -> None:
        purpose = self.asked.purpose if self.asked else "step"
        self.asked = None
        if purpose != "step" or event.error:
            return
        self.reply = event if event.calls else None
        sound = bool(event.calls or event.text.strip()) and event.finish_reason != "repetition"
        self.bad_replies = 0 if sound else self.bad_replies + 1
        self._counted = set()
        self.reasoned = "" if sound else event.reasoning or self.reasoned
        self.filtered = self.filtered + 1 if event.finish_reason == "content_filter" else 0
        if event.calls:
            self.halves, self.cut = [], False
        elif sound:
            self.halves, self.cut = [*(self.halves if self.cut else ()), event.text], event.finish_reason == "length"
        self._marks = {f"{event.step}.{i}": mark_of(c.name, c.arguments) for i, c in enumerate(event.calls[:MAX_CALLS])}

    def _begin_flags(self, event: RunStarted) -> None:
        trust: Mapping[str, Any] = event.trust
        self.flags.goal = str(trust.get("goal") or event.goal)
        self.flags.untrusted += [str(one) for one in trust.get("untrusted") or ()]
        for source in trust.get("private") or ():
            self.flags.read_private(str(source), "", ())
        held = event.settings.get("instructions")
        if isinstance(held, dict) and held.get("text"):  # AGENTS.md that strangers may have written
            self.flags.read_untrusted(str(held.get("file")), "", str(held["text"]))
            self.strangers.add(str(held.get("file")), str(held["text"]))

    def _add_flags(self, event: ToolReturned, called: ToolCalled | None) -> None:
        """What a result means for what may be sent later (tools/policy/two.py)."""
        whose = f"{event.tool}, call {event.call_id}"
        if event.origin == "untrusted" and event.ran:
            asked = texts_in(called.arguments if called else {})
            if self.flags.read_untrusted(whose, event.tool, event.text, asked):
                self.raised.append(("untrusted", whose))
            self.strangers.add(whose, event.text)
        for source in event.private:
            kind, _, path = source.partition(":")
            text = (
                event.text if event.tool == "read_file" and event.ok else ""
            )  # any other tool may repeat the call's words
            if self.flags.read_private(in_words(source), text, (path,) if kind == "file" else ()):
                self.raised.append(("private", f"{in_words(source)} ({whose})"))
        for change in event.changes:
            self.changed.add(change.path)
            if self.flags.untrusted:
                self.tainted.add(change.path)
            if change.before is None and event.tool in WRITERS:
                self.made.add(change.path)
            elif change.after is None or event.tool not in WRITERS:  # what stands there later need not be the run's
                self.made.discard(change.path)
        if event.tool == "delegate":
            self.made.clear()

    def _add_call(self, event: ToolCalled) -> None:
        self.open[event.call_id] = event
        if event.sends:
            self.flags.called(event.arguments)
            if not self.flags.sent:
                self.flags.sent = True
                self.raised.append(("sends", f"{event.tool} to {', '.join(event.sends)}"))
        self.begun.add(event.call_id)
        self.helped |= event.tool == "delegate"
        if event.effect != "read":
            self.fresh.clear()  # whatever was read may be different now

    def _add_return(self, seq: int, event: ToolReturned) -> None:
        called = self.open.pop(event.call_id, None)
        self.returned.add(event.call_id)
        self._add_flags(event, called)
        if event.tool == "skill" and event.ok and called:
            self.skills.append(str(called.arguments.get("name", "")))
        if "/" in event.call_id:  # a call made by code or by the plan, not by the model itself
            self._add_effect(event, called)
            return
        seen = Seen(seq, event.call_id, event.tool, event.text, event.ok, event.origin, event.elapsed_s)
        self.seen.append(seen)
        if called and called.effect == "read" and event.ok:
            self.fresh[mark_of(called.tool, called.arguments)] = seen
        if called and called.effect != "read":
            self.warned.clear()
        mark = self._marks.pop(event.call_id, None)
        if mark and mark not in self._counted:
            self._counted.add(mark)
            self.past.append((mark, hash(event.text) if event.ran else 0))
        self._add_effect(event, called)
        self.denials = self.denials + 1 if event.text.startswith(DENIED) else 0 if event.ran else self.denials
        if not self._marks:
            self.reply, self.abandoned = None, False

    def _add_effect(self, event: ToolReturned, called: ToolCalled | None) -> None:
        denied = event.text.startswith(DENIED)
        if denied or (called and called.effect != "read" and not event.ok):
            self.failed[event.tool] = denied
        elif called and called.effect != "read":  # what failed may have been done another way; what was denied was not
            self.failed = {name: True for name, no in self.failed.items() if no and name != event.tool}
