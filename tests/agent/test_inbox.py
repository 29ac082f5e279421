"""The word of a person who is not at the run's terminal: bound to what was shown, one answer a call, found after a crash."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.assemble import Listeners
from outrider.agent.history.run_view import read_run
from outrider.agent.plan.steps import LEFT
from outrider.memory.errors import UsageError
from outrider.memory.events import ApprovalAsked, ApprovalGiven
from outrider.memory.inbox import Question, answer, open_questions, stop, waiting
from outrider.memory.journal import Journal, Stored
from outrider.memory.remove import remove
from outrider.memory.store import Store
from outrider.tools import ToolContext, ToolError, tool
from tests.agent.helpers import Actor, call, calls, observations, says

SENT: list[str] = []
SEND = calls(call("send", '{"text": "hello"}'))


@tool(effect="network")
def send(text: str) -> str:
    """Send a text.

    text: what
    """
    SENT.append(text)
    return f"sent {text}"


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    """Each test counts for itself."""
    SENT.clear()


def agent(store: Store | str, model: Any, within_s: float = 30, **listeners: Any) -> Agent:
    return Agent(
        model, tools=[send, "delegate"], memory=store, listeners=Listeners(approve_within_s=within_s, **listeners)
    )


async def asked(store: Store, run: str = "last") -> Question:
    """The first question of a run, once it is there."""
    for _ in range(400):
        await asyncio.sleep(0.02)
        try:
            if found := open_questions(store, run):
                return found[0]
        except UsageError:
            continue
    raise AssertionError("nothing was asked")


def given(store: Store, run: str) -> list[ApprovalGiven]:
    events = (stored.event for stored in Journal.open_for_reading(store, run).read())
    return [event for event in events if isinstance(event, ApprovalGiven)]


async def test_a_yes_from_another_process_lets_the_call_run_and_is_an_event(store: Store) -> None:
    """Who said it, and where, is in the journal."""
    running = asyncio.create_task(agent(store, Actor(SEND, says("done"))).arun("send it"))
    question = await asked(store)
    assert [one.run_id for one in waiting(store)] == [question.run_id]
    said = answer(store, question, approve=True, via="page", who="mira")
    assert (said.again, answer(store, question, approve=True, via="page", who="mira").again) == (False, True)
    run = await running
    assert (run.state, SENT, waiting(store)) == ("answered", ["hello"], [])
    (event,) = given(store, run.id)
    assert (event.approved, event.by, event.via, event.waited_s > 0) == (True, "mira", "page", True)


async def test_a_no_with_a_reason_reaches_the_model(store: Store) -> None:
    """And the call does not run."""
    model = Actor(SEND, says("STATUS: partial\nnot sent"))
    running = asyncio.create_task(agent(store, model).arun("send it"))
    answer(store, await asked(store), approve=False, via="cli", who="mira", reason="ask Ulm first")
    run = await running
    assert (SENT, run.state) == ([], "partial")
    assert "They said: ask Ulm first" in "\n".join(model.told())


async def test_changed_arguments_are_what_runs(store: Store) -> None:
    """The model is told that a person changed them."""
    model = Actor(SEND, says("done"))
    running = asyncio.create_task(agent(store, model).arun("send it"))
    answer(store, await asked(store), approve=True, via="api", who="ci", arguments={"text": "good day"})
    await running
    assert SENT == ["good day"]
    assert any("A person changed the arguments" in text for text in model.told())


async def test_arguments_that_do_not_fit_run_nothing(store: Store) -> None:
    """They are checked like the model's own."""
    model = Actor(SEND, says("done"))
    running = asyncio.create_task(agent(store, model).arun("send it"))
    answer(store, await asked(store), approve=True, via="api", who="ci", arguments={"number": 5})
    await running
    assert SENT == []
    assert "A person changed the call, and it does not fit" in "\n".join(model.told())


async def test_a_yes_for_the_run_is_not_asked_for_again(store: Store) -> None:
    """As at the terminal."""
    again = calls(call("send", '{"text": "again"}'))
    running = asyncio.create_task(agent(store, Actor(SEND, again, says("done"))).arun("send it"))
    answer(store, await asked(store), approve=True, via="page", who="mira", scope="run")
    await running
    assert SENT == ["hello", "again"]


