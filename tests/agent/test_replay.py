"""Replay, fork, undo, children, window: what a stored run can be used for again."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.agent import Agent, Budget
from outrider.agent.assemble import Listeners
from outrider.agent.history.file_changes import undo
from outrider.agent.history.replay import replay
from outrider.agent.history.run_view import read_run
from outrider.agent.models.model import (
    CallDraft,
    ContextOverflow,
    Limits,
    Price,
    Reply,
    Request,
    Seen,
    Usage,
    byte_bound,
)
from outrider.agent.models.scripted import ScriptedModel
from outrider.memory.errors import LeaseLost, UsageError
from outrider.memory.events import ApprovalAsked, ApprovalGiven
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from outrider.tools import Tool, ToolContext, tool
from outrider.tools.control.delegate import delegate


def echo_tool(last: str = "") -> Tool:
    """`echo`, whose result for "2" can be made different."""

    @tool
    def echo(text: str) -> str:
        """Say it back."""
        return last if last and text == "2" else f"echo {text}"

    return echo


def say(*texts: str) -> dict[str, Any]:
    return {"calls": [{"tool": "echo", "arguments": {"text": text}} for text in texts]}


SCRIPT = [
    say("1"),
    say("2", "2b", "2c"),
    {"tool": "nothing"},
    {"tool": "echo", "arguments": "{"},
    {},
    say("5"),
    {"text": "echo 5"},
]


def agent(store: Store, replies: list[dict[str, Any]], *tools: Any, **more: Any) -> Agent:
    return Agent(model=ScriptedModel(replies=replies), tools=tools or [echo_tool()], memory=store, **more)


async def test_replay_is_identical_when_nothing_changed(store: Store) -> None:
    """A run with parallel calls, a bad call, bad JSON and an empty reply replays without a difference."""
    run = await agent(store, SCRIPT).arun("say five")
    assert run.state == "answered"
    replayed = await replay(store, run.id, extra=[echo_tool()])
    assert replayed.divergence is None
    assert replayed.events == Journal.open_for_reading(store, run.id).head_seq - 1


async def test_replay_names_the_step_at_which_a_changed_tool_differs(store: Store) -> None:
    """With the tool changed and run live, the first difference is at the second step and in its text."""
    run = await agent(store, SCRIPT).arun("say five")
    found = (await replay(store, run.id, tools="live", extra=[echo_tool("something else")])).divergence
    assert found is not None
    assert (found.step, found.stored) == (2, "tool_returned")
    assert found.fields["text"] == ("echo 2", "something else")


async def test_replay_names_the_event_when_a_check_became_stricter(store: Store) -> None:
    """A tool that now refuses its arguments differs where it was called, also with stored results."""

    @tool
    def echo(text: int) -> str:
        """Say it back."""
        return str(text)

    run = await agent(store, [say("one"), {"text": "done"}]).arun("say one")
    found = (await replay(store, run.id, extra=[echo])).divergence
    assert found is not None
    assert (found.step, found.stored, found.now) == (1, "tool_called", "tool_returned")


@pytest.mark.parametrize("budget", [Budget(steps=3), Budget(calls=2), Budget(tokens=1500), Budget(usd=1, steps=4)])
async def test_replay_follows_a_run_that_ran_out_and_was_resumed(store: Store, budget: Budget) -> None:
    """Every stretch of the run is driven again, the ending included."""
    one = agent(store, [say(str(n)) for n in range(8)] + [{"text": "done"}], budget=budget)
    run = await one.arun("count")
    assert run.state == "partial"
    run = await one.aresume(run.id, budget={"steps": 40, "calls": 40, "tokens": 900_000})
    assert run.state in ("answered", "partial")
    assert (await replay(store, run.id, extra=[echo_tool()])).divergence is None


async def test_replay_names_an_edited_reply(store: Store) -> None:
    """A journal whose reply was edited does not replay."""
    run = await agent(store, [say("1"), {"text": "done"}]).arun("count")
    with store.write() as db:
        db.exec_driver_sql("UPDATE events SET body = replace(body, 'echo 1', 'echo 7') WHERE kind = 'tool_returned'")
        db.exec_driver_sql('UPDATE events SET body = replace(body, \'{\\"text\\":\\"1\', \'{\\"text\\":\\"9\')')
    assert (await replay(store, run.id, tools="live", extra=[echo_tool()])).divergence is not None


async def test_fork_shares_history_and_pays_only_for_what_is_new(store: Store) -> None:
    """The shared events are not copied, the chain verifies, the ledger starts at zero."""
    one = agent(store, [say("1"), say("2"), say("3"), {"text": "echo 3"}])
    run = await one.arun("count")
    before = run.spent
    with store.read() as db:
        rows = db.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
    fork = await one.afork(run.id, at=9, goal="count further")
    with store.read() as db:
        new = db.exec_driver_sql("SELECT count(*) FROM events").scalar_one() - rows
    journal = Journal.open_for_reading(store, fork.id)
    assert fork.state == "answered"
    assert fork.goal == "count further"
    assert new == journal.head_seq - 9
    assert 0 < fork.spent.steps < before.steps
    assert verify(journal).ok
    assert read_run(store, run.id).spent == before


async def test_fork_refuses_an_event_that_is_not_there(store: Store) -> None:
    """The message says how many events the run has."""
    one = agent(store, [{"text": "done"}])
    run = await one.arun("say")
    with pytest.raises(UsageError, match="has no event 99"):
        await one.afork(run.id, at=99)


async def test_fork_in_the_middle_of_a_call_does_not_repeat_a_write(store: Store, tmp_path: Path) -> None:
    """Forked between the intent and the result of a write, the fork is told that its outcome is unknown."""
    one = agent(
        store,
        [{"tool": "write_file", "arguments": {"path": "a", "content": "x"}}, {"text": "done"}],
        "write_file",
        workspace=str(tmp_path),
    )
    run = await one.arun("write")
    called = next(s.seq for s in run.events() if s.kind == "tool_called")
    (tmp_path / "a").unlink()
    fork = await one.afork(run.id, at=called)
    told = [s.body for s in fork.events() if s.kind == "tool_returned"]
    assert "outcome is unknown" in told[0]
    assert not (tmp_path / "a").exists()


async def test_undo_puts_files_back_and_leaves_alone_what_others_changed(store: Store, tmp_path: Path) -> None:
    """A replaced file has its old text, a new one is gone, one that was edited since stays."""
    (tmp_path / "old.txt").write_text("before")
    writes = [("old.txt", "after"), ("new.txt", "new"), ("mine.txt", "draft"), ("old.txt", "later")]
    replies = [{"tool": "write_file", "arguments": {"path": p, "content": c}} for p, c in writes]
    one = agent(store, [*replies, {"text": "done"}], "write_file", workspace=str(tmp_path))
    run = await one.arun("write")
    (tmp_path / "mine.txt").write_text("mine now")
    undone = undo(store, run.id)
    assert (tmp_path / "old.txt").read_text() == "before"
    assert not (tmp_path / "new.txt").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine now"
    assert (undone.restored, undone.removed, undone.left) == (("old.txt",), ("new.txt",), ("mine.txt",))


async def test_resume_tells_the_model_of_files_that_changed_underneath(store: Store, tmp_path: Path) -> None:
    """The note names the file."""
    replies = [{"tool": "write_file", "arguments": {"path": "a.txt", "content": "1"}}, say("1"), {"text": "done"}]
    one = agent(store, replies, "write_file", echo_tool(), workspace=str(tmp_path), budget=Budget(steps=2))
    run = await one.arun("write")
    assert run.state == "partial"
    (tmp_path / "a.txt").write_text("other")
    run = await one.aresume(run.id, budget={"steps": 9})
    notes = [s.body for s in run.events() if s.kind == "noted"]
    assert any("a.txt" in note for note in notes)


class Tree:
    """A model for trees of runs: a goal "d:w:n" makes w children of depth d - 1 in each of n steps."""

    name, limits, price = "tree:x", Limits(), Price(Decimal(1), Decimal(2))

    async def reply(self, request: Request) -> Reply:
        usage = Usage(input_tokens=50, output_tokens=10)
        goal = request.messages[1].text if len(request.messages) > 1 else ""
        turn = sum(m.role == "assistant" for m in request.messages)
        if not request.tools or goal.count(":") != 2:
            return Reply(text="done", usage=usage)
        depth, width, steps = map(int, goal.split(":"))
        if turn >= steps:
            return Reply(text="done", usage=usage)
        below = json.dumps({"goal": f"{depth - 1}:{width}:{steps}", "share": 0.4})
        calls = [CallDraft(name="delegate", arguments=below)] * width if depth else []
        calls = [c.model_copy(update={"arguments": below.replace("0.4", f"0.{4 - i}")}) for i, c in enumerate(calls)]
        return Reply(calls=(*calls, CallDraft(name="echo", arguments=json.dumps({"text": str(turn)}))), usage=usage)

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        return byte_bound(request, seen)

    async def aclose(self) -> None:
        return None


async def test_a_tree_of_runs_stays_inside_the_budget_of_its_root(store: Store) -> None:
    """Depth three, parallel children: the root's spend holds every unit and is the sum of what the runs spent."""
    limits = Budget(usd=0.05, tokens=60_000, steps=60, calls=50)
    one = Agent(model=Tree(), tools=[echo_tool(), delegate], memory=store, budget=limits)
    run = await one.arun("2:2:2")
    with store.read() as db:
        ids = db.exec_driver_sql("SELECT run_id FROM runs").scalars().all()
    runs = {run_id: read_run(store, run_id) for run_id in ids}
    own = dict.fromkeys(("tokens", "steps", "calls"), 0)
    for run_id in ids:
        events = list(runs[run_id].events())
        own["tokens"] += sum(s.event.cost.tokens for s in events if s.kind == "model_replied")
        own["steps"] += sum(s.kind == "model_asked" for s in events)
        own["calls"] += sum(s.kind == "tool_called" for s in events)
    assert len(ids) > 4
    assert own == {unit: getattr(run.spent, unit) for unit in own}
    assert run.spent.steps <= 60
    assert run.spent.tokens <= 60_000
    assert run.spent.calls <= 50
    assert run.spent.usd <= limits.usd  # type: ignore[operator]


