"""The loop, with a model that misbehaves in every way we know: an observation or a sensible end, never a crash."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent, Budget
from outrider.agent.assemble import Listeners
from outrider.agent.driving import drive
from outrider.agent.models.model import ModelFailure, Reply, Usage
from outrider.memory.events import ApprovalAsked, ApprovalGiven, RunStarted, ToolReturned
from outrider.memory.store import Store
from outrider.tools.tool import File, Observation, ToolContext, ToolError, tool
from tests.agent.helpers import Actor, call, calls, observations, run, says


@tool
def look(what: str = "") -> str:
    """Look at something."""
    return f"saw {what}"


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (call("loook"), "no tool 'loook'"),
        (call("loook"), "use one of look"),
        (call(""), "no tool ''"),
        (call("look", '{"what": 3, "more": 1}'), "do not fit"),
        (call("look", '{"what": "x'), "not valid JSON"),
        (call("look", '["x"]'), "not an object"),
        (call("look", "null"), "saw"),
        (call("look", '{"what": NaN}'), "not JSON"),
        (call("look", '{"what": 1e999}'), "too large a number"),
        (call("look", "[" * 100_000), "nested too deep"),
        (call("look", '{"a":' * 500 + "1" + "}" * 500), "nested too deep"),
        (call("look", '{"what": "' + "x" * 1_000_001 + '"}'), "too long"),
        (call("look", '{"what": ' + "9" * 5000 + "}"), "not valid JSON"),
        (call("look", '{"what": "\\ud800"}'), "saw \ufffd"),
        (call("look", '{"what": "\ud800"}'), "saw \ufffd"),
        (call("look\ud800" * 30), "no tool"),
        (call("look", '{"what": "a"} {"what": "b"}'), "not valid JSON"),
        (call("look", ""), "saw"),
        (call("look", "  "), "saw"),
    ],
)
def test_bad_call_becomes_an_observation_that_says_what_is_right(store: Store, draft: Any, said: str) -> None:
    """Whatever a model writes for a call, the run goes on and the model is told."""
    done = run(store, Actor(calls(draft), says("fine")), [look])
    assert done.state == "answered", done.detail
    assert said in observations(done)[0]
    assert all(s.kind != "unknown" for s in done.events())


def test_reused_call_ids_are_paired_by_position(store: Store) -> None:
    """Servers that give every call the same id still get each result beside its call."""
    model = Actor(calls(call("look", '{"what": "a"}', "x"), call("look", '{"what": "b"}', "x")), says("both"))
    assert sorted(observations(run(store, model, [look]))) == ["saw a", "saw b"]
    tool_messages = [m for m in model.asked[1].messages if m.role == "tool"]
    assert [(m.call_id, m.text) for m in tool_messages] == [("1.0", "saw a"), ("1.1", "saw b")]


def test_repeating_reply_is_told_then_given_up_on_and_never_an_answer(store: Store) -> None:
    """What a model said in a loop is no answer: it is told so, and after three in a row the run ends as stuck."""
    loop = Reply(text="I am sorry. ", usage=Usage(input_tokens=10, output_tokens=5), finish_reason="repetition")
    model = Actor(loop, says("now"))
    done = run(store, model, [look])
    assert (done.state, str(done.answer)) == ("answered", "now")
    assert any("over and over" in text for text in model.told())
    model = Actor(loop)
    done = run(store, model, [look])
    assert (done.state, done.stop_reason) == ("stuck", "stuck")
    assert len(model.asked) <= 4


def test_reply_that_ran_out_of_time_is_spent_as_far_as_it_was_written(store: Store) -> None:
    """A local model stopped at its deadline had read and written; the ledger counts that, not zero."""
    usage = Usage(input_tokens=20, output_tokens=7)
    late = ModelFailure("late", "no time", "wait", retryable=True, usage=usage)
    done = run(store, Actor(late, says("now")), [look])
    assert (done.state, done.spent.tokens) == ("answered", 27 + 15)


def test_empty_replies_are_told_then_given_up_on(store: Store) -> None:
    """An empty reply is worth a word; three in a row are not worth more money."""
    done = run(store, Actor(says(""), says("  \n"), says("now")), [look])
    assert (done.state, str(done.answer)) == ("answered", "now")
    model = Actor(says(""))
    done = run(store, model, [look])
    assert (done.state, done.stop_reason) == ("stuck", "stuck")
    assert len(model.asked) <= 4


def test_same_call_again_and_again_makes_it_replan_then_stops(store: Store) -> None:
    """A model in a rut costs a handful of requests, not the whole budget."""
    model = Actor(calls(call("look")))
    done = run(store, model, [look], budget=Budget(steps=200))
    assert done.stop_reason == "stuck"
    assert len(model.asked) <= 8
    assert any("repeating yourself" in text for text in model.told(-2))


@pytest.mark.parametrize("period", [2, 3, 4])
def test_cycle_of_calls_stops_as_stuck(store: Store, period: int) -> None:
    """A, B, A, B … with the same results is a rut too, even where results are not kept."""

    @tool(fresh_s=0)
    def poll(what: str) -> str:
        """Look again."""
        return f"nothing new about {what}"

    turns = [calls(call("poll", json.dumps({"what": str(i % period)}))) for i in range(100)]
    model = Actor(*turns)
    done = run(store, model, [poll], budget=Budget(steps=90))
    assert done.stop_reason == "stuck"
    assert len(model.asked) < 12 * period


def test_polling_is_not_a_cycle_while_something_changes(store: Store) -> None:
    """A call whose results differ is progress."""
    ticks = iter(range(1000))

    @tool(fresh_s=0)
    def poll() -> str:
        """How far it is."""
        return f"{next(ticks)} percent"

    done = run(store, Actor(*[calls(call("poll"))] * 20, says("ready")), [poll])
    assert done.state == "answered"
    assert len(observations(done)) == 20


def test_identical_read_is_answered_from_the_journal(store: Store) -> None:
    """The second identical look costs no call; a write in between makes it worth looking again."""
    looked: list[str] = []

    @tool
    def peek() -> str:
        """Look."""
        looked.append("x")
        return f"version {len(looked)}"

    @tool(effect="write")
    def change() -> str:
        """Change it."""
        return "changed"

    turns = [calls(call(name)) for name in ("peek", "peek", "change", "peek")]
    done = run(store, Actor(*turns, says("ok")), [peek, change])
    assert observations(done) == ["version 1", "You already did this at step 1: version 1", "changed", "version 2"]


def test_parallel_calls_of_one_reply_run_together(store: Store) -> None:
    """Eight calls of 50 ms take little more than one: at least five times faster than one after another."""

    @tool
    async def wait(n: int) -> str:
        """Wait."""
        await asyncio.sleep(0.05)
        return f"waited {n}"

    @tool
    def hold(n: int) -> str:
        """Wait in a thread."""
        time.sleep(0.05)
        return f"held {n}"

    for one in (wait, hold):
        best = 9.0
        for _ in range(4):  # the machine may be busy: the best of four
            model = Actor(calls(*(call(one.name, json.dumps({"n": i})) for i in range(8))), says("ok"))
            done = run(store, model, [one])
            assert [text.split()[1] for text in sorted(observations(done))] == [str(i) for i in range(8)]
            shown = [m.text.split()[1] for m in model.asked[1].messages if m.role == "tool"]
            assert shown == [str(i) for i in range(8)]  # in the order of the calls
            stored = list(done.events())
            first = next(s for s in stored if s.kind == "tool_called")
            last = [s.event for s in stored if s.kind == "tool_returned"][-1]
            assert isinstance(last, ToolReturned)
            best = min(best, last.elapsed_s - stored[2].event.elapsed_s)  # type: ignore[attr-defined]
            assert first
        assert 8 * 0.05 / best >= 5, f"{one.name}: {best:.3f} s"


def test_serial_tools_never_overlap(store: Store) -> None:
    """A tool that says `serial` is alone while it runs, beside itself and beside others."""
    running: list[str] = []
    overlaps: list[tuple[str, ...]] = []

    def enter(name: str) -> None:
        running.append(name)
        if "solo" in running and len(running) > 1:
            overlaps.append(tuple(running))
        time.sleep(0.01)
        running.remove(name)

    @tool(serial=True)
    def solo(n: int) -> str:
        """Alone."""
        enter("solo")
        return "ok"

    @tool
    def duet(n: int) -> str:
        """Together."""
        enter("duet")
        return "ok"

    drafts = [
        call(name, json.dumps({"n": i})) for i, name in enumerate(["duet", "duet", "solo", "solo", "duet", "solo"])
    ]
    done = run(store, Actor(calls(*drafts), says("ok")), [solo, duet])
    assert observations(done) == ["ok"] * 6
    assert overlaps == []


def test_reply_with_a_hundred_calls_runs_the_first_ones_and_goes_on(store: Store) -> None:
    """A model gone wrong does not start a hundred tools, and the run is whole afterwards."""
    drafts = [call("look", json.dumps({"what": str(i)})) for i in range(100)]
    model = Actor(calls(*drafts), calls(call("look", '{"what": "z"}')), says("ok"))
    done = run(store, model, [look])
    assert done.state == "answered"
    assert len(observations(done)) == 33


class Mean(Exception):
    """An exception that cannot even be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Junk:
    """An object without any JSON form."""