async def test_a_second_answer_is_refused_with_words(store: Store) -> None:
    """Before the run has acted on the first, and after."""
    running = asyncio.create_task(agent(store, Actor(SEND, says("done"))).arun("send it"))
    question = await asked(store)
    answer(store, question, approve=True, via="page", who="mira")
    with pytest.raises(UsageError, match="allowed by mira"):
        answer(store, question, approve=False, via="cli", who="joe")
    await running
    with pytest.raises(UsageError, match="allowed by mira"):
        answer(store, question, approve=False, via="cli", who="joe")
    assert answer(store, question, approve=True, via="cli", who="joe").again
    assert SENT == ["hello"]


async def test_an_answer_to_what_was_not_shown_is_refused(store: Store) -> None:
    """The digest binds every argument."""
    running = asyncio.create_task(agent(store, Actor(SEND, says("done"))).arun("send it"))
    question = await asked(store)
    other = question.asked.model_copy(update={"arguments": {"text": "hello!"}})
    stale = Question(question.run_id, question.seq, question.at, other, True)
    with pytest.raises(UsageError, match="another one now"):
        answer(store, stale, approve=True, via="page", who="mira")
    answer(store, question, approve=False, via="page", who="mira")
    await running
    assert SENT == []


async def test_nobody_in_time_is_a_no_and_a_late_yes_is_told_so(store: Store) -> None:
    """Nobody is told "allowed" by a run that went on without."""
    model = Actor(SEND, says("STATUS: partial\nnot sent"))
    run = await agent(store, model, within_s=0.1).arun("send it")
    assert SENT == []
    assert "nobody answered within 0 s" in "\n".join(model.told())
    event = next(s.event for s in run.events() if s.kind == "approval_asked")
    assert isinstance(event, ApprovalAsked)
    with pytest.raises(UsageError, match="not answered in time"):
        answer(store, Question(run.id, 4, "", event, True), approve=True, via="page", who="mira")


async def test_without_a_limit_ask_means_no_at_once(store: Store) -> None:
    """As it always was."""
    run = await agent(store, Actor(SEND, says("STATUS: partial\nno")), within_s=0).arun("send it")
    assert (SENT, given(store, run.id)[0].by) == ([], "nobody was there to ask")


async def test_the_terminal_and_the_page_are_asked_together_and_the_first_counts(store: Store) -> None:
    """A person elsewhere need not wait for the one who left the terminal."""
    left = asyncio.Event()

    async def at_the_terminal(asked: ApprovalAsked) -> ApprovalGiven:
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        raise AssertionError

    one = agent(store, Actor(SEND, says("done")), approve=at_the_terminal)
    running = asyncio.create_task(one.arun("send it"))
    answer(store, await asked(store), approve=True, via="page", who="mira")
    await running
    assert (SENT, left.is_set()) == (["hello"], True)


async def test_a_child_run_waits_for_the_page_too(store: Store) -> None:
    """Its question is its own, and its parent's clock stands still."""
    handed_on = calls(call("delegate", '{"goal": "send it", "share": 0.5}'))
    running = asyncio.create_task(agent(store, Actor(handed_on, SEND, says("sent"), says("done"))).arun("do it"))
    for _ in range(400):
        await asyncio.sleep(0.02)
        if found := waiting(store):
            break
    await asyncio.sleep(0.5)
    answer(store, found[0], approve=True, via="page", who="mira")
    run = await running
    assert (SENT, found[0].run_id != run.id) == (["hello"], True)
    assert run.spent.seconds < 0.45


async def test_a_run_is_stopped_from_elsewhere_once(store: Store) -> None:
    """It leaves after its step; what was said to that lease does not stop the run when it is resumed."""
    model = Actor(SEND, says("done"))
    running = asyncio.create_task(agent(store, model).arun("send it"))
    question = await asked(store)
    assert not stop(store, question.run_id, via="page", who="mira").again
    assert stop(store, question.run_id, via="page", who="mira").again
    run = await running
    assert (run.state, SENT, "mira" in run.detail) == ("interrupted", [], True)
    with pytest.raises(UsageError, match="not running"):
        stop(store, run.id, via="page", who="mira")
    again = asyncio.create_task(agent(store, model).aresume(run.id))
    answer(store, await asked(store, run.id), approve=True, via="page", who="mira")
    assert ((await again).state, SENT) == ("answered", ["hello"])


async def test_an_answer_given_while_nobody_drives_the_run_is_found_when_it_is_resumed(store: Store) -> None:
    """Crash-safe: what was decided is in the database, and is asked for no second time."""
    model = Actor(SEND, says("done"))
    running = asyncio.create_task(agent(store, model).arun("send it"))
    question = await asked(store)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    question = open_questions(store, question.run_id)[0]
    assert not question.driven
    answer(store, question, approve=True, via="cli", who="mira")
    run = await agent(store, model, within_s=0).aresume(question.run_id)
    assert (run.state, SENT, given(store, run.id)[-1].via) == ("answered", ["hello"], "cli")