async def test_a_long_run_fits_a_small_window(store: Store) -> None:
    """400 steps of long observations on a window of 8,192 tokens, counted by the server: never above it."""
    most = 0

    class Small(Tree):
        limits = Limits(context=8192, max_output=1024)

        async def reply(self, request: Request) -> Reply:
            nonlocal most
            counted = byte_bound(request, None) * 9 // 10
            most = max(most, counted + request.max_tokens)
            turn = getattr(self, "turn", 0)
            self.turn = turn + 1
            usage = Usage(input_tokens=counted, output_tokens=20)
            if turn == 400:
                return Reply(text="done", usage=usage)
            arguments = json.dumps({"text": f"{turn} {'x' * 400}"})
            return Reply(calls=(CallDraft(name="echo", arguments=arguments),), usage=usage)

    run = await Agent(model=Small(), tools=[echo_tool()], memory=store, budget=Budget(steps=1000)).arun("long")
    assert run.state == "answered"
    assert most <= 8192
    assert (await replay(store, run.id, extra=[echo_tool()])).divergence is None


async def test_a_second_driver_is_refused_and_told_who_holds_the_run(store: Store) -> None:
    """While a run is driven, resuming it elsewhere names the holder."""
    one = agent(store, [{"text": "late", "delay_s": 0.5}])
    driving = asyncio.create_task(one.arun("wait"))
    await asyncio.sleep(0.2)
    with pytest.raises(LeaseLost, match="holds it"):
        await agent(store, [{"text": "late"}]).aresume("last")
    assert (await driving).state == "answered"


