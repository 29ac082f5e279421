"""Whether a call may run: the policy, the rule of two, the person. And what a call's result means for what may be sent later.
Touches the journal and the inbox through `LiveRun`; asks the person at the terminal, and takes the word of one elsewhere.
Does not promise: that what a person allows is wise.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from outrider.agent.live_run import LiveRun, nobody
from outrider.agent.state import DENIED
from outrider.memory.appending.group import until_free
from outrider.memory.events import ApprovalAsked, ApprovalGiven, Event, FlagRaised, Noted, Origin, ToolReturned
from outrider.memory.inbox import Answer, Inbox, Via
from outrider.memory.inbox.questions import shown_digest
from outrider.memory.recall import was_written
from outrider.memory.store import digest_of
from outrider.tools.files.guarded import NEVER
from outrider.tools.files.kept import WHOLE
from outrider.tools.files.writing import take_file
from outrider.tools.policy.reach import Reach, reach_of
from outrider.tools.policy.rules import Rule, holding
from outrider.tools.policy.two import Flags
from outrider.tools.skills.narrowing import why_outside
from outrider.tools.skills.skill import Skill
from outrider.tools.tool import Observation, Tool, ToolError
from outrider.tools.toolbox import Prepared

LOOK_S = 0.25  # between two looks into the inbox while a call waits
MOST_LOOKED_AT = 500  # entries of the workspace, to know whether a file in it is the person's


class Left(Exception):
    """The run was told to stop while a call waited for a person; nothing was decided, and `resume` asks again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may run: its id, what it is, and why it may."""

    call_id: str
    call: Prepared
    decision: str
    reason: str
    sends: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()


async def decide(live: LiveRun, call_id: str, call: Prepared, *, from_code: bool = False) -> Ready | ToolReturned:
    """What the policy says of a call, and the person if it asks. from_code: code in the sandbox makes it."""
    reach = reach_of(call.tool, call.effect, call.arguments)
    decision, why, given = live.policy.decide(reach, float(live.ledger.spent.usd))
    if decision == "allow" and not given and (risk := _flags(live, from_code).why_ask(reach, call.plain)):
        decision, why = "ask", risk
    if decision == "allow" and not given and (outside := why_outside(_in_use(live), call.tool.name, call.plain)):
        decision, why = "ask", outside
    if decision == "ask" and any(Rule.of(rule).fits(reach) for rule in live.state.allowed):
        decision, why = "allow", "a person allowed it for this run"
    if decision == "deny":
        name = call.tool.name
        return refused(live, call_id, name, f"{DENIED} {why} says deny. Go on without it, or say that it is needed.")
    told = live.tracks and (reach.sends or call.effect == "execute")
    repeats = live.state.strangers.repeats(live.masker.value(call.plain)) if told else ()
    if decision == "allow":
        return Ready(call_id, call, "allow", why, reach.hosts if live.tracks else (), repeats)
    return await _ask(live, call_id, call, reach, why, repeats)


async def _ask(
    live: LiveRun, call_id: str, call: Prepared, reach: Reach, why: str, repeats: tuple[str, ...]
) -> Ready | ToolReturned:
    asked = ApprovalAsked(call_id=call_id, tool=call.tool.name, arguments=call.plain, effect=call.effect)
    if live.tracks:
        more = {"why": why, "holds": holding(reach).as_json(), "sends": reach.hosts, "repeats": repeats}
        asked = asked.model_copy(update=more)
    asked = live.masker.model(asked)
    await live.commit(asked)
    waiting_s = live.ledger.waiting_s
    with ExitStack() as clocks:
        for one in live.lineage():  # the clock of whoever delegated it waits too
            clocks.enter_context(one.ledger.waiting_for_a_person())
        given = await _word_on(live, asked) if live.inbox else await live.approve(asked)
    given = given.model_copy(update={"waited_s": round(live.ledger.waiting_s - waiting_s, 3)})
    live.stage(given)
    if not given.approved:
        return refused(live, call_id, call.tool.name, _no(call, given, why))
    if given.arguments is not None and given.arguments != call.plain:
        return _edited(live, call_id, call, given)
    return Ready(call_id, call, "ask", given.by or "approved", reach.hosts if live.tracks else (), repeats)


async def _word_on(live: LiveRun, asked: ApprovalAsked) -> ApprovalGiven:
    """The first answer there is: the person's at the terminal, or one from another process. Raises Left when told to stop.

    Whatever comes of it is entered in the inbox before it counts, so there is one answer and everybody is told the same.
    """
    inbox, digest = cast(Inbox, live.inbox), shown_digest(asked)
    within_s = min(live.approve_within_s, *(one.ledger.wall_left() for one in live.lineage()))
    if live.approve is not nobody or live.approve_within_s:
        await until_free(live.journal.store)
        inbox.ask_again(asked.call_id, digest)
    if live.approve is nobody and live.approve_within_s:
        live.tool_context.progress(f"{asked.tool} waits for a yes: outrider approve {live.journal.run_id}")
    tasks = [asyncio.ensure_future(_look(live, inbox, asked, digest, within_s))]
    if live.approve is not nobody:
        tasks.insert(0, asyncio.ensure_future(live.approve(asked)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        given = next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await until_free(live.journal.store)
    return _as_given(asked, inbox.settle(_as_answer(live, given, digest)), given)


async def _look(live: LiveRun, inbox: Inbox, asked: ApprovalAsked, digest: str, within_s: float) -> ApprovalGiven:
    """The answer somebody gives in another process; without a person at the terminal, a no when the time is up."""
    until = time.monotonic() + within_s if live.approve is nobody else math.inf
    while not (found := inbox.found(asked.call_id, digest)):
        if live.stopping:
            raise Left("the run was told to stop while this call waited for a person; it did not run")
        if time.monotonic() >= until:
            return await nobody(asked) if not live.approve_within_s else _nobody_came(asked, within_s)
        await asyncio.sleep(LOOK_S)
    return _as_given(asked, found)


def _nobody_came(asked: ApprovalAsked, within_s: float) -> ApprovalGiven:
    by = f"nobody answered within {within_s:.0f} s"
    return ApprovalGiven(call_id=asked.call_id, approved=False, by=by, via="nobody")


def _as_answer(live: LiveRun, given: ApprovalGiven, digest: str) -> Answer:
    action = "approve" if given.approved else "expire" if given.via == "nobody" else "deny"
    return Answer(
        live.journal.run_id, given.call_id, digest, cast(Any, action), cast(Via, given.via or "program"), given.by,
        given.scope, given.arguments, given.reason,
    )  # fmt: skip


def _as_given(asked: ApprovalAsked, answer: Answer, own: ApprovalGiven | None = None) -> ApprovalGiven:
    """The event of an answer: `own` where it is the run's own side that stands."""
    if own is not None and (own.via or "program") == answer.via and own.by == answer.who:
        return own.model_copy(update={"via": answer.via})
    approved = answer.action == "approve"
    return ApprovalGiven(
        call_id=asked.call_id, approved=approved, scope=answer.scope, by=answer.who or answer.via, via=answer.via,
        reason=answer.reason, arguments=answer.arguments if approved else None,
    )  # fmt: skip