def bad(what: str) -> Any:
    """What a tool may do wrong, by name."""
    loop: list[Any] = []
    loop.append(loop)
    ways: dict[str, Callable[[], Any]] = {
        "raises": lambda: 1 / 0,
        "raises unprintable": lambda: (_ for _ in ()).throw(Mean()),
        "raises surrogate": lambda: (_ for _ in ()).throw(ValueError("half \ud800 a character")),
        "raises huge": lambda: (_ for _ in ()).throw(ValueError("x" * 20_000_000)),
        "stop iteration": lambda: (_ for _ in ()).throw(StopIteration("x")),
        "exit": lambda: (_ for _ in ()).throw(SystemExit(3)),
        "interrupt": lambda: (_ for _ in ()).throw(KeyboardInterrupt()),
        "cancelled": lambda: (_ for _ in ()).throw(asyncio.CancelledError()),
        "own timeout": lambda: (_ for _ in ()).throw(TimeoutError("the server was slow")),
        "junk": Junk,
        "circle": lambda: loop,
        "file of text": lambda: Observation("x", files=(File("a.txt", "text/plain", "text"),)),  # type: ignore[arg-type]
        "file name": lambda: Observation("x", files=(File("\ud800", "text/plain", b"d"),)),
        "text is a number": lambda: Observation(3),  # type: ignore[arg-type]
        "ok is a list": lambda: Observation("x", ok=[1]),  # type: ignore[arg-type]
        "origin": lambda: Observation("x", origin="mars"),  # type: ignore[arg-type]
        "surrogates": lambda: "a\ud800b",
        "control codes": lambda: "a\x1b[31m\x07b\x9bc\u202e",
        "nan": lambda: {"x": float("nan"), "y": float("inf")},
        "bytes": lambda: b"\xff\xfe",
        "deep": lambda: json.loads("[" * 400 + "]" * 400),
        "set": lambda: {1, 2},
        "generator": lambda: (i for i in range(3)),
        "nothing": lambda: None,
    }
    return ways[what]()


