"""Turns events into the messages a model sees. Appends only, but for the rare `Compacted`, so a provider's prompt cache
keeps hitting and each message is encoded once. Touches nothing.
Does not promise: that the messages fit a window; fit.py sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from outrider.agent.asking.window import message_bytes
from outrider.agent.context.goal import goal_text
from outrider.agent.models.model import GOAL, Message, Picture, Seen, fenced
from outrider.agent.settings.instructions import STRANGE
from outrider.agent.state import MAX_CALLS
from outrider.memory.events import (
    Attachment,
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
from outrider.memory.text import for_model
from outrider.tools.arguments import matching_name
from outrider.tools.toolbox import trim


def _no_picture(digest: str) -> bytes | None:
    return None


class Context:
    """The messages of a run. Feed it every event in order, with the line that tells what is left of the budget."""

    def __init__(self, picture: Callable[[str], bytes | None] = _no_picture) -> None:
        """picture(digest): its bytes, None where the model is shown none."""
        self._picture = picture
        self.messages: list[Message] = []
        self.seen: Seen | None = None  # what the provider itself counted
        self._tools: tuple[str, ...] = ()
        self._marker = ""
        self._asked: ModelAsked | None = None
        self._asked_messages = self._asked_size = 0
        self._waiting: dict[str, ToolReturned | None] = {}
        self._held: list[Message] = []
        self._seqs: list[int] = []  # of the event each message came from
        self._seq = 0
        self._hash = blake2b(digest_size=16)
        self._head: list[Message] = []  # the system's words and the first goal, as they were said
        self._goal = ("", 0)  # the goal being worked on, and its seq
        self.size = 0  # UTF-8 bytes of all messages
        self._seen_size = 0

    @property
    def unseen_bytes(self) -> int:
        """Bytes of the messages that came after what the provider counted."""
        return max(0, self.size - self._seen_size) if self.seen else self.size

    def add(self, event: Event, left: Callable[[], str] = str, seq: int = 0) -> None:
        """Learn from one event. left(): what is left of the budget after it, asked for only where it is said."""
        self._seq = seq
        if isinstance(event, RunStarted):
            self._marker = str(event.trust.get("marker") or "")
            self._tools = tuple(str(told.get("name")) for told in event.tools)
            if event.system:
                self._say(Message("system", event.system))
            strange = _strange_instructions(event.settings.get("instructions"), self._marker)
            note = "\n".join(part for part in (event.today, strange) if part)
            self._say_goal(goal_text(event.goal, event.attachments), note, self._pictures(event.attachments))
        elif isinstance(event, GoalGiven):
            self._say_goal(goal_text(event.goal, event.attachments), left(), self._pictures(event.attachments))
        elif isinstance(event, ModelAsked):
            self._asked, self._asked_messages, self._asked_size = event, len(self.messages), self.size
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
                self._say_goal(str(event.changes["goal"]))
            else:
                self._say_goal(f"The goal is now: {event.changes['goal']}")
        elif isinstance(event, Compacted):
            self._compact(event)

    @property
    def pictured(self) -> bool:
        """Whether a message holds a picture."""
        return any(message.pictures for message in self.messages)

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
            self._seen_size = self._asked_size
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
                    fence=self._marker,
                    note=note,
                )
            )
        for message in held:
            self._say(message)

    def longest_result(self) -> int:
        """Characters of the longest tool result that is shown."""
        return max((len(message.text) for message in self.messages if message.role == "tool"), default=0)

    def _compact(self, event: Compacted) -> None:
        """The first goal with what was left out in short and the goal being worked on, in one message, for templates that
        alternate; then everything after `upto` as it was, or shorter."""
        pairs = [(m, s) for m, s in zip(self.messages, self._seqs, strict=True) if s > event.upto]
        gone = (m for m, s in zip(self.messages, self._seqs, strict=True) if s <= event.upto)
        strange = any(
            message.origin == "untrusted" for message in gone
        )  # a summary keeps the origin of what it sums up
        summary = fenced(event.text, "summary", self._marker) if strange else event.text
        head, first = list(self._head), [event.upto] * len(self._head)
        if event.upto:
            now = self._goal if self._goal[1] <= event.upto and self._goal[0] != head[-1].text else ("", 0)
            text = "\n\n".join(part for part in (head[-1].text, summary, now[0]) if part)
            head[-1] = replace(head[-1], text=text)
        else:
            head, first = [], []
        rest = [(_shortened(m, event.shorten), s) for m, s in pairs]
        self.messages, self._seqs = head + [m for m, _ in rest], first + [s for _, s in rest]
        self.size = sum(map(message_bytes, self.messages))
        self.seen = None  # what the provider counted is not what it will be sent
        for part in ("compacted", event.text, str(event.shorten) if event.shorten else ""):
            self._hash.update(part.encode("utf-8", "replace") + b"\xff")

    def _begin_again(self) -> None:
        """Forget everything but the system text."""
        head = int(bool(self.messages) and self.messages[0].role == "system")
        self.messages, self._seqs = self.messages[:head], self._seqs[:head]
        self._waiting, self._held, self.seen, self._asked = {}, [], None, None
        self._head, self.size = [], sum(map(message_bytes, self.messages))
        self._hash.update(b"clean\xff")

    def _pictures(self, attachments: Sequence[Attachment]) -> tuple[Picture, ...]:
        named = [(one, self._picture(one.picture)) for one in attachments if one.picture]
        return tuple(Picture(one.name, one.media_type, data) for one, data in named if data)

    def _say_goal(self, text: str, note: str = "", pictures: tuple[Picture, ...] = ()) -> None:
        self._say(Message("user", text, label=GOAL, note=note, pictures=pictures))
        self._goal = (text, self._seq)
        self._head = self._head or list(self.messages)

    def _say(self, message: Message) -> None:
        if self._waiting:  # a note may come while calls are open; servers want results right after their calls
            self._held.append(message)
            return
        self._put(message)
        for part in (message.role, message.text, message.note, *(c.name + c.arguments for c in message.calls)):
            self._hash.update(part.encode("utf-8", "replace") + b"\xff")

    def _put(self, message: Message) -> None:
        """Append; a note after a tool result or after another user message joins it, for templates that alternate."""
        last = self.messages[-1] if self.messages else None
        if (
            message.role == "user"
            and last is not None
            and last.role in ("tool", "user")
            and (message.label, last.role) != (GOAL, "tool")
        ):
            added = "\n".join(part for part in (message.text, message.note) if part)
            joined = (
                replace(last, note="\n".join(part for part in (last.note, added) if part))
                if last.role == "tool"
                else replace(
                    last,
                    text=f"{last.text}\n\n{message.text}",
                    note=message.note or last.note,
                    label=message.label or last.label,
                    pictures=(*last.pictures, *message.pictures),
                )
            )
            more = message_bytes(joined) - message_bytes(last)
            self.messages[-1] = joined
            if self.seen and self.seen.messages >= len(self.messages):  # it was counted without these words
                self.seen = Seen(self.seen.messages, self.seen.tokens + max(0, more) + 16)
        else:
            more = message_bytes(message)
            self.messages.append(message)
            self._seqs.append(self._seq)
        self._seqs[-1] = self._seq
        self.size += more


def _shortened(message: Message, characters: int) -> Message:
    """A tool's result in at most so many characters, with the handle to the rest; any other message as it is."""
    if message.role != "tool" or not characters or len(message.text) <= characters + 200:
        return message
    return replace(message, text=trim(message.text, characters, message.call_id))


def _strange_instructions(held: Any, marker: str) -> str:
    """AGENTS.md of the workspace where strangers may have written it, "" if not: information in a fence, beside the goal and
    never in the system's words."""
    if not isinstance(held, dict) or not held.get("text"):
        return ""
    return f"{STRANGE}\n{fenced(for_model(str(held['text'])), str(held.get('file')), marker)}"
