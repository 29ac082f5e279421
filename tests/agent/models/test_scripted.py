"""`scripted:` is product code: the same reply at the same turn, whoever asks and however often the run was resumed."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.models.model import CallDraft, Message, ModelFailure, Request, ToolSpec, byte_bound
from outrider.agent.models.scripted import ScriptedModel
from outrider.memory.errors import UsageError

USER = Message("user", "go")
DEMO = [{"tool": "clock", "arguments": {"zone": "UTC"}}, {"text": "noon"}]


def asked(turn: int = 0, max_tokens: int = 1000, **more: Any) -> Request:
    said = [m for n in range(turn) for m in (Message("assistant", f"{n}"), Message("user", "on"))]
    return Request((USER, *said), (), max_tokens, **more)


async def test_reply_belongs_to_the_turn_not_to_the_count_of_requests() -> None:
    """A resumed run, and a second run beside it, get the reply of their own turn."""
    model = ScriptedModel(replies=DEMO)
    assert (await model.reply(asked(1))).text == "noon"
    first = await model.reply(asked(0))
    assert [(c.name, c.arguments) for c in first.calls] == [("clock", '{"zone": "UTC"}')]
    assert first.finish_reason == "tool_calls"
    assert (await model.reply(asked(1))).text == "noon"


async def test_script_that_is_over_says_so() -> None:
    """No silent repetition."""
    with pytest.raises(ModelFailure, match="over") as caught:
        await ScriptedModel(replies=DEMO).reply(asked(2))
    assert not caught.value.retryable


async def test_loop_begins_again() -> None:
    """Only on request."""
    model = ScriptedModel(replies=DEMO, loop=True)
    assert (await model.reply(asked(3))).text == "noon"
    assert (await model.reply(asked(400))).calls


async def test_several_calls_broken_arguments_usage_and_reason_are_given_as_written(tmp_path: Path) -> None:
    """A script can misbehave on purpose."""
    file = tmp_path / "s.json"
    usage = {"input_tokens": 7, "output_tokens": 3}
    calls = [{"tool": "a"}, {"tool": "b", "arguments": "{broken"}]
    replies = [{"text": "so", "calls": calls, "usage": usage, "finish_reason": "length"}, {"text": "x", "usage": None}]
    price = {"input": "1.5", "output": 2}
    file.write_text(json.dumps({"replies": replies, "price": price, "context": 4096}))
    model = ScriptedModel(str(file))
    reply = await model.reply(asked())
    assert [(c.name, c.arguments) for c in reply.calls] == [("a", "{}"), ("b", "{broken")]
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert reply.finish_reason == "length"
    assert (await model.reply(asked(1))).usage is None
    assert model.price is not None
    assert (model.price.input, model.price.output) == (Decimal("1.5"), Decimal(2))
    assert model.limits.context == 4096
    assert model.name == f"scripted:{file}"


async def test_tokens_are_deterministic_and_bounded() -> None:
    """What is reported is what was bounded before; the general bound is higher."""
    model = ScriptedModel(replies=DEMO, loop=True)
    specs = (ToolSpec("clock", "time", {"type": "object"}),)
    call = CallDraft(id="1.1", name="clock")
    history = (USER, Message("assistant", "π", calls=(call,)), Message("tool", "x" * 999, call_id="1.1"))
    request = Request(history, specs, 1000)
    bound = await model.count_bound(request, None)
    replies = [await model.reply(request) for _ in range(2)]
    assert [r.usage.input_tokens for r in replies if r.usage] == [bound, bound]
    assert bound <= byte_bound(request, None)
    assert model.price is not None
    assert model.price.input == 0


async def test_max_tokens_is_kept() -> None:
    """A reply that does not fit is cut, as a real one would be."""
    model = ScriptedModel(replies=[{"text": "ü" * 1000}, {"tool": "a", "arguments": {"k": "v" * 1000}}])
    for turn in (0, 1):
        reply = await model.reply(asked(turn, max_tokens=10))
        assert reply.finish_reason == "length"
        assert reply.usage is not None
        assert reply.usage.output_tokens <= 10


async def test_errors_come_first_then_the_reply_of_the_turn() -> None:
    """One failed attempt each, as retries meet them."""
    error = {"what": "busy", "retryable": True, "billed": True, "retry_after_s": 0.5}
    model = ScriptedModel(replies=[{"error": error}, {"error": "again"}, {"text": "fine"}, {"text": "end"}])
    request = asked()
    with pytest.raises(ModelFailure, match="busy") as caught:
        await model.reply(request)
    assert (caught.value.retryable, caught.value.billed, caught.value.retry_after_s) == (True, True, 0.5)
    with pytest.raises(ModelFailure, match="again"):
        await model.reply(request)
    assert (await model.reply(request)).text == "fine"
    assert (await model.reply(asked(1))).text == "end"


async def test_empty_replies_are_tries_too() -> None:
    """An empty reply leaves no turn behind; the script goes on after it."""
    model = ScriptedModel(replies=[{"text": " "}, {"text": "better"}])
    assert (await model.reply(asked())).text == " "
    assert (await model.reply(Request((USER, Message("user", "that was empty")), (), 99))).text == "better"


async def test_delay_ends_with_the_time() -> None:
    """A slow script does not outlive the deadline."""
    began = time.monotonic()
    with pytest.raises(ModelFailure, match="in time"):
        await ScriptedModel(replies=[{"text": "x", "delay_s": 60}]).reply(asked(timeout_s=0.1))
    assert time.monotonic() - began < 2


async def test_watcher_sees_the_words() -> None:
    """`on_text` works here too."""
    seen: list[str] = []
    await ScriptedModel(replies=[{"text": "hello"}]).reply(asked(on_text=seen.append))
    assert seen == ["hello"]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "replies"),
        ("3", "not a script"),
        ('{"replys": []}', "replies"),
        ('[{"txt": "x"}]', "replies.0.txt"),
        ('[{"text": "x", "delay_s": -1}]', "replies.0.delay_s"),
        ('[{"text": "x", "delay_s": NaN}]', "replies.0.delay_s"),
        ('[{"calls": [{"arguments": {}}]}]', "replies.0.calls.0.tool"),
        ('{"replies": [{"text": "x"}], "price": {"input": -1, "output": 1}}', "price.input"),
        ('[{"text": "x", "usage": {"input_tokens": -1, "output_tokens": 1}}]', "replies.0.usage.input_tokens"),
    ],
)
def test_a_file_that_is_no_script_is_a_usage_error_with_the_place(tmp_path: Path, content: str, hint: str) -> None:
    """The message names the file and where in it."""
    file = tmp_path / "bad.json"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        ScriptedModel(str(file))
    assert hint in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("make", [lambda p: p / "missing.json", lambda p: p])
def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path, make: Any) -> None:
    """Missing, or a folder."""
    with pytest.raises(UsageError, match="cannot read"):
        ScriptedModel(str(make(tmp_path)))


@pytest.mark.parametrize(
    "entry",
    [
        {"text": "half \ud83d"},
        {"tool": "no\udc00te", "arguments": {"text": "\ud800", "\udfff": 1}},
        {"calls": [{"tool": "note", "arguments": '{"text": "\ud800"}'}]},
    ],
)
async def test_script_with_half_a_character_is_cleaned_like_any_reply(tmp_path: Path, entry: dict[str, Any]) -> None:
    """JSON can hold a lone surrogate; nothing after this can, so it becomes a replacement character."""
    script = tmp_path / "s.json"
    script.write_text(json.dumps([entry]))
    reply = await ScriptedModel(script).reply(asked())
    said = reply.text + "".join(call.name + call.arguments for call in reply.calls)
    assert said.encode()
    assert reply.usage is not None