WAYS = (
    "raises", "raises unprintable", "raises surrogate", "raises huge", "stop iteration", "exit", "interrupt", "cancelled",
    "own timeout", "junk", "circle", "file of text", "file name", "text is a number", "ok is a list", "origin",
    "surrogates", "control codes", "nan", "bytes", "deep", "set", "generator", "nothing",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_whatever_a_tool_does_is_an_observation(store: Store, kind: str) -> None:
    """No tool, however broken, ends a run or leaves something the journal cannot hold."""

    @tool(name="bad")
    def in_thread(what: str) -> Any:
        """Go wrong."""
        return bad(what)

    @tool(name="bad")
    async def on_loop(what: str) -> Any:
        """Go wrong."""
        await asyncio.sleep(0)
        return bad(what)

    ways = (
        WAYS if kind == "sync" else [way for way in WAYS if way != "interrupt"]
    )  # on the loop it is a person's Ctrl-C
    turns = [calls(call("bad", json.dumps({"what": way}))) for way in ways]
    done = run(store, Actor(*turns, says("survived")), [in_thread if kind == "sync" else on_loop])
    assert (done.state, str(done.answer)) == ("answered", "survived"), done.detail
    seen = dict(zip(ways, observations(done), strict=True))
    assert "ZeroDivisionError" in seen["raises"]
    assert "slow" in seen["own timeout"]
    assert "stopped after" not in seen["own timeout"]
    assert "\x1b" not in seen["control codes"]
    assert len(seen["raises huge"]) < 20_000
    assert sum(len(s.body) for s in done.events()) < 500_000
    assert list(done.events())[-1].kind == "stopped"


@pytest.mark.parametrize("stubborn", ["thread", "async", "deaf"])
def test_tool_that_hangs_does_not_hold_the_run(store: Store, stubborn: str) -> None:
    """A call is given up on after its time, even one that will not be cancelled."""
    over = threading.Event()

    @tool(name="hang", timeout_s=0.3)
    def thread() -> str:
        """Hang."""
        over.wait(20)
        return "late"

    @tool(name="hang", timeout_s=0.3)
    async def polite() -> str:
        """Hang."""
        await asyncio.sleep(20)
        return "late"

    @tool(name="hang", timeout_s=0.3)
    async def deaf() -> str:
        """Hang, whatever one says."""
        end = time.monotonic() + 20
        while time.monotonic() < end and not over.is_set():
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue
        return "late"

    chosen = {"thread": thread, "async": polite, "deaf": deaf}[stubborn]

    async def both() -> Any:
        agent = Agent(model=Actor(calls(call("hang")), says("went on")), tools=[chosen], memory=store)
        began = time.monotonic()
        done = await agent.arun("x")
        over.set()
        return done, time.monotonic() - began

    done, took_s = asyncio.run(both())
    assert str(done.answer) == "went on"
    assert "was stopped after 0.3 s" in observations(done)[0]
    assert took_s < 5


def test_ten_megabytes_are_kept_whole_and_shown_in_part(store: Store) -> None:
    """The model sees head and tail; the journal has every byte; the context stays small."""
    whole = "".join(f"line {i}\n" for i in range(1_000_000))

    @tool
    def big() -> str:
        """A lot."""
        return whole

    model = Actor(calls(call("big")), says("much"))
    done = run(store, model, [big])
    event = next(s.event for s in done.events() if s.kind == "tool_returned")
    assert isinstance(event, ToolReturned)
    assert store.get_blob(event.blob or "") == whole.encode()
    assert 'recall("1.0")' in event.text
    assert event.text.startswith("line 0\n")
    assert event.text.endswith("line 999999\n")
    assert max(len(text) for text in model.told()) < 13_000


def sender(sent: list[str]) -> Any:
    @tool(effect="network")
    def send(what: str) -> str:
        """Send something out."""
        sent.append(what)
        return "sent"

    return send


def answering(*words: ApprovalGiven) -> tuple[Callable[[ApprovalAsked], Awaitable[ApprovalGiven]], list[ApprovalAsked]]:
    asked: list[ApprovalAsked] = []

    async def approve(question: ApprovalAsked) -> ApprovalGiven:
        asked.append(question)
        return words[min(len(asked), len(words)) - 1].model_copy(update={"call_id": question.call_id})

    return approve, asked


def sending(count: int) -> Actor:
    return Actor(*(calls(call("send", json.dumps({"what": str(i)}))) for i in range(count)), says("done"))


def test_calls_that_send_are_refused_when_nobody_can_be_asked(store: Store) -> None:
    """With no person there, ask means no; three refusals in a row end the run."""
    sent: list[str] = []
    done = run(store, sending(9), [sender(sent)])
    assert sent == []
    assert (done.state, done.stop_reason) == ("refused", "denied")
    assert done.exit_code == 7


@pytest.mark.parametrize(("scope", "questions"), [("once", 3), ("run", 1), ("always", 1)])
def test_yes_holds_for_as_long_as_it_was_meant(store: Store, scope: Any, questions: int) -> None:
    """Once is once; a yes for the run is asked for no more; the exact arguments are shown."""
    sent: list[str] = []
    approve, asked = answering(ApprovalGiven(call_id="", approved=True, scope=scope))
    done = run(store, sending(3), [sender(sent)], listeners=Listeners(approve=approve))
    assert done.state == "answered"
    assert sent == ["0", "1", "2"]
    assert len(asked) == questions
    assert asked[0].arguments == {"what": "0"}


def test_no_is_an_observation_and_nothing_is_sent(store: Store) -> None:
    """A no costs the call and nothing else; "done" after it is a claim that nothing bears out, and no success."""
    sent: list[str] = []
    approve, _ = answering(ApprovalGiven(call_id="", approved=False, by="Ada"))
    done = run(store, sending(1), [sender(sent)], listeners=Listeners(approve=approve))
    assert (done.state, done.answer.unsupported, sent) == ("partial", ("done",), [])
    assert "Ada" in observations(done)[0]


def test_denied_by_policy_is_not_even_asked(store: Store) -> None:
    """deny wins over anybody's yes."""
    sent: list[str] = []
    approve, asked = answering(ApprovalGiven(call_id="", approved=True))
    done = run(store, sending(1), [sender(sent)], listeners=Listeners(approve=approve), policy={"network": "deny"})
    assert (sent, asked) == ([], [])
    assert done.state == "partial"


def test_limits_by_tool_hold(store: Store) -> None:
    """per_tool counts each tool by itself, within one reply too."""
    drafts = [call("look", json.dumps({"what": str(i)})) for i in range(5)]
    done = run(store, Actor(calls(*drafts), says("ok")), [look], budget=Budget(per_tool={"look": 2}))
    texts = observations(done)
    assert sum(text.startswith("saw") for text in texts) == 2
    assert sum("as often as this run may" in text for text in texts) == 3


def test_stop_flag_ends_the_run_after_the_step_and_it_can_go_on(store: Store) -> None:
    """Ctrl-C once: what runs is finished and kept, nothing new begins, and resume goes on from there."""
    model = Actor(calls(call("slow")), says("all done"))
    live: list[Any] = []

    @tool(effect="write")
    def slow() -> str:
        """Take a while."""
        live[0].stop = "Ctrl-C"
        return "finished"

    agent = Agent(model=model, tools=[slow], memory=store)

    async def interrupted() -> None:
        live.append(await agent.prepare("go"))
        await drive(live[0])

    asyncio.run(interrupted())
    run_id = live[0].journal.run_id
    kinds = [s.kind for s in live[0].journal.read()]
    assert kinds[-2:] == ["tool_returned", "interrupted"]
    assert len(model.asked) == 1
    done = agent.resume(run_id)
    assert (done.state, str(done.answer)) == ("answered", "all done")
    assert observations(done) == ["finished"]


def test_cancelled_run_keeps_what_had_happened_and_goes_on(store: Store) -> None:
    """Ctrl-C twice: at once, still consistent; what had come back is not asked again."""
    began = asyncio.Event()
    effects: list[str] = []

    @tool(effect="write")
    async def write() -> str:
        """Write."""
        effects.append("written")
        return "written"

    @tool
    async def forever() -> str:
        """Never ends."""
        began.set()
        await asyncio.sleep(60)
        return ""

    model = Actor(calls(call("write")), calls(call("forever")), says("ok"))
    agent = Agent(model=model, tools=[write, forever], memory=store)

    async def interrupted() -> str:
        live = await agent.prepare("go")
        task = asyncio.create_task(drive(live))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return live.journal.run_id

    run_id = asyncio.run(interrupted())

    @tool(name="forever")
    def quick() -> str:
        """Ends."""
        return "over"

    done = Agent(model=model, tools=[write, quick], memory=store).resume(run_id)
    assert done.state == "answered"
    assert effects == ["written"]
    assert observations(done) == ["written", "over"]


def test_cancelled_between_steps_keeps_the_last_result(store: Store) -> None:
    """A result waits for the next commit; being stopped at that moment does not lose it."""
    model = Actor(calls(call("write")), says("ok"))
    tasks: list[asyncio.Task[None]] = []

    @tool(effect="write")
    async def write() -> str:
        """Write."""
        return "written"

    original = model.count_bound

    async def slow_bound(request: Any, seen: Any) -> int:
        if len(model.asked) == 1 and tasks:
            tasks.pop().cancel()
            await asyncio.sleep(1)
        return await original(request, seen)

    model.count_bound = slow_bound  # type: ignore[method-assign]
    agent = Agent(model=model, tools=[write], memory=store)

    async def interrupted() -> str:
        live = await agent.prepare("go")
        tasks.append(asyncio.create_task(drive(live)))
        task = tasks[0]
        with pytest.raises(asyncio.CancelledError):
            await task
        return live.journal.run_id

    done = agent.resume(asyncio.run(interrupted()))
    assert observations(done) == ["written"]
    assert done.state == "answered"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("x"), ConnectionError("gone"), TimeoutError()])
