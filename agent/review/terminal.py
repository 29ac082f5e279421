"""Events → lines for people: one `TranscriptWriter` a transcript, used while a run goes on and by `show`.
Touches nothing. Every text from a model, a tool or a person is cleaned here and stays text: no markup.
Does not promise: to say everything; `show --json` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from outrider.agent.budget import UNITS, Budget, Ledger
from outrider.agent.history.ends import NO_ANSWER
from outrider.agent.review.lines import (
    FULL,
    LIVE,
    SHOW,
    Detail,
    Line,
    Part,
    Style,
    arguments_in_short,
    count,
    dollars,
    duration,
    first_lines,
    one_line,
    opening,
    row,
)
from outrider.memory.events import (
    Answered,
    ApprovalAsked,
    ApprovalGiven,
    Attachment,
    ChildEnded,
    ChildStarted,
    Compacted,
    Event,
    FlagRaised,
    GoalGiven,
    Interrupted,
    ModelAsked,
    ModelReplied,
    Noted,
    PlanChanged,
    Resumed,
    RunStarted,
    Share,
    Stopped,
    ToolCalled,
    ToolReturned,
    Unknown,
)
from outrider.memory.journal import Stored
from outrider.memory.text import for_terminal

SANDBOX_OFF = "THE SANDBOX IS OFF: code the model writes runs on this machine as you, with your files and your network"
ELSEWHERE = ("page", "cli", "api")  # where a person may answer who is not at the run's own terminal
_HEAD: tuple[Part, ...] = (("    ", "plain"),)


class TranscriptWriter:
    """Tells the events of one run in order. `whole_text` gives a long result by its digest, for FULL.

    known: False when the first events were skipped, so what is left of the budget is not known.
    """

    def __init__(
        self,
        detail: Detail = SHOW,
        *,
        known: bool = True,
        whole_text: Callable[[str], str | None] = lambda digest: None,
    ) -> None:
        self._detail, self._known, self._whole = detail, known, whole_text
        self._ledger = Ledger(Budget(), None, clock=lambda: 0.0)  # what was, not what the clock says now
        self._last_call = ""
        self._purpose = "step"
        self._calls: dict[str, str] = {}

    def tell(self, stored: Stored) -> list[Line]:
        """The lines of one event; none for those that say nothing to a person."""
        event = stored.event
        if isinstance(event, RunStarted):
            self._set_budget(Budget.of(event.budget))
        elif isinstance(event, Resumed) and isinstance(changed := event.changes.get("budget"), dict):
            self._set_budget(Budget.of(changed))
        self._ledger.add(event)
        lines = list(self._TOLD.get(event.kind, TranscriptWriter._unknown)(self, stored, event))
        if not isinstance(event, ToolCalled | ModelAsked):
            self._last_call = ""
        elif isinstance(event, ToolCalled):
            self._last_call = event.call_id
        return lines

    def spent(self) -> str:
        """What the run used so far, in words."""
        spent = self._ledger.spent
        worked = duration(spent.seconds)
        return (
            f"{count(spent.steps, 'step')}, {count(spent.calls, 'call')}, {count(spent.tokens, 'token')}, "
            f"{dollars(float(spent.usd))}, {worked}"
        )

    def left(self) -> str:
        """What is left of the budget, in words; "" without limits."""
        return self._ledger.line().removeprefix("left: ") if self._known else ""

    def _set_budget(self, budget: Budget) -> None:
        self._ledger.budget = budget  # no price is needed: dollars are in the events

    # -- one method for each kind ---------------------------------------------------------------------------------

    def _run_started(self, stored: Stored, event: RunStarted) -> Iterator[Line]:
        yield from opening(stored.run, stored.at, event.goal, self._detail)
        yield from _attached(event.attachments)
        price = event.price or {}
        free = not any(float(str(price.get(side) or 0)) for side in ("input", "output"))
        cost = "" if free else f"  (${price['input']} in, ${price['output']} out per million tokens: {price['source']})"
        yield from row("model", f"{event.model}{cost}", "plain", self._detail)
        yield from row("budget", _budget(Budget.of(event.budget)), "plain", self._detail)
        effects = [f"{key} {value}" for key, value in event.policy.items() if key != "tools"]
        effects += [f"{key} {value}" for key, value in _dict(event.policy.get("tools")).items()]
        policy = f"  ({', '.join(effects)})" if effects else ""
        names = ", ".join(str(t.get("name")) for t in event.tools)
        shown = names if self._detail is FULL else one_line(names, 72)
        yield from row("tools", f"{len(event.tools)}: {shown}{policy}", "dim", self._detail)
        yield from row("folder", _at_home(event.workspace), "dim", self._detail)
        yield from _instructions(_dict(event.settings.get("instructions")))
        if event.settings.get("unsafe") or event.settings.get("isolation") == "none":
            yield warning(SANDBOX_OFF)
        yield Line()

    def _goal_given(self, stored: Stored, event: GoalGiven) -> Iterator[Line]:
        yield Line()
        yield from row("goal", event.goal, "strong", self._detail)
        yield from _attached(event.attachments)

    def _model_asked(self, stored: Stored, event: ModelAsked) -> Iterator[Line]:
        self._purpose = event.purpose
        yield from ()

    def _model_replied(self, stored: Stored, event: ModelReplied) -> Iterator[Line]:
        title = {"step": f"step {event.step}", "ending": "ending"}.get(self._purpose, self._purpose)
        if event.error:
            why = one_line(event.error, 400)
            yield Line(((f"{title}  ", "strong"), (why, "bad")), right=duration(event.latency_s))
            return
        used = count(event.cost.tokens, "token")
        left = self.left()
        yield Line(
            ((title, "strong"), (f"  {duration(event.latency_s)}, {used}", "dim")),
            right=f"left: {left}" if left else "",
        )
        if event.reasoning.strip():
            yield from self._block(
                event.reasoning, "dim", replace(self._detail, result_lines=self._detail.call_lines * 2)
            )
        if event.calls and event.text.strip():
            yield from self._block(event.text, "quote", replace(self._detail, result_lines=self._detail.call_lines * 2))
        if event.finish_reason in ("", "length"):
            yield Line(((_CUT[event.finish_reason], "warn"),), _HEAD)

    def _tool_called(self, stored: Stored, event: ToolCalled) -> Iterator[Line]:
        asked = f"  {event.effect}, allowed by you" if event.decision == "ask" else ""
        nested = "  " if "/" in event.call_id else ""
        apart = self._apart(event.arguments)
        inline = {name: value for name, value in event.arguments.items() if name not in apart}
        short = arguments_in_short(inline, 92 if self._detail is LIVE else 160)
        self._calls[event.call_id] = arguments_in_short(event.arguments, 72)
        yield Line(
            ((f"{one_line(event.tool, 64)}  ", "tool"), (short, "plain"), (asked, "warn")), ((f"  {nested}▸ ", "tool"),)
        )
        if event.repaired:
            yield Line(((f"read as: {one_line(event.repaired, 200)}", "dim"),), _HEAD)
        yield from _whose(event.repeats)
        for name, text in apart.items():
            if len(event.arguments) > 1:
                yield Line(((f"{one_line(name, 40)}:", "dim"),), _HEAD)
            lines, lost = first_lines(text, self._detail.call_lines, self._detail.chars)
            for line in lines:
                yield Line(((line, "plain"),), (("    │ ", "dim"),))
            if lost:
                yield Line(((lost, "dim"),), (("    │ ", "dim"),))

    def _apart(self, arguments: dict[str, Any]) -> dict[str, str]:
        """Arguments that one line cannot hold, to be shown as blocks."""
        if self._detail.call_lines == 1:
            return {}
        long = {name: value for name, value in arguments.items() if isinstance(value, str)}
        return {name: value for name, value in long.items() if "\n" in value.strip() or len(value) > 120}

    def _tool_returned(self, stored: Stored, event: ToolReturned) -> Iterator[Line]:
        called = self._calls.pop(event.call_id, None)
        if (called is None and not event.ran) or self._last_call not in ("", event.call_id) or not self._last_call:
            yield Line(
                ((f"{one_line(event.tool, 64)}  ", "tool"), (one_line(called or "", 72), "dim")), (("  ◂ ", "tool"),)
            )
        text = (self._whole(event.blob) if event.blob and self._detail is FULL else None) or event.text
        right = f"event {stored.seq}" + (f", {duration(event.wall_s)}" if event.ran else "")
        style: Style = "plain" if event.ok else "bad"
        yield from self._block(text or "(no output)", style, self._detail, right=right)
        if event.size > len(text):
            yield Line(((f"… the whole, {event.size:,} characters, is kept: --full shows it", "dim"),), _HEAD)
        if event.origin == "untrusted" and event.ran:
            yield Line((("written by strangers", "warn"),), _HEAD)
        for made in event.artifacts:
            picture = made.digest if made.media_type == "image/png" else ""
            word = "picture" if picture else "file"
            yield Line(((f"{word} {one_line(made.name, 80)}, {made.size:,} bytes", "dim"),), _HEAD, picture=picture)
        if event.detail and self._detail is FULL:
            yield from self._block(event.detail, "dim", self._detail)

    def _child_started(self, stored: Stored, event: ChildStarted) -> Iterator[Line]:
        yield Line(((f"run {event.child} works on it", "dim"), (_share(event.share), "dim")), (("    ↳ ", "dim"),))

    def _child_ended(self, stored: Stored, event: ChildEnded) -> Iterator[Line]:
        yield Line(((f"run {event.child} ended", "dim"), (_share(event.cost), "dim")), (("    ↳ ", "dim"),))

    def _plan_changed(self, stored: Stored, event: PlanChanged) -> Iterator[Line]:
        for number, item in enumerate(event.items, 1):
            yield Line(((one_line(item, 300), "plain"),), ((f"    {number}. " if number < 10 else "    ", "dim"),))

    def _approval_asked(self, stored: Stored, event: ApprovalAsked) -> Iterator[Line]:
        short = arguments_in_short(event.arguments, 160)
        body: tuple[Part, ...] = (
            (f"{one_line(event.tool, 64)}  ", "tool"),
            (short, "plain"),
            (f"  needs a yes ({event.effect})", "warn"),
        )
        yield Line(body, (("  ? ", "warn"),))
        yield from _whose(event.repeats)

    def _approval_given(self, stored: Stored, event: ApprovalGiven) -> Iterator[Line]:
        if not event.approved and self._detail is FULL:  # else the observation that follows says it
            yield Line(((f"not allowed: {one_line(event.by or 'the answer was no', 100)}", "bad"),), _HEAD)
        elif event.approved and (event.scope != "once" or event.via in ELSEWHERE):
            scope = {"run": " for this run", "always": " for always"}.get(event.scope, "")
            where = f" by {one_line(event.by, 60)} ({event.via})" if event.via in ELSEWHERE else ""
            yield Line(((f"allowed{scope}{where}", "good"),), _HEAD)
        elif event.via in ELSEWHERE:
            yield Line(((f"refused by {one_line(event.by, 60)} ({event.via})", "bad"),), _HEAD)

    def _flag_raised(self, stored: Stored, event: FlagRaised) -> Iterator[Line]:
        said = {
            "untrusted": "has read strangers' words",
            "private": "holds private data",
            "sends": "sends something out",
        }
        if self._detail is FULL:
            body: tuple[Part, ...] = (
                (f"from here on the run {said[event.flag]}: ", "dim"),
                (one_line(event.why, 200), "dim"),
            )
            yield Line(body, (("  ⚑ ", "dim"),))

    def _noted(self, stored: Stored, event: Noted) -> Iterator[Line]:
        if event.by in ("outrider", "warning"):
            yield Line(((one_line(event.text, 400), "warn"),), (("  ! ", "warn"),))
        else:
            who = "note" if event.by == "agent" else "you"
            yield from self._block(f"{who}: {event.text}", "quote", self._detail)

    def _compacted(self, stored: Stored, event: Compacted) -> Iterator[Line]:
        said = f"up to event {event.upto} the model now sees a summary (everything is still kept)"
        yield Line(((said, "dim"),), (("  ~ ", "dim"),))

    def _interrupted(self, stored: Stored, event: Interrupted) -> Iterator[Line]:
        yield Line(((f"interrupted: {one_line(event.reason, 200)}", "warn"),))

    def _resumed(self, stored: Stored, event: Resumed) -> Iterator[Line]:
        forked = bool(event.changes.get("fork"))
        unsaid = {"fork", "clean", "goal", "budget"} if forked else set[str]()
        unsaid |= {"limits", "price"} if "model" in event.changes else set()  # they are that model's
        changes = ", ".join(f"{key} {_changed(value)}" for key, value in event.changes.items() if key not in unsaid)
        word = "a fork, from clean" if event.changes.get("clean") else "a fork" if forked else "resumed"
        yield Line(((word, "strong"), (f"  {one_line(changes, 300)}" if changes else "", "plain")))
        if forked and event.changes.get("goal"):
            yield from row("goal", str(event.changes["goal"]), "strong", self._detail)
        if event.unknown:
            said = f"{count(len(event.unknown), 'call')} had begun and did not return: the outcome is unknown"
            yield Line(((said, "warn"),), _HEAD)

    def _answered(self, stored: Stored, event: Answered) -> Iterator[Line]:
        if self._detail.answer:
            yield Line()
            style: Style = "strong" if not event.partial else "plain"
            for line in for_terminal(event.text).split("\n"):
                yield Line(((line, style),))
            yield from citations(event)

    def _stopped(self, stored: Stored, event: Stopped) -> Iterator[Line]:
        if event.reason == "answered":
            return
        said = for_terminal(event.detail).replace("\n", " ") or event.reason
        style: Style = "bad" if event.reason in ("model", "error") else "warn"
        yield Line(((f"{_REASONS.get(event.reason, event.reason)}: ", style), (said, "plain")))

    def _unknown(self, stored: Stored, event: Event) -> Iterator[Line]:
        why = "cannot be read" if isinstance(event, Unknown) and "body" in event.raw else "is of a later version"
        yield Line(((f"event {stored.seq} ({one_line(stored.kind, 40)}) {why}", "warn"),))

    def _block(self, text: str, style: Style, detail: Detail, right: str = "") -> Iterator[Line]:
        lines, lost = first_lines(text, detail.result_lines, detail.chars)
        for number, line in enumerate(lines):
            yield Line(((line, style),), _HEAD, right if number == 0 else "")
        if lost:
            yield Line(((lost, "dim"),), _HEAD)

    _TOLD: dict[str, Callable[..., Iterator[Line]]] = {  # noqa: RUF012  (never changed)
        "run_started": _run_started,
        "goal_given": _goal_given,
        "model_asked": _model_asked,
        "model_replied": _model_replied,
        "tool_called": _tool_called,
        "tool_returned": _tool_returned,
        "child_started": _child_started,
        "child_ended": _child_ended,
        "plan_changed": _plan_changed,
        "approval_asked": _approval_asked,
        "approval_given": _approval_given,
        "flag_raised": _flag_raised,
        "noted": _noted,
        "compacted": _compacted,
        "interrupted": _interrupted,
        "resumed": _resumed,
        "answered": _answered,
        "stopped": _stopped,
    }


_CUT = {"": "the reply was cut on its way", "length": "the reply was cut at its limit"}
_REASONS = {
    "budget": "out of budget",
    "stuck": "stuck",
    "denied": "not allowed",
    "partial": "only a part",
    "not_found": "not found",
    "refused": "refused",
    "unable": "not done",
    "interrupted": "interrupted",
    "model": "the model failed",
    "error": "failed",
}


def citations(answered: Answered) -> Iterator[Line]:
    """Each claim of an answer with the observation it came from, or the mark that nothing bears it out."""
    if answered.text.startswith(NO_ANSWER):
        return  # a list of what was found, in our own words: it names the steps itself
    several = len(answered.citations) > 1
    for citation in answered.citations:
        claim = f"  {one_line(citation.claim, 70)}" if several or citation.seq is None else ""
        if citation.seq is None:
            head: Part = ("  [no support] ", "warn")
            yield Line(((claim.strip(), "plain"),), (head,))
        else:
            quote = one_line(citation.quote, 60 if several else 120)
            yield Line(((f'"{quote}"', "quote"), (claim, "dim")), ((f"  [event {citation.seq}] ", "good"),))


def _whose(repeats: Sequence[str]) -> Iterator[Line]:
    """Whose words the arguments of a call repeat (taint by value, tools/policy/taint.py)."""
    for one in repeats:
        yield Line(((f"careful: {one_line(one, 200)}", "warn"),), _HEAD)


def warning(text: str) -> Line:
    """A line that must not be overlooked."""
    return Line(((text, "bad"),), (("  ⚠ ", "bad"),))


def _attached(attachments: Sequence[Attachment]) -> Iterator[Line]:
    """What came with a goal: its name, and whether the model is shown it or only where it is."""
    for one in attachments:
        how = (
            f"{one.note or 'a path'}"
            if one.path or one.picture
            else f"{len(one.text):,} characters, shown to the model"
        )
        yield Line(((one_line(one.name, 100), "plain"), (f"  {one_line(how, 120)}", "dim")), (("  with    ", "dim"),))


def _instructions(held: dict[str, Any]) -> Iterator[Line]:
    """Which instructions of the workspace the model was given, and whether as the person's own."""
    if held:
        why = f"; {one_line(str(held.get('why')), 100)}: shown as information only" if held.get("why") else ""
        said = f"{one_line(str(held.get('file')), 60)} of this folder, {held.get('chars', 0):,} characters"
        yield Line(((said, "dim"), (why, "warn")), (("  told    ", "dim"),))


def _budget(budget: Budget) -> str:
    limits = []
    for unit in UNITS:
        if (limit := getattr(budget, unit)) is not None:
            limits.append(
                dollars(float(limit))
                if unit == "usd"
                else duration(limit)
                if unit.endswith("seconds")
                else count(limit, unit.removesuffix("s"))
            )
    limits += [f"{count(most, 'call')} of {name}" for name, most in budget.per_tool.items()]
    limits += [f"wrap up at {budget.soft:.0%}".replace("%", " %")] if budget.soft is not None else []
    return ", ".join(limits) or "no limits"


def _share(share: Share) -> str:
    """What a child may use, or used."""
    used = [count(share.steps, "step")] if share.steps else []
    used += [count(share.tokens, "token")] if share.tokens else []
    used += [dollars(float(share.usd))] if share.usd else []
    return f": {', '.join(used)}" if used else ""


def _at_home(path: str) -> str:
    """A path as a person writes it: ~/sales."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path == home or path.startswith(f"{home}/") else path


def _changed(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {inner}" for key, inner in value.items())
    return str(value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
