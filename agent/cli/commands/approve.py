"""`outrider approve`: which calls of running runs wait for a yes, and the yes or no, given from another terminal."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json, out_lines, say, say_lines
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.inbox import Answer, Question, Scope
    from outrider.memory.store import Store


def command(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help='A run: its id, a part of it, or "last". Without one: list.', show_default=False
        ),
    ] = None,
    call: Annotated[
        str | None,
        typer.Argument(metavar="[CALL]", help="Which call, as the list names it (4.0-9f31c2ab).", show_default=False),
    ] = None,
    deny: Annotated[bool, typer.Option("--deny", help="Say no.", show_default=False)] = False,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="With --deny: why, for the model to read.", show_default=False),
    ] = "",
    args: Annotated[
        str, typer.Option("--args", metavar="JSON", help="Let it run with these arguments instead.", show_default=False)
    ] = "",
    scope: Annotated[
        str, typer.Option("--for", metavar="WORD", help="once, run (like calls of this run too) or always.")
    ] = "once",
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Allow a call that waits for a person, or with --deny refuse it. Without RUN: list what waits, with the exact arguments.

    At a terminal it shows the call and asks; elsewhere it allows the one call there is. What was not shown is not allowed: where
    the call has changed, or was answered already, it says so and leaves with code 2.
    """
    from outrider.memory.inbox import open_questions, waiting

    if run is None:
        _list(waiting(open_store(memory)), as_json=json)
        return
    store = open_store(memory, writing=True)
    question = _one(open_questions(store, run), run, call)
    say_lines(_shown(question))
    given = _decide(store, question, deny=deny, reason=reason, args=args, scope=scope)
    _tell(given, question, as_json=json)


def _list(questions: list[Question], *, as_json: bool) -> None:
    for question in questions:
        if as_json:
            asked = question.asked
            out_json({
                "run": question.run_id, "call": question.code, "seq": question.seq, "at": question.at, "tool": asked.tool,
                "arguments": asked.arguments, "effect": asked.effect, "why": asked.why, "driven": question.driven,
            })  # fmt: skip
        else:
            out_lines(_shown(question))
    if not questions and not as_json:
        say("no call waits for a person")


def _shown(question: Question) -> list[Any]:
    from outrider.agent.cli.prompts import question as lines_of
    from outrider.agent.review.lines import Line

    state = "" if question.driven else "  (nobody drives the run now: it finds the answer when it is resumed)"
    head = Line(((f"run {question.run_id}  ", "strong"), (question.code, "tool"), (state, "dim")))
    lines, _ = lines_of(question.asked, whole=True)
    return [head, *lines]


def _one(questions: list[Question], run: str, call: str | None) -> Question:
    found = [one for one in questions if call in (None, one.code, one.asked.call_id)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"run {run[:60]} has no call{f' {call[:60]}' if call else ''} that waits for a person",
            "it was decided already, has changed, or never asked",
            "see `outrider approve`, or what became of it with `outrider show`",
        )
    names = ", ".join(one.code for one in found)
    raise UsageError(f"{len(found)} calls wait", f"they are {names}", "say which: outrider approve RUN CALL")


def _decide(store: Store, question: Question, *, deny: bool, reason: str, args: str, scope: str) -> Answer:
    from outrider.agent.settings.who import user
    from outrider.memory.inbox import answer

    if scope not in ("once", "run", "always"):
        raise UsageError(f"{scope[:40]!r} is not how long a yes holds", "it is once, run or always", "say one of them")
    edited = _arguments(args)
    if not deny and not args and (said := _asked_at_the_terminal(question)) is not None:
        deny, reason, scope = said
    given = answer(
        store,
        question,
        approve=not deny,
        via="cli",
        who=user(),
        scope=cast("Scope", scope),
        arguments=edited,
        reason=reason,
    )
    if given.scope == "always" and given.action == "approve" and not given.again:
        _for_always(question)
    return given


def _arguments(written: str) -> dict[str, Any] | None:
    if not written:
        return None
    try:
        made = json_text.loads(written)
    except ValueError as error:
        raise UsageError("--args is not JSON", str(error), 'write for example \'{"text": "hello"}\'') from None
    if not isinstance(made, dict):
        raise UsageError("--args is no JSON object", f"it is {type(made).__name__}", "name each argument")
    return made


def _asked_at_the_terminal(question: Question) -> tuple[bool, str, str] | None:
    """(whether it is a no, the reason, how long a yes holds) as a person types it; None where nobody is there."""
    from outrider.agent.cli.prompts import is_there

    if not is_there():
        return None
    always = ", w: always" if question.asked.holds else ""
    said = typer.prompt(
        f"  allow? [y: once, a: in this run{always}, n REASON]", default="n", show_default=False, err=True
    )
    word, _, reason = said.strip().partition(" ")
    scopes = {"y": "once", "yes": "once", "a": "run", "w": "always"}
    if word.lower() in scopes and not reason and (word.lower() != "w" or always):
        return False, "", scopes[word.lower()]
    return True, reason if word.lower() in ("n", "no") else "", "once"


def _for_always(question: Question) -> None:
    from outrider.agent.settings.policy_file import add_rule
    from outrider.tools.policy import Rule

    if question.asked.holds:
        add_rule(Rule.of(question.asked.holds))


def _tell(given: Answer, question: Question, *, as_json: bool) -> None:
    if as_json:
        out_json({
            "run": given.run_id, "call": question.code, "action": given.action, "scope": given.scope,
            "arguments": given.arguments, "reason": given.reason, "via": given.via, "who": given.who, "again": given.again,
        })  # fmt: skip
        return
    out(f"run {given.run_id}, call {given.call_id}: {given}{' (it was so already)' if given.again else ''}")
    if not question.driven:
        say(f"nobody drives the run now; to go on: outrider resume {given.run_id}")
