"""What a person may do from the page: answer a call that waits, stop a run, go on with more budget, fork it with another goal.
Touches: enters answers and stops in the run's inbox (memory/inbox/); starts `outrider resume` and `outrider fork`, which hold
the run's lease and wait for the page where a call needs a yes. Does not promise: that a run which nobody drives acts on an
answer before it is resumed.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outrider.agent.settings.policy_file import add_rule
from outrider.agent.settings.who import user
from outrider.memory.errors import UsageError
from outrider.memory.inbox import Question, Scope, answer, open_questions, stop
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools.policy import Rule

AMOUNT = re.compile(r"\+?\d{1,9}(\.\d{1,6})?")
UNITS = ("usd", "tokens", "steps", "seconds", "calls")
MOST_GOAL = 20_000
MOST_BODY = 4_000_000
Form = dict[str, str]


def endpoint(store: Store, go: Callable[[list[str]], None]) -> Callable[[Request], Awaitable[Response]]:
    """The handler for a store."""
    actions = _Actions(store, go)

    async def act(request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST_BODY:
            raise UsageError("the form is too large", f"{MOST_BODY:,} bytes are read", "write less")
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        run, action = str(request.path_params["run"]), str(request.path_params["action"])
        back = await asyncio.to_thread(actions.act, run, action, form)
        here = urlsplit(request.headers.get("referer", "")).path  # answered on the page of a parent: back to it
        return RedirectResponse(here if action == "answer" and here.startswith("/runs/") else back, 303)

    return act


@dataclass(slots=True)
class _Actions:
    store: Store
    go: Callable[[list[str]], None]

    def act(self, run: str, action: str, form: Form) -> str:
        """Do it; the address to go to then. Raises UsageError."""
        run_id = Journal.open_for_reading(self.store, run).run_id
        if action == "answer":
            self._answer(run_id, form)
        elif action == "stop":
            with _writing(self.store) as store:
                stop(store, run_id, via="page", who=user())
        elif action == "resume":
            self.go(["resume", run_id, *_limits(form)])
        elif action == "fork":
            self.go(["fork", run_id, *_fork(form)])
        else:
            raise UsageError(f"there is no action {action!r}", "the page knows answer, stop, resume, fork", "go back")
        return "/" if action == "fork" else f"/runs/{run_id}{'' if action == 'answer' else f'?told={action}'}"

    def _answer(self, run_id: str, form: Form) -> None:
        """Exactly what the form showed is what is answered: its digest says which call that was."""
        found = [one for one in open_questions(self.store, run_id) if one.digest == form.get("digest")]
        if not found:
            raise UsageError(
                "this call does not wait for an answer any more",
                "it was decided already, or has changed since it was shown",
                "look at the run to see what became of it",
            )
        question, approve = found[0], form.get("word") == "approve"
        scope = form.get("scope", "once")
        edited = _edited(form.get("arguments", ""), question) if approve else None
        with _writing(self.store) as store:
            given = answer(
                store, question, approve=approve, via="page", who=user(),
                scope=cast(Scope, scope if scope in ("once", "run", "always") else "once"),
                arguments=edited, reason=form.get("reason", ""),
            )  # fmt: skip
        if given.scope == "always" and approve and not given.again and question.asked.holds:
            add_rule(Rule.of(question.asked.holds))


@contextmanager
def _writing(store: Store) -> Iterator[Store]:
    """The same database, to write to."""
    if store.mode != "read":
        yield store
        return
    with closing(Store(store.url.render_as_string(hide_password=False), mode="use")) as own:
        yield own


def _edited(written: str, question: Question) -> dict[str, Any] | None:
    if not written.strip():
        return None
    try:
        made = json.loads(written)
    except ValueError as error:
        raise UsageError("the arguments are not JSON", str(error), "go back and put them right") from None
    if not isinstance(made, dict):
        raise UsageError("the arguments are no JSON object", "each needs a name", "go back and put them right")
    return None if made == question.asked.arguments else made


def _limits(form: Form) -> list[str]:
    given = {unit: form.get(unit, "").strip() for unit in UNITS}
    for unit, amount in given.items():
        if amount and not AMOUNT.fullmatch(amount):
            raise UsageError(f"{amount[:40]!r} is no amount of {unit}", "a number was expected", "write 10 or +10")
    return [word for unit, amount in given.items() if amount for word in (f"--{unit}", amount)]


def _fork(form: Form) -> list[str]:
    goal, at = form.get("goal", "").strip()[:MOST_GOAL], form.get("at", "").strip()
    if at and not at.isdigit():
        raise UsageError(f"{at[:40]!r} is no event", "a number was expected", "take one from the page")
    return [f"--goal={goal}"] * bool(goal) + ["--at", at] * bool(at)
