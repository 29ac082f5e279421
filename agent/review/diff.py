"""Two runs side by side: their moves aligned (same call first, then similar), and what differs in each pair.
Touches the journals it is given, to read. Does not promise: the smallest difference; long runs of equal moves come first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from outrider.agent.review.story import Call, Step
from outrider.memory.events import Answered

Kind = Literal["same", "changed", "left", "right"]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing a run did: a call, or an answer. `seq`: the event of its result."""

    seq: int
    step: str
    what: str  # the tool's name, or "answer"
    arguments: str  # JSON with sorted keys, or ""
    result: str
    ok: bool
    wall_s: float

    @property
    def key(self) -> tuple[str, str]:
        """What makes two moves the same move."""
        return self.what, self.arguments


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of moves, or a move that only one run made. `changes`: what differs of arguments, result, outcome."""

    kind: Kind
    left: Move | None
    right: Move | None
    changes: tuple[str, ...] = ()


def moves(told: Iterable[Step]) -> list[Move]:
    """What a run did, in order."""
    found: list[Move] = []
    for step in told:
        found += [_of_call(step, call) for call in step.calls]
        for stored in step.others:
            if isinstance(stored.event, Answered):
                found.append(Move(stored.seq, step.title, "answer", "", stored.event.text, True, 0.0))
    return found


def compare(left: list[Move], right: list[Move]) -> list[Row]:
    """The rows of both, aligned."""
    matcher = SequenceMatcher(None, [m.key for m in left], [m.key for m in right], autojunk=False)
    rows: list[Row] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            rows += [_pair(one, other) for one, other in zip(left[a:b], right[c:d], strict=True)]
        else:
            rows += _similar(left[a:b], right[c:d])
    return rows


def first_difference(rows: Iterable[Row]) -> Row | None:
    """The first row that is not the same on both sides."""
    return next((row for row in rows if row.kind != "same"), None)


def _similar(left: list[Move], right: list[Move]) -> Iterator[Row]:
    """Where keys differ: moves of the same tool are pairs, in order; the rest stands alone."""
    matcher = SequenceMatcher(None, [m.what for m in left], [m.what for m in right], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield from (_pair(one, other) for one, other in zip(left[a:b], right[c:d], strict=True))
        else:
            yield from (Row("left", move, None) for move in left[a:b])
            yield from (Row("right", None, move) for move in right[c:d])


def _pair(left: Move, right: Move) -> Row:
    changes = [
        name
        for name, one, other in (
            ("arguments", left.arguments, right.arguments),
            ("outcome", left.ok, right.ok),
            ("result", left.result, right.result),
        )
        if one != other
    ]
    return Row("changed" if changes else "same", left, right, tuple(changes))


def _of_call(step: Step, call: Call) -> Move:
    arguments = json.dumps(call.called.arguments, sort_keys=True, ensure_ascii=False) if call.called else ""
    returned = call.returned
    text = returned.blob or returned.text if returned else ""
    return Move(
        seq=call.returned_seq or call.called_seq,
        step=step.title,
        what=call.tool,
        arguments=arguments,
        result=text if not returned or not returned.blob else f"{returned.text}\n[{returned.blob}]",
        ok=returned.ok if returned else False,
        wall_s=returned.wall_s if returned else 0.0,
    )