def test_model_that_raises_anything_ends_the_run_as_failed(store: Store, error: Exception) -> None:
    """A provider with a bug is a failed model, not a traceback; what may have been billed stays spent."""
    done = run(store, Actor(calls(call("look")), error), [look], budget=Budget(tokens=50_000))
    assert (done.state, done.stop_reason, done.exit_code) == ("failed", "model", 5)
    assert type(error).__name__ in done.detail
    assert done.spent.tokens > 1000
    assert "saw" in done.answer  # what was found is not lost


def test_model_that_hangs_does_not_hold_the_run(store: Store) -> None:
    """The deadline is ours to keep, whatever a provider does with it."""
    began = time.monotonic()
    done = run(store, Actor(says("late"), delay_s=30), [look], budget=Budget(seconds=1))
    assert time.monotonic() - began < 6
    assert (done.state, done.exit_code) == ("partial", 3)
    assert done.spent.seconds <= 1


def test_stop_during_a_long_wait_for_the_server_is_heard(store: Store) -> None:
    """A server that asks for two minutes of patience does not hold Ctrl-C, and the run can be resumed."""
    model = Actor(ModelFailure("busy", "429", "wait", retryable=True, retry_after_s=60), says("ok"))
    agent = Agent(model=model, tools=[look], memory=store)

    async def interrupted() -> str:
        live = await agent.prepare("go")
        asyncio.get_running_loop().call_later(0.3, lambda: setattr(live, "stop", "Ctrl-C"))
        began = time.monotonic()
        await drive(live)
        assert time.monotonic() - began < 5
        return live.journal.run_id

    run_id = asyncio.run(interrupted())
    assert len(model.asked) == 1
    from outrider.agent.history.run_view import read_run

    assert (read_run(store, run_id).state, read_run(store, run_id).stop_reason) == ("interrupted", "interrupted")
    assert agent.resume(run_id).state == "answered"