def _no(call: Prepared, given: ApprovalGiven, why: str) -> str:
    said = (
        f"{DENIED} {call.effect} calls need a person's yes"
        if "sends words" not in why and not why.startswith("the skill")
        else f"{DENIED} {why}; that needs a person's yes"
    )
    said += f" ({given.by if given.by and given.via in ('', 'program', 'nobody') else 'the answer was no'})."
    said += f" They said: {given.reason}" if given.reason else ""
    return f"{said} Go on without {call.tool.name}, or say in the answer that it is needed."


def _edited(live: LiveRun, call_id: str, call: Prepared, given: ApprovalGiven) -> Ready | ToolReturned:
    """The call as the person changed it; they have seen and allowed every word of it."""
    name = call.tool.name
    try:
        changed = live.toolbox.prepare(name, given.arguments or {})
    except ToolError as error:
        return refused(live, call_id, name, f"A person changed the call, and it does not fit: {error}")
    live.stage(Noted(by="outrider", text=f"A person changed the arguments of {name} before it ran."))
    reach = reach_of(changed.tool, changed.effect, changed.arguments)
    return Ready(call_id, changed, "ask", f"{given.by or 'approved'}, with other arguments", reach.hosts)


def refused(live: LiveRun, call_id: str, tool: str, said: str) -> ToolReturned:
    """The observation of a call that did not run."""
    return ToolReturned(
        call_id=call_id, tool=tool[:80], text=said[:4000], ok=False, ran=False, elapsed_s=live.ledger.elapsed_s
    )


def _in_use(live: LiveRun) -> list[Skill]:
    return [live.skills[name] for name in live.state.skills if name in live.skills]


