"""What a person may do from the page: stop a run after its step, go on with more budget, fork it with another goal.
Touches: sends SIGINT to the process that drives a run on this machine; starts `outrider resume` and `outrider fork`, which
hold the run's lease and ask nobody (what needs a yes is refused there). Does not promise: to reach a run on another machine.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outrider.memory.errors import UsageError
from outrider.memory.journal import Journal
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store

AMOUNT = re.compile(r"\+?\d{1,9}(\.\d{1,6})?")
UNITS = ("usd", "tokens", "steps", "seconds", "calls")
MOST_GOAL = 20_000
MOST_BODY = 100_000


def endpoint(store: Store, go: Callable[[list[str]], None]) -> Callable[[Request], Awaitable[Response]]:
    """The handler for a store."""

    async def act(request: Request) -> Response:
        journal = Journal.open_for_reading(store, str(request.path_params["run"]))
        form = dict(parse_qsl((await request.body())[:MOST_BODY].decode("utf-8", "replace")))
        action = str(request.path_params["action"])
        if action == "stop":
            _stop(journal)
        elif action == "resume":
            go(["resume", journal.run_id, *_limits(form)])
        elif action == "fork":
            go(["fork", journal.run_id, *_fork(form)])
        else:
            raise UsageError(f"there is no action {action!r}", "the page knows stop, resume and fork", "go back")
        return RedirectResponse("/" if action == "fork" else f"/runs/{journal.run_id}", 303)

    return act


def _stop(journal: Journal) -> None:
    row = journal.current()
    host, _, rest = str(row["holder"]).partition(":")
    pid = rest.partition(":")[0]
    if not holder_lives(row["holder"], row["beat"]):
        raise UsageError(f"run {journal.run_id} is not running", "no process drives it", "look at how it ended")
    if host != socket.gethostname() or not pid.isdigit():
        raise UsageError(f"run {journal.run_id} runs elsewhere", f"{host} drives it", f"stop it on {host}")
    os.kill(int(pid), signal.SIGINT)  # as Ctrl-C: it leaves after the step, and can be resumed


def _limits(form: dict[str, str]) -> list[str]:
    given = {unit: form.get(unit, "").strip() for unit in UNITS}
    for unit, amount in given.items():
        if amount and not AMOUNT.fullmatch(amount):
            raise UsageError(f"{amount[:40]!r} is no amount of {unit}", "a number was expected", "write 10 or +10")
    return [word for unit, amount in given.items() if amount for word in (f"--{unit}", amount)]


def _fork(form: dict[str, str]) -> list[str]:
    goal, at = form.get("goal", "").strip()[:MOST_GOAL], form.get("at", "").strip()
    if at and not at.isdigit():
        raise UsageError(f"{at[:40]!r} is no event", "a number was expected", "take one from the page")
    return [f"--goal={goal}"] * bool(goal) + ["--at", at] * bool(at)
