"""Whole runs against servers with the habits of real ones: what comes back is read, booked, asked again, or said in words."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.budget import Budget
from outrider.agent.history.run_view import Run
from outrider.agent.models.model import Price
from outrider.agent.models.openai.model import OpenAIModel
from outrider.memory.events import ModelReplied, Noted, ToolCalled
from outrider.memory.store import Store
from outrider.tools import tool
from tests.servers.openai_server import OpenAIServer, Seen

FOREIGN = "Zq8rT2vLx9Wm4Kp7Yd3Hs6Nf1Bc5Jg0AeUiOoPQ"
KEY = "sk-test-0123456789abcdefghij"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(f"sqlite:///{tmp_path / 'm.db'}")
    yield opened
    opened.close()


def turn(seen: Seen) -> dict[str, Any]:
    """The model's first turn, as it was sent back."""
    first: dict[str, Any] = next(m for m in seen.json["messages"] if m["role"] == "assistant")
    return first


def tools() -> tuple[list[str], list[Any]]:
    ran: list[str] = []

    @tool
    def ping(note: str = "") -> str:
        """Say pong."""
        ran.append(note)
        return "pong"

    @tool(effect="write")
    def save(text: str) -> str:
        """Keep a text."""
        ran.append(text)
        return "saved"

    return ran, [ping, save]


def run(store: Store, replies: list[Any], *, stream: bool = False, **more: Any) -> tuple[Run, list[str], OpenAIServer]:
    ran, given = tools()
    with OpenAIServer(replies) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY, stream=stream, **more.pop("model", {}))
        model.price = more.pop("price", model.price)
        done = Agent(model=model, tools=given, memory=store, **more).run("do it")
    stored = json.dumps([s.event.model_dump(mode="json") for s in done.events()])
    assert KEY not in stored + str(done.answer) + done.detail
    return done, ran, server


BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@BOTH
def test_thought_is_kept_apart_shown_and_never_sent_back(store: Store, stream: bool) -> None:
    """Row 7: the reasoning is in the journal, not in the answer, and not in the next request."""
    replies = [
        {"text": "<think>first plan</think>", "tool": "ping", "arguments": {}},
        {"text": "<think>second plan</think>The answer is 42"},
    ]
    done, ran, server = run(store, replies, stream=stream)
    assert (done.state, str(done.answer), ran) == ("answered", "The answer is 42", [""])
    assert "plan" not in server.requests[1].body.decode()
    thoughts = [s.event.reasoning for s in done.events() if isinstance(s.event, ModelReplied)]
    assert thoughts == ["first plan", "second plan"]


@BOTH
def test_call_written_as_text_runs_once(store: Store, stream: bool) -> None:
    """Row 6, and the arguments' repair is told in the event."""
    replies = [{"text": "<tool_call>\n{'name': 'Ping', 'arguments': {'note': 'a'}}\n</tool_call>"}, {"text": "done"}]
    done, ran, _ = run(store, replies, stream=stream)
    assert (str(done.answer), ran) == ("done", ["a"])
    called = next(s.event for s in done.events() if isinstance(s.event, ToolCalled))
    assert "Ping" in called.repaired


def test_answer_that_quotes_a_call_stays_the_answer(store: Store) -> None:
    """Nothing runs."""
    said = 'Write it like this: `<tool_call>{"name": "ping", "arguments": {}}</tool_call>`.'
    done, ran, _ = run(store, [{"text": said}])
    assert (done.state, str(done.answer), ran) == ("answered", said, [])


def test_reasoning_alone_again_and_again_is_said_and_shown(store: Store) -> None:
    """Row 8."""
    done, _, _ = run(store, [{"text": "", "message": {"reasoning_content": "I should think about foxes"}}])
    assert done.exit_code != 0
    assert "only reason" in done.detail
    assert "foxes" in str(done.answer)


def test_filter_is_named_and_the_request_is_not_repeated_blindly(store: Store) -> None:
    """Row 9: the second request says what happened; then the run ends with the reason."""
    done, _, server = run(store, [{"text": "", "finish_reason": "content_filter"}])
    assert done.exit_code == 5
    assert "content_filter" in done.detail
    assert len(server.requests) == 2
    assert "filter" in server.requests[1].body.decode()


@BOTH
def test_answer_cut_at_its_limit_goes_on_and_is_joined(store: Store, stream: bool) -> None:
    """Row 10."""
    replies = [{"text": "one two three", "finish_reason": "length"}, {"text": " four five"}]
    done, _, server = run(store, replies, stream=stream)
    assert (done.state, str(done.answer)) == ("answered", "one two three four five")
    assert server.requests[1].json["messages"][-1]["role"] == "user"