def _flags(live: LiveRun, from_code: bool) -> Flags:
    """What the run holds; a call that code makes may carry whatever that code can read, before anybody has seen it."""
    flags = live.state.flags
    if from_code and not flags.private and holds_files(live.tool_context.workspace, live.state.made):
        return replace(flags, private=["files of the workspace, which this code can read"], unnamed=True)
    return flags


def private_in(live: LiveRun, call: Prepared, seen: Observation) -> tuple[str, ...]:
    """Sources of private data in a result: "file:notes.txt", "files", "tool:customers"; "changed:notes.txt" for a file in
    which a run had a hand, so that an address in it may be a model's."""
    tool = call.tool
    if seen.private is not None:
        return seen.private
    if tool.private or (tool.private is None and tool.origin == "trusted" and not _is_ours(tool)):
        return (f"tool:{tool.name}",) if call.effect in ("read", "execute") or tool.private else ()
    reads = call.effect in ("read", "execute") or tool.name == "edit_file"  # whose errors quote the lines that are near
    if tool.private is False or tool.origin == "untrusted" or not reads:
        return ()
    if call.effect == "execute":
        return ("files",) if holds_files(live.tool_context.workspace, live.state.made) else ()
    reach = reach_of(tool, call.effect, call.arguments)
    database = "://" in str(call.arguments.get("database", ""))
    paths = [path for path in (_real(live, one) for one in reach.paths) if path not in live.state.made]
    kept = [
        f"{'changed' if tool.name == 'read_file' and live.state.flags.names_file(path) and _had_a_hand_in(live, path) else 'file'}:{path}"
        for path in paths
    ]
    return (*kept, *(("database",) if database else ()))


def _real(live: LiveRun, path: str) -> str:
    """A path as results name files: relative to the workspace, through no link. One that leads outside stays as it is."""
    root = os.path.realpath(live.tool_context.workspace)
    inside = path.removeprefix("/workspace/") if path.startswith("/workspace/") and root != "/workspace" else path
    try:
        real = os.path.relpath(os.path.realpath(os.path.join(root, inside)), root)  # noqa: PTH118
    except ValueError:  # a NUL character
        return path
    return path if real == ".." or real.startswith("../") else real


def _had_a_hand_in(live: LiveRun, path: str) -> bool:
    """Whether this run, one it started or an earlier one of this database may have written what stands in a file.

    What is too large to be looked up counts as written: nobody keeps the addresses to read in so long a file.
    """
    writing = any(called.effect != "read" for called in live.state.open.values())
    if live.state.helped or writing or path in live.state.changed:
        return True
    try:
        data = take_file(live.tool_context.workspace, path)
    except ToolError:
        return True
    if data is None or len(data) > WHOLE:
        return True
    kept = data if live.masker.data(data) is data else live.sealer.seal(data)
    return was_written(live.journal.store, digest_of(kept))


def origin_of(live: LiveRun, call: Prepared, seen: Observation) -> Origin:
    """Who wrote a result. Strangers' words keep their origin when a file or a program of this run gives them back."""
    origin = seen.origin or call.tool.origin
    if origin == "untrusted" or not live.state.flags.untrusted or not live.tracks:
        return origin
    paths = reach_of(call.tool, call.effect, call.arguments).paths
    carried = call.effect == "execute" or any(
        tainted == path or path in (".", "") or tainted.startswith(f"{path}/")
        for path in (_real(live, path) for path in paths)
        for tainted in live.state.tainted
    )
    return "untrusted" if carried else origin


def note_flags(live: LiveRun, event: Event) -> None:
    """Record that a flag went up with this event, if one did; called right after it was staged."""
    raised = list(live.state.raised) if live.tracks else []
    live.state.raised.clear()
    for flag, why in raised:
        live.stage(FlagRaised(call_id=getattr(event, "call_id", ""), flag=flag, why=why))


def _is_ours(tool: Tool) -> bool:
    return getattr(inspect.unwrap(tool.run), "__module__", "").startswith("outrider.tools.")


def holds_files(workspace: Path, made: set[str]) -> bool:
    """Whether a file in the workspace is not one the run made from what it knew: the person's, so private."""
    looked = 0
    for folder, folders, names in os.walk(workspace):
        folders[:] = [name for name in folders if name not in NEVER]
        for name in names:
            looked += 1
            path = os.path.relpath(os.path.join(folder, name), workspace)  # noqa: PTH118
            if looked > MOST_LOOKED_AT or (
                path not in made and name not in NEVER and not name.startswith(".outrider-")
            ):
                return True
    return False