async def test_what_is_decided_and_used_leaves_nothing_behind(store: Store) -> None:
    """Nor does a run that is removed."""
    from sqlalchemy import func, select

    from outrider.memory import schema

    running = asyncio.create_task(agent(store, Actor(SEND, says("done"))).arun("send it"))
    answer(store, await asked(store), approve=True, via="page", who="mira")
    run = await running
    with store.read() as db:
        assert db.scalar(select(func.count()).select_from(schema.requests)) == 0
    remove(store, [run.id])
    with pytest.raises(UsageError):
        read_run(store, run.id)


async def test_the_limit_by_the_clock_on_the_wall_ends_the_wait(store: Store, tmp_path: Path) -> None:
    """A run that may take a second in all does not wait a minute."""
    one = agent(store, Actor(SEND, says("STATUS: partial\nno")), within_s=60)
    run = await asyncio.wait_for(one.arun("send it", budget={"wall_seconds": 1}), 20)
    assert (SENT, run.state) == ([], "partial")


async def test_a_plan_that_waits_for_a_yes_leaves_when_it_is_told_to(store: Store) -> None:
    """What runs comes to its end and is kept, the plan says what to do, and the step is asked about when it is given again."""
    began = asyncio.Event()

    @tool
    async def slow() -> str:
        """Slow."""
        began.set()
        await asyncio.sleep(0.6)
        return "came"

    steps = [{"id": "a", "text": "look", "tool": "slow"},
             {"id": "b", "text": "send", "tool": "send", "arguments": {"text": "hello"}}]  # fmt: skip
    plan = calls(call("plan", json.dumps({"items": steps})))
    one = Agent(Actor(plan, plan, says("done")), tools=["plan", slow, send], memory=store,
                listeners=Listeners(approve_within_s=30))  # fmt: skip
    running = asyncio.create_task(one.arun("send it"))
    question = await asked(store)
    await began.wait()
    stop(store, question.run_id, via="page", who="mira")
    run = await running
    assert run.state == "interrupted"
    first, whole = observations(run)
    assert first == "came"
    assert LEFT in whole
    assert "failed" not in whole
    again = asyncio.create_task(one.aresume(run.id))
    answer(store, await asked(store, run.id), approve=True, via="page", who="mira")
    assert ((await again).state, SENT) == ("answered", ["hello"])


async def test_code_whose_call_waits_for_a_yes_is_told_that_the_run_leaves(store: Store) -> None:
    """The call it made says that it did not run, as any that is refused, and the run is left after the step."""

    @tool
    def look() -> str:
        """Look."""
        return "seen"

    @tool
    async def code(context: ToolContext) -> str:
        """Calls another tool."""
        assert context.call_tool
        try:
            return (await context.call_tool("look", {})).text
        except ToolError as error:
            return f"code was told: {error}"

    one = Agent(Actor(calls(call("code")), says("done")), tools=[code, look], memory=store, policy={"tools": {"look": "ask"}},
                listeners=Listeners(approve_within_s=30))  # fmt: skip
    running = asyncio.create_task(one.arun("look"))
    stop(store, (await asked(store)).run_id, via="page", who="mira")
    run = await running
    assert run.state == "interrupted"
    assert "code was told: look was not run" in observations(run)[0]


@pytest.mark.parametrize("at", ["asked again", "answered"])
async def test_a_busy_database_holds_up_nobody_while_a_person_is_asked(store: Store, at: str) -> None:
    """Another process writes while a question is put, and while its answer is entered: the loop goes on meanwhile."""
    turns = [0]

    async def approve(asked: ApprovalAsked) -> ApprovalGiven:
        if at == "answered":
            hold()
        return ApprovalGiven(call_id=asked.call_id, approved=True)

    def heard(stored: Stored) -> None:
        if stored.kind == "approval_asked" and at == "asked again":
            hold()

    def hold() -> None:
        other = sqlite3.connect(str(store.url.database), isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")

        def free() -> None:
            turns.append(0)
            other.execute("COMMIT")
            other.close()

        turns[:] = [0]
        threading.Timer(1.5, free).start()

    async def others() -> None:
        while True:
            await asyncio.sleep(0.01)
            turns[-1] += 1

    beside = asyncio.create_task(others())
    run = await agent(store, Actor(SEND, says("done")), approve=approve, on_event=heard).arun("send it")
    beside.cancel()
    assert (run.state, SENT) == ("answered", ["hello"])
    assert turns[0] > 10, "while the database was held"
