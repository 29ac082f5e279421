"""Turns events into the messages a model sees. Appends only, but for the rare `Compacted`, so a provider's prompt cache
keeps hitting and each message is encoded once. Touches nothing.
Does not promise: that the messages fit a window; fit.py sees to that.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from outrider.agent.context.goal import goal_text
from outrider.agent.models.model import GOAL, Message, Seen
from outrider.agent.state import MAX_CALLS
from outrider.memory.events import (
    CallDraft,
    Compacted,
    Event,
    GoalGiven,
    ModelAsked,
    ModelReplied,
    Noted,
    Resumed,
    RunStarted,
    ToolReturned,
)
from outrider.tools.arguments import matching_name


class Context:
    """The messages of a run. Feed it every event in order, with the line that tells what is left of the budget."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.seen: Seen | None = None  # what the provider itself counted
        self._tools: tuple[str, ...] = ()
        self._asked: ModelAsked | None = None
        self._asked_messages = 0
        self._waiting: dict[str, ToolReturned | None] = {}
        self._held: list[Message] = []
        self._seqs: list[int] = []  # of the event each message came from
        self._seq = 0
        self._hash = blake2b(digest_size=16)

    def add(self, event: Event, left: Callable[[], str] = str, seq: int = 0) -> None:
        """Learn from one event. left(): what is left of the budget after it, asked for only where it is said."""
        self._seq = seq
        if isinstance(event, RunStarted):
            self._tools = tuple(str(told.get("name")) for told in event.tools)
            if event.system:
                self._say(Message("system", event.system))
            self._say(Message("user", goal_text(event.goal, event.attachments), label=GOAL, note=event.today))
        elif isinstance(event, GoalGiven):
            self._say(Message("user", goal_text(event.goal, event.attachments), label=GOAL, note=left()))
        elif isinstance(event, ModelAsked):
            self._asked, self._asked_messages = event, len(self.messages)
        elif isinstance(event, ModelReplied):
            self._add_reply(event)
        elif isinstance(event, ToolReturned) and event.call_id in self._waiting:
            self._waiting[event.call_id] = event
            self._flush(left)
        elif isinstance(event, Noted) and event.by in ("outrider", "person"):
            self._say(Message("user", event.text, note=left()))
        elif isinstance(event, Resumed) and event.changes.get("goal"):
            if event.changes.get("clean"):  # a fork with a goal of its own: what was said before was about another
                self._begin_again()
                self._say(Message("user", str(event.changes["goal"]), label=GOAL))
            else:
                self._say(Message("user", f"The goal is now: {event.changes['goal']}", label=GOAL))
        elif isinstance(event, Compacted):
            self._compact(event)

    def steps(self) -> list[int]:
        """The seqs after which the messages may be cut: where a turn of the model begins."""
        return [self._seqs[i - 1] for i, m in enumerate(self.messages) if m.role == "assistant" and i > 0]

    def digest(self) -> str:
        """Names everything said so far: equal digests, equal requests."""
        return self._hash.hexdigest()

    def _add_reply(self, event: ModelReplied) -> None:
        asked, self._asked = self._asked, None
        if asked is None or asked.purpose != "step" or event.error:
            return
        if event.usage:
            self.seen = Seen(self._asked_messages, event.usage.input_tokens)
        if not event.calls and not event.text.strip():
            return  # an empty turn is refused by many servers; the note that follows says what was wrong
        calls = tuple(
            CallDraft(
                id=f"{event.step}.{i}",
                name=matching_name(call.name, self._tools) or call.name,
                arguments=call.arguments,
                extra=call.extra,
            )
            for i, call in enumerate(event.calls[:MAX_CALLS])
        )
        self._say(Message("assistant", event.text, calls, kept=event.kept))
        self._waiting = {call.id: None for call in calls}

    def _flush(self, left: Callable[[], str]) -> None:
        """Results come in any order and are shown in the order of the calls, once all are there."""
        returns = [r for r in self._waiting.values() if r is not None]
        if len(returns) < len(self._waiting):
            return
        self._waiting, held, self._held = {}, self._held, []
        for returned in returns:
            note = left() if returned is returns[-1] else ""
            self._say(
                Message(
                    "tool",
                    returned.text,
                    call_id=returned.call_id,
                    label=returned.tool,
                    ok=returned.ok,
                    origin=returned.origin,
                    note=note,
                )
            )
        for message in held:
            self._say(message)

    def _compact(self, event: Compacted) -> None:
        """The first goal, then what was left out in short, the goal being worked on, and everything after `upto` as it was."""
        head = 1 + (self.messages[0].role == "system")
        placed = list(zip(self.messages, self._seqs, strict=True))
        rest = [(m, s) for m, s in placed if s > event.upto]
        rest = [(m, s) for m, s in placed[head:] if s <= event.upto and m.label == GOAL][-1:] + rest
        self.messages, self._seqs = self.messages[:head], self._seqs[:head]
        self.seen = None  # what the provider counted is not what it will be sent
        self._hash.update(b"compacted\xff")
        self._say(Message("user", event.text))
        self._seqs[-1] = event.upto
        for message, seq in rest:
            self.messages.append(message)
            self._seqs.append(seq)

    def _begin_again(self) -> None:
        """Forget everything but the system text."""
        head = int(bool(self.messages) and self.messages[0].role == "system")
        self.messages, self._seqs = self.messages[:head], self._seqs[:head]
        self._waiting, self._held, self.seen, self._asked = {}, [], None, None
        self._hash.update(b"clean\xff")

    def _say(self, message: Message) -> None:
        if self._waiting:  # a note may come while calls are open; servers want results right after their calls
            self._held.append(message)
            return
        self.messages.append(message)
        self._seqs.append(self._seq)
        for part in (message.role, message.text, message.note, *(c.name + c.arguments for c in message.calls)):
            self._hash.update(part.encode("utf-8", "replace") + b"\xff")
