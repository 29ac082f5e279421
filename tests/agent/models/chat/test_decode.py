"""Replies as bytes: whatever a server sends, the outcome is a Reply or BadReply, wherever the bytes are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.agent.models.chat.call_parts import MOST_CALLS
from outrider.agent.models.chat.decode import BadReply, StreamDecoder, decode_whole
from outrider.agent.models.model import Reply

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
WORDS = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)  # half surrogate pairs too
FUNCTION = st.fixed_dictionaries({}, optional={"name": WORDS | JSON, "arguments": WORDS | JSON})
CALL = st.fixed_dictionaries({}, optional={"index": st.integers(0, 3) | JSON, "id": WORDS | JSON, "function": FUNCTION})
TURN = st.fixed_dictionaries(
    {},
    optional={
        "content": WORDS | JSON,
        "tool_calls": st.lists(CALL | JSON, max_size=4) | JSON,
        "function_call": FUNCTION,
    },
)
USAGE = st.fixed_dictionaries(
    {}, optional={"prompt_tokens": JSON, "completion_tokens": JSON, "prompt_tokens_details": JSON}
)


def body(part: str) -> st.SearchStrategy[Any]:
    choice = st.fixed_dictionaries({}, optional={part: TURN | JSON, "finish_reason": WORDS | JSON})
    return st.fixed_dictionaries(
        {}, optional={"choices": st.lists(choice | JSON, max_size=2) | JSON, "usage": USAGE | JSON}
    )


def assert_storable(reply: Reply) -> None:
    """Fit for UTF-8 and SQL, and counted sanely."""
    "".join([reply.text, reply.finish_reason, *(c.id + c.name + c.arguments for c in reply.calls)]).encode()
    assert reply.finish_reason
    assert reply.usage is None or 0 <= reply.usage.cached_tokens <= reply.usage.input_tokens


@settings(max_examples=400, deadline=None)
@given(body("message") | JSON)
def test_any_json_is_a_reply_or_a_bad_reply(sent: Any) -> None:
    """No shape of JSON is a traceback."""
    try:
        reply = decode_whole(json.dumps(sent).encode())
    except BadReply:
        return
    assert_storable(reply)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_a_bad_reply(sent: bytes) -> None:
    """Nor are any bytes, whole or as a stream."""
    for read in (decode_whole, lambda data: (decoder := StreamDecoder(None)).feed(data) or decoder.reply()):
        with pytest.raises(BadReply):
            read(sent)


@settings(max_examples=400, deadline=None)
@given(st.lists(body("delta"), max_size=5), st.booleans(), st.data())
def test_a_stream_means_the_same_wherever_it_is_cut(events: list[Any], done: bool, data: st.DataObject) -> None:
    """Any events, in any pieces: the same reply, or the same refusal."""
    raw = b"".join(b": ping\r\n\r\ndata: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
    raw += b"data: [DONE]\n\n" if done else b""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read_stream(pieces) == read_stream([raw])


def read_stream(pieces: list[bytes]) -> Reply | str:
    seen: list[str] = []
    decoder = StreamDecoder(seen.append)
    try:
        for piece in pieces:
            decoder.feed(piece)
        reply = decoder.reply()
    except BadReply as error:
        return str(error)
    assert_storable(reply)
    return reply


def stream(*deltas: dict[str, Any]) -> Reply:
    decoder = StreamDecoder(None)
    for delta in deltas:
        decoder.feed(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")
    decoder.feed(b"data: [DONE]\n\n")
    return decoder.reply()


def piece(arguments: str, **more: Any) -> dict[str, Any]:
    name = {"name": more.pop("name")} if "name" in more else {}
    return {"tool_calls": [more | {"function": name | {"arguments": arguments}}]}


def test_pieces_of_two_calls_are_joined_by_index() -> None:
    """Interleaved pieces do not mix."""
    reply = stream(
        piece("", index=0, id="a", name="x"),
        piece("", index=1, id="b", name="y"),
        piece('{"k"', index=1),
        piece("{}", index=0),
        piece(":1}", index=1),
    )
    assert [(c.name, c.arguments) for c in reply.calls] == [("x", "{}"), ("y", '{"k":1}')]


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    """Some servers count nothing, or call everything 0."""
    for index in ({}, {"index": 0}):
        reply = stream(
            piece('{"k":', **index, id="a", name="x"), piece("1}", **index), piece("{}", **index, id="b", name="y")
        )
        assert [(c.id, c.name, c.arguments) for c in reply.calls] == [("a", "x", '{"k":1}'), ("b", "y", "{}")]


def test_whole_calls_with_the_same_index_stay_apart() -> None:
    """In a whole message each entry is a call."""
    calls = [{"index": 0, "function": {"name": n, "arguments": "{}"}} for n in "ab"]
    raw = json.dumps({"choices": [{"message": {"tool_calls": calls}, "finish_reason": "stop"}]}).encode()
    reply = decode_whole(raw)
    assert [c.name for c in reply.calls] == ["a", "b"]
    assert reply.finish_reason == "tool_calls"


def test_a_model_that_calls_without_end_is_bounded() -> None:
    """Each call costs an observation."""
    reply = stream(*(piece("{}", index=n, id=str(n), name="x") for n in range(1000)))
    assert len(reply.calls) == MOST_CALLS


def test_a_surrogate_pair_in_two_pieces_is_one_character() -> None:
    """A server that cuts an emoji in half does not cost us the emoji."""
    decoder = StreamDecoder(None)
    for half in (b"\\ud83d", b"\\ude80"):
        decoder.feed(b'data: {"choices": [{"delta": {"content": "' + half + b'"}}]}\n\n')
    decoder.feed(b"data: [DONE]\n\n")
    assert decoder.reply().text == "🚀"


def test_events_of_several_data_lines_and_a_missing_last_blank_line_are_read() -> None:
    """As the event-stream format allows."""
    decoder = StreamDecoder(None)
    decoder.feed(b'event: x\nid: 1\ndata: {"choices":\ndata: [{"delta": {"content": "a"}}]}\n\n')
    decoder.feed(b'data:{"choices": [{"delta": {"content": "b"}, "finish_reason": "stop"}]}')
    assert decoder.reply().text == "ab"


def test_a_line_without_end_costs_no_square() -> None:
    """Four megabytes in pieces of ten bytes: a second of work would be an attack."""
    import time

    decoder, began = StreamDecoder(None), time.process_time()
    decoder.feed(b"data: ")
    for _ in range(400_000):
        decoder.feed(b"0123456789")
    assert time.process_time() - began < 3.0  # joined anew each time: minutes


def test_content_in_parts_is_joined_and_a_refusal_is_said() -> None:
    """Two more shapes of words."""
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image"}]
    made = {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    assert decode_whole(json.dumps(made).encode()).text == "ab"
    assert stream({"refusal": "I will "}, {"refusal": "not"}).text == "I will not"