async def test_a_window_the_server_tells_of_is_kept_from_then_on(store: Store) -> None:
    """Refused as too long, the run shortens its history, goes on and is answered; and it replays."""

    class Refusing(Tree):
        async def reply(self, request: Request) -> Reply:
            if byte_bound(request, None) > 6200:
                raise ContextOverflow("the request is too long", "the context length is 2048", "shorten it")
            turn = self.turn = getattr(self, "turn", -1) + 1
            arguments = json.dumps({"text": f"{turn} {'x' * 400}"})
            usage = Usage(input_tokens=100, output_tokens=5)
            return (
                Reply(text="done", usage=usage)
                if turn == 40
                else Reply(calls=(CallDraft(name="echo", arguments=arguments),), usage=usage)
            )

    run = await Agent(model=Refusing(), tools=[echo_tool()], memory=store, budget=Budget(steps=100)).arun("long")
    assert run.state == "answered"
    assert any(s.kind == "compacted" for s in run.events())
    assert (await replay(store, run.id, extra=[echo_tool()])).divergence is None


PIECES = st.one_of(
    st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=4).map(lambda texts: say(*texts)),
    st.sampled_from(
        [
            {},
            {"tool": "nothing"},
            {"tool": "echo", "arguments": "{"},
            {"tool": "echo", "arguments": {"wrong": 1}},
            {"tool": "send", "arguments": {"text": "out"}},
            {"tool": "slow", "arguments": {}},
            {"tool": "long", "arguments": {}},
            {"tool": "keep", "arguments": {}},
            {"error": {"what": "busy", "billed": True, "retry_after_s": 0}},
            {"error": {"what": "refused", "retryable": False}},
            {"text": "half an answer", "finish_reason": "length"},
            {"text": "echo 1 it is"},
        ]
    ),
)
BUDGETS = st.one_of(
    st.builds(Budget, steps=st.integers(1, 8)),
    st.builds(Budget, calls=st.integers(1, 5), steps=st.just(30)),
    st.builds(Budget, tokens=st.integers(300, 9000), steps=st.just(30)),
    st.builds(Budget, usd=st.sampled_from([0.001, 0.004, 0.02]), steps=st.just(30)),
)