@pytest.mark.parametrize("text", ["\ud800", "nul \0", "x" * 3_000_000, "\x1b[2J", "٣ ² ½ Ⅷ " * 50])
def test_any_answer_is_kept(store: Store, text: str) -> None:
    """Text of any kind and size ends a run as answered."""
    done = run(store, Actor(Reply(text="." + text, usage=Usage(input_tokens=1, output_tokens=1))), [look])
    assert done.state == "answered"


@pytest.mark.parametrize("goal", ["find \udcff it", "nul \0", "🦦" * 10_000])
def test_any_goal_is_kept(store: Store, goal: str) -> None:
    """Bytes of a command line that are no text do not crash a run."""
    assert run(store, Actor(says("ok")), [look], goal=goal).state == "answered"


def test_code_cannot_call_what_a_person_must_allow(store: Store) -> None:
    """Calls made by code go through the same policy; a tool that only reads may be called, others not."""
    sent: list[str] = []

    @tool
    async def code(ctx: ToolContext) -> str:
        """Run code."""
        assert ctx.call_tool is not None
        said = (await ctx.call_tool("look", {"what": "x"})).text
        for name in ("send", "nothing"):
            try:
                await ctx.call_tool(name, {"what": "x"})
            except ToolError as error:
                said += f" | {error.what}"
        return said

    done = run(store, Actor(calls(call("code")), says("ok")), [code, look, sender(sent)])
    assert sent == []
    assert "saw x | code may not call send | there is no tool" in observations(done)[-1]