def test_answer_cut_twice_names_the_setting(store: Store) -> None:
    """Row 10: no budget was reached, so none is named."""
    done, _, _ = run(
        store, [{"text": "one two", "finish_reason": "length"}, {"text": " three", "finish_reason": "length"}]
    )
    assert (done.state, str(done.answer)) == ("partial", "one two three")
    assert "--max-output" in done.detail
    assert done.exit_code == 3


@BOTH
def test_cut_call_is_asked_again_with_a_larger_limit(store: Store, stream: bool) -> None:
    """Row 16: half a call never runs and is never an answer."""
    cut = {"tool": "save", "arguments": '{"text": "half of', "finish_reason": "length"}
    done, ran, server = run(
        store, [cut, {"tool": "save", "arguments": {"text": "all"}}, {"text": "done"}], stream=stream
    )
    assert (str(done.answer), ran) == ("done", ["all"])
    assert server.requests[1].json["max_tokens"] == 2 * server.requests[0].json["max_tokens"]


def test_call_that_is_cut_every_time_is_told_to_write_in_parts(store: Store) -> None:
    """Row 16: a cut text call as well; the run ends as stuck, not as answered."""
    cut = {"text": '<tool_call>{"name": "save", "arguments": {"text": "half', "finish_reason": "length"}
    done, ran, server = run(store, [cut])
    assert ran == []
    assert done.exit_code != 0
    assert "in parts" in server.requests[3].body.decode()
    assert len(server.requests) <= 12


@pytest.mark.parametrize("reply", [
    {"text": "Let me call it.", "finish_reason": "tool_calls"}, {"text": "half of", "finish_reason": "error"},
])  # fmt: skip
@BOTH
def test_preamble_or_half_a_text_is_asked_again_and_no_answer(store: Store, reply: Any, stream: bool) -> None:
    """Row 22."""
    done, ran, _ = run(store, [reply, {"tool": "ping", "arguments": {}}, {"text": "done"}], stream=stream)
    assert (done.state, str(done.answer), ran) == ("answered", "done", [""])


def test_same_call_eight_times_in_each_reply_is_no_rut(store: Store) -> None:
    """Row 15: repeats inside one reply are answered once and do not count."""

    def eight(note: str) -> dict[str, Any]:
        return {"calls": [{"tool": "ping", "arguments": {"note": note}}] * 8}

    done, ran, _ = run(store, [eight("a"), eight("b"), eight("c"), {"text": "done"}])
    assert (done.state, ran) == ("answered", ["a", "b", "c"])


def alternates(seen: Seen) -> None:
    """The order that every template takes: system, then user and assistant by turns, results right after their calls."""
    roles = [m["role"] for m in seen.json["messages"]]
    for before, after in pairwise(roles):
        assert (before, after) in {
            ("system", "user"), ("user", "assistant"), ("assistant", "user"), ("assistant", "tool"), ("tool", "tool"),
            ("tool", "assistant"),
        }, roles  # fmt: skip
    assert roles[-1] != "assistant"


def test_order_of_roles_is_legal_everywhere(store: Store) -> None:
    """Row 21: notes ride in the tool result or in one merged message, also after compaction."""
    again = {"tool": "ping", "arguments": {}}
    replies: list[Any] = [
        again,
        again,
        again,
        {"text": ""},
        {"text": "one", "finish_reason": "length"},
        {"text": "two"},
    ]
    _, _, server = run(store, replies)
    for seen in server.requests:
        alternates(seen)
    long = [{"tool": "ping", "arguments": {"note": f"{n} " + "x" * 3000}} for n in range(12)]
    _, _, server = run(store, [*long, {"text": ""}, {"text": "done"}], model={"max_context": 4096})
    for seen in server.requests:
        alternates(seen)


@BOTH
def test_reasoning_content_of_a_reply_with_calls_goes_back(store: Store, stream: bool) -> None:
    """Row 19: DeepSeek and Kimi answer 400 without it."""

    def second(seen: Seen) -> dict[str, Any]:
        if turn(seen).get("reasoning_content") != "because":
            return {"status": 400, "body": {"error": {"message": "Missing `reasoning_content` field"}}}
        return {"text": "done"}

    first = {"tool": "ping", "arguments": {}, "message": {"reasoning_content": "because"}}
    done, _, _ = run(store, [first, second], stream=stream)
    assert str(done.answer) == "done", done.detail


