"""A model on a server that says one phrase over and over: a stream is stopped, a whole reply is never taken for an answer."""

from __future__ import annotations

import pytest

from outrider.agent.models.model import CallDraft, Message, ModelFailure, Request
from outrider.agent.models.openai.model import OpenAIModel
from tests.servers.openai_server import OpenAIServer

LOOP = "I am thinking about it. " + "The sea is blue and the sky is blue. " * 4000


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
async def test_stream_that_repeats_itself_is_stopped(field: str) -> None:
    """What was said is kept once; the rest is not waited for."""
    said = {"text": LOOP} if field == "content" else {"text": "", "message": {field: LOOP}}
    with OpenAIServer([{**said, "chunk_bytes": 2000, "chunk_delay_s": 0.001}]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="", stream=True)
        reply = await model.reply(Request((Message("user", "go"),), (), 40_000, 60.0))
        await model.aclose()
    assert reply.finish_reason == "repetition"
    assert len(reply.text) < 2000
    assert (field == "content") == reply.text.startswith("I am thinking about it.")


async def test_whole_reply_that_was_cut_in_a_loop_is_no_answer() -> None:
    """It cannot be stopped, but it is known for what it is."""
    with OpenAIServer([{"text": LOOP, "finish_reason": "length"}]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="", stream=False)
        reply = await model.reply(Request((Message("user", "go"),), (), 40_000, 60.0))
        await model.aclose()
    assert (reply.finish_reason, reply.text.count("The sea")) == ("repetition", 1)


@pytest.mark.parametrize("stream", [True, False])
async def test_repetition_that_was_asked_for_and_ends_is_an_answer(stream: bool) -> None:
    """A hundred times the same line, because somebody wants it: nothing is cut off."""
    text = "\n".join(["yes"] * 100)
    with OpenAIServer([{"text": text}]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="", stream=stream)
        reply = await model.reply(Request((Message("user", "go"),), (), 4000, 60.0))
        await model.aclose()
    assert (reply.finish_reason, reply.text) == ("stop", text)


async def test_server_that_wants_text_beside_calls_gets_it() -> None:
    """llama-cpp-python's own server refuses null there (with a 500); it is told once, and the run goes on."""
    words = "7 validation errors: {'loc': ('body', 'messages', 1, 'content'), 'msg': 'Input should be a valid string', 'input': None}"
    call = CallDraft(id="1.0", name="clock", arguments="{}")
    history = (
        Message("user", "go"),
        Message("assistant", "", (call,)),
        Message("tool", "noon", call_id="1.0", label="clock"),
    )
    with OpenAIServer([{"status": 500, "body": {"error": {"message": words}}}, {"text": "noon"}]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="")
        assert (await model.reply(Request(history, (), 100, 60.0))).text == "noon"
        await model.reply(Request(history, (), 100, 60.0))
        await model.aclose()
    assert [one.json["messages"][1]["content"] for one in server.requests] == [None, "", ""]


async def test_advice_a_server_refuses_is_left_out_and_what_a_person_said_is_not() -> None:
    """Nobody asked for the advised sampling; an option of the person's own that is refused is an error."""
    refusal = {"status": 400, "body": {"error": {"message": "top_p is not supported with this model"}}}
    with OpenAIServer([refusal, {"text": "ok"}]) as server:
        model = OpenAIModel("qwen3:8b", base_url=server.base_url, api_key="")
        assert (await model.reply(Request((Message("user", "go"),), (), 100, 60.0))).text == "ok"
        await model.aclose()
    assert "top_p" in server.requests[0].json
    assert "top_p" not in server.requests[1].json
    with OpenAIServer([refusal]) as server:
        model = OpenAIModel("qwen3:8b", base_url=server.base_url, api_key="", top_p=0.5)
        with pytest.raises(ModelFailure):
            await model.reply(Request((Message("user", "go"),), (), 100, 60.0))