def test_calls_from_code_count_and_never_pass_the_limit(store: Store) -> None:
    """Code that calls tools side by side, each waiting for a person, still keeps to the limit, and no two share an id."""

    @tool
    async def code(ctx: ToolContext) -> str:
        """Run code."""
        assert ctx.call_tool is not None
        got = await asyncio.gather(*(ctx.call_tool("look", {"what": str(i)}) for i in range(6)), return_exceptions=True)
        return f"{sum(not isinstance(g, BaseException) for g in got)} ran"

    async def approve(asked: ApprovalAsked) -> ApprovalGiven:
        await asyncio.sleep(0.01)
        return ApprovalGiven(call_id=asked.call_id, approved=True)

    done = run(
        store,
        Actor(calls(call("code")), says("ok")),
        [code, look],
        budget=Budget(calls=4),
        policy={"tools": {"look": "ask"}},
        listeners=Listeners(approve=approve),
    )
    assert done.spent.calls <= 4
    ids = [s.event.call_id for s in done.events() if s.kind == "tool_called"]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids))


def test_many_runs_share_one_loop_and_one_database(store: Store) -> None:
    """Fifty runs at once: each its own events, all whole."""

    async def all_of_them() -> list[Any]:
        agents = [
            Agent(model=Actor(*[calls(call("look", f'{{"what": "{n}.{i}"}}')) for i in range(4)], says(f"end {n}")),
                  tools=[look], memory=store)
            for n in range(50)
        ]  # fmt: skip
        return await asyncio.gather(*(agent.arun(f"goal {n}") for n, agent in enumerate(agents)))

    for number, done in enumerate(asyncio.run(all_of_them())):
        assert str(done.answer) == f"end {number}"
        assert observations(done) == [f"saw {number}.{i}" for i in range(4)]