def test_reasoning_content_is_left_out_where_it_is_refused(store: Store) -> None:
    """Other servers take no field they do not know."""

    def second(seen: Seen) -> dict[str, Any]:
        if "reasoning_content" in turn(seen):
            return {
                "status": 400,
                "body": {"error": {"message": "messages.1.reasoning_content: Extra inputs are not permitted"}},
            }
        return {"text": "done"}

    first = {"tool": "ping", "arguments": {}, "message": {"reasoning_content": "because"}}
    done, _, server = run(store, [first, second])
    assert str(done.answer) == "done", done.detail
    assert len(server.requests) == 3


def test_thought_signature_of_a_call_goes_back(store: Store) -> None:
    """Row 20: Gemini 3 through its compatible endpoint."""
    signature = {"google": {"thought_signature": "c2lnbmVk"}}
    call = {"id": "a", "type": "function", "extra_content": signature, "function": {"name": "ping", "arguments": "{}"}}

    def second(seen: Seen) -> dict[str, Any]:
        return {"text": "done" if turn(seen)["tool_calls"][0].get("extra_content") == signature else "lost"}

    done, ran, _ = run(
        store, [{"text": None, "message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}, second]
    )
    assert (str(done.answer), ran) == ("done", [""]), done.detail


def test_bill_beyond_the_reservation_is_booked_and_named(store: Store) -> None:
    """Rows 12 and 27: what the server reports is what is booked, its total included."""
    usage = {"prompt_tokens": 100_000, "completion_tokens": 10, "total_tokens": 100_500}
    done, _, _ = run(
        store, [{"text": "done", "usage": usage}], price=Price(Decimal(1), Decimal(2)), budget=Budget(usd=5)
    )
    assert done.spent.tokens == 100_500
    assert done.spent.usd == Decimal("0.101")
    warned = [s.event.text for s in done.events() if isinstance(s.event, Noted) and s.event.by == "warning"]
    assert len(warned) == 1
    assert "100,000" in warned[0]
    replied = next(s.event for s in done.events() if isinstance(s.event, ModelReplied))
    assert replied.over.tokens > 90_000


def test_cached_and_audio_tokens_cost_their_own_rate(store: Store) -> None:
    """Parts of the bill are priced as such."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 100},
             "completion_tokens_details": {"reasoning_tokens": 50, "audio_tokens": 10}}  # fmt: skip
    price = Price(Decimal(10), Decimal(20), cached=Decimal(1), audio_input=Decimal(40), audio_output=Decimal(80))
    done, _, _ = run(store, [{"text": "done", "usage": usage}], price=price)
    assert done.spent.usd == Decimal(300 * 10 + 600 * 1 + 100 * 40 + 90 * 20 + 10 * 80) / 1_000_000


@pytest.mark.parametrize("body", [
    {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}},
    {"error": {"message": f"bad key {KEY}", "code": 401}},
])  # fmt: skip
@BOTH
def test_refused_key_inside_a_200_is_not_tried_again(store: Store, body: Any, stream: bool) -> None:
    """K2: one attempt, nothing booked, the key nowhere (`run` looks)."""
    done, _, server = run(store, [{"status": 200, "body": body}], stream=stream)
    assert done.exit_code == 5
    assert len(server.requests) == 1
    assert done.spent.tokens == 0


@pytest.mark.parametrize("reply", [
    {"status": 200, "headers": {"Content-Type": "text/html"}, "body": f"<html>your key {KEY} …</html>"},
    {"status": 302, "headers": {"Location": f"https://elsewhere.example/v1?key={KEY}"}, "body": ""},
    {"status": 400, "body": {"error": {"message": f"key {KEY} may not; upstream key sk-proj-{FOREIGN} neither"}}},
])  # fmt: skip
def test_own_and_foreign_keys_are_hidden_in_every_path(store: Store, reply: Any) -> None:
    """Row 31, K3."""
    done, _, _ = run(store, [reply])
    stored = json.dumps([s.event.model_dump(mode="json") for s in done.events()])
    assert FOREIGN not in stored + done.detail


def test_short_key_leaves_the_servers_words_whole(store: Store) -> None:
    """K1: `OPENAI_API_KEY=x` cuts nothing out of "maximum context length"."""
    _, given = tools()
    refusal = {
        "status": 400,
        "body": {"error": {"message": "max_tokens: unsupported parameter, use max_completion_tokens instead"}},
    }
    with OpenAIServer([refusal, {"text": "done"}]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="x")
        done = Agent(model=model, tools=given, memory=store).run("do it")
    assert str(done.answer) == "done"
    assert "max_completion_tokens" in server.requests[1].json


@pytest.mark.parametrize("words", [
    "This model supports at most 2048 completion tokens, whereas you provided 4096.",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 1024]",
    "max_tokens: 4096 > 2000, which is the maximum allowed number of output tokens",
])  # fmt: skip
def test_limit_of_a_reply_is_lowered_and_remembered(store: Store, words: str) -> None:
    """Row 29."""
    refusal = {"status": 400, "body": {"error": {"message": words}}}
    done, _, server = run(store, [refusal, {"tool": "ping", "arguments": {}}, {"text": "done"}])
    assert str(done.answer) == "done", done.detail
    assert [seen.json["max_tokens"] <= 2048 for seen in server.requests] == [False, True, True]


@pytest.mark.parametrize("reply", [
    {"status": 429, "headers": {"x-ratelimit-reset-tokens": "120ms", "x-ratelimit-remaining-tokens": "0"}},
    {"status": 429, "body": {"error": {"message": "Rate limit reached. Please try again in 0.15s."}}},
    {"status": 429, "body": {"error": {"code": 429, "details": [{"@type": "RetryInfo", "retryDelay": "0.1s"}]}}},
])  # fmt: skip
def test_wait_is_as_long_as_the_server_says(store: Store, reply: Any) -> None:
    """Row 28."""
    done, _, server = run(store, [reply, {"text": "done"}])
    assert str(done.answer) == "done"
    failed = next(s.event for s in done.events() if isinstance(s.event, ModelReplied))
    assert failed.cost.tokens == 0
    assert len(server.requests) == 2


def test_server_that_only_streams_is_learnt(store: Store) -> None:
    """Row 24: asked once without, then always with."""

    def reply(seen: Seen) -> dict[str, Any]:
        if not seen.json.get("stream"):
            return {
                "status": 400,
                "body": {
                    "error": {"message": "This model only support stream mode, please enable the stream parameter"}
                },
            }
        return {"text": "done"}

    _, given = tools()
    with OpenAIServer([reply]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY)
        for _ in range(2):
            assert str(Agent(model=model, tools=given, memory=store).run("do it").answer) == "done"
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_stream_that_nobody_asked_for_is_read(store: Store, kind: str) -> None:
    """Row 24: by its content, whatever its type says; nothing is booked twice."""
    event = json.dumps({"choices": [{"index": 0, "delta": {"content": "done"}, "finish_reason": "stop"}]})
    body = f"data: {event}\n\ndata: [DONE]\n\n"
    done, _, server = run(store, [{"status": 200, "headers": {"Content-Type": kind}, "body": body}])
    assert str(done.answer) == "done", done.detail
    assert len(server.requests) == 1


def test_call_that_the_server_could_not_read_is_read_here(store: Store) -> None:
    """Row 30: Groq's tool_use_failed holds what the model wrote."""
    error = {
        "message": "Failed to call a function.",
        "code": "tool_use_failed",
        "failed_generation": '<function=ping>{"note": "a"}</function>',
    }
    done, ran, _ = run(store, [{"status": 400, "body": {"error": error}}, {"text": "done"}])
    assert (str(done.answer), ran) == ("done", ["a"]), done.detail
    broken = error | {"failed_generation": '<function=ping>{"note": '}
    done, ran, _ = run(store, [{"status": 400, "body": {"error": broken}}, {"text": "done"}])
    assert (str(done.answer), ran) == ("done", []), done.detail


def test_streamed_calls_that_nobody_numbered_are_told_apart(store: Store) -> None:
    """Row 5: both with index 0, ids "", each with its name and whole arguments; row 23: a name in two pieces."""

    def chunk(*calls: Any, finish: str | None = None) -> str:
        return (
            "data: "
            + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": finish}]})
            + "\n\n"
        )

    def call(name: str, arguments: str) -> dict[str, Any]:
        return {"index": 0, "id": "", "type": "function", "function": {"name": name, "arguments": arguments}}

    two = chunk(call("ping", '{"note": "a"}')) + chunk(call("ping", '{"note": "b"}'), finish="tool_calls")
    pieces = chunk(call("pi", "")) + chunk(call("ng", "")) + chunk(call("", '{"note": "c"}'), finish="tool_calls")
    kind = {"Content-Type": "text/event-stream"}
    replies = [{"status": 200, "headers": kind, "body": body} for body in (two, pieces)]
    done, ran, _ = run(store, [*replies, {"text": "done"}], stream=True)
    assert (str(done.answer), sorted(ran)) == ("done", ["a", "b", "c"])  # the two of one reply run together