def odd_tools() -> list[Tool]:
    @tool(effect="network")
    def send(text: str) -> str:
        """Send it."""
        return f"sent {text}"

    @tool(timeout_s=0.02, fresh_s=0)
    async def slow() -> str:
        """Take too long."""
        await asyncio.sleep(1)
        return "never"

    @tool
    def long() -> str:
        """Say a lot."""
        return "words " * 5000

    @tool
    def keep(context: ToolContext) -> str:
        """Keep a note."""
        assert context.memory is not None
        context.memory.note("kept")
        return "kept"

    return [echo_tool(), send, slow, long, keep]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=st.lists(PIECES, min_size=1, max_size=9), budget=BUDGETS, more=st.booleans())
def test_replay_of_any_run_is_identical(script: list[dict[str, Any]], budget: Budget, more: bool) -> None:
    """Whatever a model says, fails at or runs out of, and whether it was resumed: the journal drives the same run again."""

    async def run() -> None:
        store = Store("sqlite://")
        model = ScriptedModel(replies=script, loop=True)
        model.price = Price(Decimal(1), Decimal(2))
        one = Agent(model=model, tools=odd_tools(), memory=store, budget=budget)
        done = await one.arun("odd")
        if more and done.state != "answered":
            done = await one.aresume(done.id, budget={"steps": "+3", "calls": "+2", "tokens": "+3000", "usd": "+0.01"})
        assert done.state != "running"
        found = (await replay(store, done.id, extra=odd_tools())).divergence
        assert found is None, f"{found}\n{[s.kind for s in done.events()]}"
        store.close()

    asyncio.run(run())


async def test_what_a_person_allowed_for_a_run_is_remembered_when_it_is_resumed(store: Store) -> None:
    """Asked once, allowed for the run: neither later calls nor the resumed run ask again."""
    asked: list[str] = []

    async def approve(question: ApprovalAsked) -> ApprovalGiven:
        asked.append(question.tool)
        return ApprovalGiven(call_id=question.call_id, approved=True, scope="run")

    send = next(one for one in odd_tools() if one.name == "send")
    script = [{"tool": "send", "arguments": {"text": str(n)}} for n in range(6)] + [{"text": "done"}]
    one = agent(store, script, send, budget=Budget(steps=3), listeners=Listeners(approve=approve))
    run = await one.arun("send")
    assert run.state == "partial"
    run = await one.aresume(run.id, budget={"steps": 20})
    assert run.state == "answered"
    assert asked == ["send"]
    assert (await replay(store, run.id, extra=[send])).divergence is None


async def test_a_resumed_run_has_its_python_variables_again_and_replays(store: Store, tmp_path: Path) -> None:
    """What was computed is there after a resume, the model is told, and the journal still replays."""
    script = [
        {"tool": "python", "arguments": {"code": "x = 41"}},
        {"tool": "python", "arguments": {"code": "print(x + 1)"}},
        {"text": "it is 42"},
    ]
    one = agent(store, script, "python", budget=Budget(steps=2), workspace=str(tmp_path))
    run = await one.arun("remember x")
    assert run.state == "partial"
    run = await one.aresume(run.id, budget={"steps": 20})
    seen = [s.event for s in run.events()]
    assert any("variables are there" in getattr(event, "text", "") for event in seen if event.kind == "noted")
    assert [event.text.strip() for event in seen if event.kind == "tool_returned"][-1] == "42"
    assert (await replay(store, run.id)).divergence is None


async def test_the_memory_database_is_not_carried_into_the_sandbox(tmp_path: Path) -> None:
    """Kept in the workspace, it is still out of reach of code."""
    code = "import os; print(sorted(os.listdir('.')))"
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    (tmp_path / "data.csv").write_text("a\n1\n")
    script = [{"tool": "python", "arguments": {"code": code}}, {"text": "done"}]
    one = Agent(model=ScriptedModel(replies=script), tools=["python"], memory=url, workspace=str(tmp_path))
    run = await one.arun("look")
    told = next(s.event.text for s in run.events() if s.kind == "tool_returned")
    assert told.strip() == "['data.csv']"
