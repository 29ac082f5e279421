"""What decided whether each call of a run ran: the rule, the flags of the rule of two then, who was asked and what they said.
Touches the events it is given. Does not promise: more than was recorded; runs of early versions say less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from outrider.agent.state import DENIED
from outrider.memory.events import (
    ApprovalAsked,
    ApprovalGiven,
    FlagRaised,
    Resumed,
    RunStarted,
    ToolCalled,
    ToolReturned,
)
from outrider.memory.journal import Stored


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision about one call. word: "allowed", "asked", "refused", "waiting". why: the rule or the reason in words.

    flags: those of the rule of two that were up. who: the person who was asked, and where.
    """

    seq: int
    call_id: str
    tool: str
    arguments: dict[str, Any]
    effect: str
    word: str
    why: str
    flags: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    who: str = ""
    waited_s: float = 0.0
    edited: bool = False
    scope: str = "once"


@dataclass(slots=True)
class Decisions:
    """The policies a run had (event, policy), what raised its flags (event, flag, why), and each decision in order."""

    policies: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    flags: list[tuple[int, str, str]] = field(default_factory=list)
    made: list[Decided] = field(default_factory=list)


def decisions(events: Iterable[Stored]) -> Decisions:
    """Those of a run, from its events in order."""
    found, asked, given = Decisions(), dict[str, tuple[int, ApprovalAsked]](), dict[str, ApprovalGiven]()
    for stored in events:
        event = stored.event
        if isinstance(event, RunStarted):
            found.policies.append((stored.seq, dict(event.policy)))
        elif isinstance(event, Resumed) and isinstance(event.changes.get("policy"), dict):
            found.policies.append((stored.seq, dict(event.changes["policy"])))  # type: ignore[arg-type]
        elif isinstance(event, FlagRaised):
            found.flags.append((stored.seq, event.flag, event.why))
        elif isinstance(event, ApprovalAsked):
            asked[event.call_id] = (stored.seq, event)
        elif isinstance(event, ApprovalGiven):
            given[event.call_id] = event
        elif isinstance(event, ToolCalled):
            found.made.append(_ran(stored.seq, event, found, asked.pop(event.call_id, None), given.get(event.call_id)))
        elif isinstance(event, ToolReturned) and not event.ran and event.text.startswith(DENIED):
            question = asked.pop(event.call_id, None)
            found.made.append(_refused(stored.seq, event, found, question, given.get(event.call_id)))
    found.made += _open(asked, found)
    return found


def _up(found: Decisions) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for _, flag, _ in found.flags))


def _ran(
    seq: int, event: ToolCalled, found: Decisions, asked: tuple[int, ApprovalAsked] | None, given: ApprovalGiven | None
) -> Decided:
    plain = Decided(
        seq, event.call_id, event.tool, event.arguments, event.effect, "allowed", event.reason, _up(found),
        event.sends, event.repeats,
    )  # fmt: skip
    return _with_person(plain, asked, given) if event.decision == "ask" or asked else plain


def _refused(
    seq: int,
    event: ToolReturned,
    found: Decisions,
    asked: tuple[int, ApprovalAsked] | None,
    given: ApprovalGiven | None,
) -> Decided:
    arguments = asked[1].arguments if asked else {}
    effect = asked[1].effect if asked else ""
    plain = Decided(seq, event.call_id, event.tool, arguments, effect, "refused", event.text[:300], _up(found))
    return _with_person(plain, asked, given)


def _with_person(plain: Decided, asked: tuple[int, ApprovalAsked] | None, given: ApprovalGiven | None) -> Decided:
    if asked:
        question = asked[1]
        plain = replace(plain, why=question.why or plain.why, sends=question.sends, repeats=question.repeats)
    if given is None:
        return plain
    place = f" ({given.via})" if given.via not in ("", "nobody", given.by) else ""
    word = "asked: allowed" if given.approved else "asked: refused"
    return replace(
        plain, word=word, who=f"{given.by or 'a person'}{place}", waited_s=given.waited_s,
        edited=given.arguments is not None, scope=given.scope,
    )  # fmt: skip


def _open(asked: dict[str, tuple[int, ApprovalAsked]], found: Decisions) -> Iterator[Decided]:
    for seq, event in asked.values():
        yield Decided(
            seq, event.call_id, event.tool, event.arguments, event.effect, "waiting", event.why, _up(found), event.sends,
            event.repeats,
        )  # fmt: skip
