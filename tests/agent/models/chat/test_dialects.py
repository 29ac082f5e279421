"""Every dialect of tests/servers/dialects, whole and streamed, and streamed bytes split at every place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.agent.models.chat.decode import BadReply, StreamDecoder, decode_whole
from outrider.agent.models.chat.reader import read_reply
from outrider.agent.models.model import Reply, ToolSpec
from outrider.tools.arguments import matching_name, read_arguments

FOLDER = Path(__file__).parents[3] / "servers" / "dialects"
TOOLS = (
    ToolSpec(
        "weather",
        "the weather",
        {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    ),
    ToolSpec("clock", "the time", {"type": "object", "properties": {}, "additionalProperties": False}),
    ToolSpec("note", "keep", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}),
)
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
]


def message(case: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", **(case.get("message") or {"content": case["content"]})}


def body(case: dict[str, Any]) -> bytes:
    choice = {"index": 0, "message": message(case), "finish_reason": case.get("finish", "stop")}
    return json.dumps({"choices": [choice]}, ensure_ascii=False).encode()


def stream(case: dict[str, Any], size: int) -> bytes:
    """The case as events of `size` characters of content each; calls: a header, then the arguments in halves."""
    said = message(case)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for field in ("reasoning_content", "reasoning", "content"):
        text = said.get(field)
        if isinstance(text, str):
            deltas += [{field: text[at : at + size]} for at in range(0, len(text), size)]
    if isinstance(said.get("content"), list) or "reasoning_details" in said:
        deltas.append(
            {k: v for k, v in said.items() if k in ("content", "reasoning_details") and not isinstance(v, str)}
        )
    for index, call in enumerate(said.get("tool_calls", ())):
        arguments = call["function"]["arguments"]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        halves = (text[: len(text) // 2], text[len(text) // 2 :])
        deltas.append({"tool_calls": [head]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": half}}]} for half in halves]
    if "function_call" in said:
        deltas.append({"function_call": said["function_call"]})
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": case.get("finish", "stop")}]})
    events = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return ("".join(events) + "data: [DONE]\n\n").encode()


def check(reply: Reply, case: dict[str, Any]) -> None:
    calls = []
    for draft in reply.calls:
        name = matching_name(draft.name, [spec.name for spec in TOOLS])
        spec = next(spec for spec in TOOLS if spec.name == name)
        calls.append([name, read_arguments(draft.arguments, spec.parameters, spec.name)[0]])
    assert calls == case.get("calls", [])
    assert reply.reasoning == case.get("reasoning", "")
    assert reply.text.strip() == (case["content"] if case.get("answer") else case.get("text", "")).strip() or calls
    assert reply.flaw == ""
    assert dict(reply.kept) == case.get("kept", {})
    if "extra" in case:
        assert reply.calls[0].extra == case["extra"]


@pytest.mark.parametrize("case", CASES)
def test_dialect_is_read_when_it_comes_whole(case: dict[str, Any]) -> None:
    """Calls run as often as they were meant, the answer is the answer, thoughts are thoughts."""
    check(decode_whole(body(case), TOOLS), case)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", CASES)
def test_dialect_is_read_when_it_is_streamed(case: dict[str, Any], size: int) -> None:
    """The same in pieces, and what is shown meanwhile is the answer and nothing else."""
    shown: list[str] = []
    decoder = StreamDecoder(shown.append, TOOLS)
    decoder.feed(stream(case, size))
    reply = decoder.reply()
    check(reply, case)
    bare = "</" in str(case.get("content")) and "<think" not in str(case.get("content")) and reply.reasoning
    if not bare:  # a thought without its opening tag cannot be told before it ends
        assert "".join(shown).strip() in (reply.text.strip(), "" if reply.calls else reply.text.strip())


@pytest.mark.parametrize("case", CASES)
def test_dialect_is_read_wherever_the_bytes_are_split(case: dict[str, Any]) -> None:
    """A packet may end inside a letter."""
    data = stream(case, 9)
    for at in range(0, len(data), max(1, len(data) // 120)):
        decoder = StreamDecoder(None, TOOLS)
        decoder.feed(data[:at])
        decoder.feed(data[at:])
        check(decoder.reply(), case)


@pytest.mark.parametrize("case", CASES)
def test_dialect_that_is_cut_is_never_half_run(case: dict[str, Any]) -> None:
    """With `finish_reason: length` anywhere in it, only whole calls with the arguments that were meant can come out."""
    text = case.get("content")
    if not text or not case.get("calls"):
        return
    for at in range(1, len(text), 3):
        reply = read_reply(text[:at], tools=TOOLS, finish="length")
        if reply.flaw:
            continue
        for draft in reply.calls:
            name = matching_name(draft.name, [spec.name for spec in TOOLS])
            spec = next(spec for spec in TOOLS if spec.name == name)
            read, _ = read_arguments(draft.arguments, spec.parameters, spec.name)
            assert [name, read] in case["calls"]


alphabet = st.sampled_from(
    ["<tool_call>", "</tool_call>", "<think>", "</think>", "{", "}", '"name"', ":", '"weather"', '"arguments"', ",", "\n",
     "```json", "```", "[TOOL_CALLS]", "[ARGS]", "<|channel|>", "<|message|>", "analysis", "final", "<function=weather>",
     "<parameter=city>", "</parameter>", "</function>", "weather(", ")", "[", "]", "city", "=", '"Rome"', " ", "text", "｜",
     "<arg_key>", "</arg_key>", "<｜tool▁sep｜>", "assistantfinal", "<|python_tag|>"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(alphabet, max_size=14).map("".join), st.sampled_from(["stop", "length", "tool_calls", "error", ""]))
def test_no_mixture_of_marks_breaks_the_reader(text: str, finish: str) -> None:
    """Whatever a model writes, it is a reply: nothing raises, streamed and whole agree."""
    whole = read_reply(text, tools=TOOLS, finish=finish)
    decoder = StreamDecoder(lambda piece: None, TOOLS)
    decoder.feed(stream({"content": text, "finish": finish or "stop"}, 3))
    try:
        streamed = decoder.reply()
    except BadReply:
        return
    if finish:
        assert (streamed.text, streamed.calls, streamed.flaw) == (whole.text, whole.calls, whole.flaw)