def test_database_that_goes_away_ends_the_run_with_one_clear_error(store: Store, url: str) -> None:
    """The file is moved away in mid-run: the run stops at once, and put back it goes on without doing anything twice."""
    from outrider.memory.errors import StoreError

    file = Path(url.removeprefix("sqlite:///"))
    effects: list[int] = []

    @tool(effect="write")
    def write(n: int) -> str:
        """Write."""
        effects.append(n)
        if n == 1 and effects == [0, 1]:
            file.rename(file.with_name("gone.db"))
        return "written"

    turns = [calls(call("write", json.dumps({"n": i}))) for i in range(4)]
    with pytest.raises(StoreError, match="removed or replaced"):
        run(store, Actor(*turns, says("ok")), [write])
    assert effects == [0, 1]
    file.with_name("gone.db").rename(file)
    fresh = Store(url)
    done = Agent(model=Actor(*turns[2:], says("ok")), tools=[write], memory=fresh).resume("last")
    assert done.state == "answered"
    assert effects == [0, 1, 2, 3]
    assert "unknown" in observations(done)[1]
    fresh.close()


def test_first_message_tells_the_date_once_and_the_run_remembers_it(store: Store) -> None:
    """A hosted model cannot know the date. It is told once, in the zone of the person, and a resumed run says the same."""
    model = Actor(calls(call("look", '{"what": "a"}')), says("done"))
    done = run(store, model, [look], goal="What day is it?")
    told = [message for message in model.asked[-1].messages if "Today is" in message.note]
    assert [message.text for message in told] == ["What day is it?"]
    started = next(s.event for s in done.events() if s.kind == "run_started")
    assert told[0].note == started.today  # type: ignore[attr-defined]
    assert "Today is" not in done.goal


def test_a_run_resumed_has_the_tools_it_began_with_and_no_more(store: Store) -> None:
    """A run of one's own tools alone gets no built-in ones when it goes on; a run without tools stays without."""

    @tool
    def look(n: int) -> str:
        """Look."""
        return str(n)

    for given in ([], [look]):
        agent = Agent(model=Actor(says("")), tools=given, memory=store, budget=Budget(steps=2))
        begun = agent.run("go")
        before = next(begun.events()).event
        assert isinstance(before, RunStarted)
        live = asyncio.run(agent.prepare_resume(begun.id, budget={"steps": "+3"}))
        assert {t["name"] for t in before.tools} == live.toolbox.tools.keys() - {"find_tool"}
        live.journal.release()
