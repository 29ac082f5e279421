"""Old rows always read, and rows of a later version never crash a reader."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.memory.events import (
    KINDS,
    Amount,
    ApprovalGiven,
    Citation,
    Event,
    ModelAsked,
    Noted,
    RunStarted,
    ToolCalled,
    ToolReturned,
    Unknown,
    decode,
)

NEEDED = {
    "goal": "g", "model": "m", "step": 3, "call_id": "1.0", "tool": "t", "child": "c", "approved": True, "text": "x",
    "upto": 4, "reason": "stuck", "flag": "private",
}  # fmt: skip


def least(kind: str) -> Event:
    """An event of a kind with nothing but what it must have: as the first version wrote it."""
    fields = {name: NEEDED[name] for name, field in KINDS[kind].model_fields.items() if field.is_required()}
    return KINDS[kind].model_validate(fields)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_event_reads_back_when_later_fields_are_missing_or_unknown(kind: str) -> None:
    """A row of an earlier version lacks fields, one of a later version has more: both are read."""
    event = least(kind)
    assert decode(kind, event.body()) == event
    more = json.loads(event.body()) | {"a_later_field": {"deep": [1, None]}}
    assert decode(kind, json.dumps(more)) == event


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '"x"', "\0", "[" * 100_000, "1e999"])
@pytest.mark.parametrize("kind", ["model_asked", "from_the_future"])
def test_row_that_cannot_be_understood_is_kept_as_it_is(kind: str, body: str) -> None:
    """Nothing in a row raises; what it held is still there to be looked at."""
    event = decode(kind, body)
    assert isinstance(event, Unknown)
    assert event.kind == kind
    assert event.raw == {"body": body}


def test_unknown_kind_keeps_its_fields() -> None:
    """A later version's event is shown with what it holds, and never written."""
    event = decode("later", '{"text": "hello"}')
    assert isinstance(event, Unknown)
    assert event.raw == {"text": "hello"}
    with pytest.raises(TypeError):
        event.body()


def test_money_keeps_every_digit() -> None:
    """Dollars are decimals from the ledger to the disk and back: no cent is rounded away."""
    amount = Amount(tokens=2**53 + 1, usd=Decimal("0.1000000000000000000000000001"))
    event = decode("model_asked", ModelAsked(step=1, reserved=amount).body())
    assert isinstance(event, ModelAsked)
    assert event.reserved == amount


def test_huge_numbers_in_arguments_keep_every_digit() -> None:
    """A model may compute with integers no machine word holds."""
    big = 7**4000
    event = decode("tool_called", ToolCalled(call_id="1.0", tool="t", arguments={"n": big, "m": -big}).body())
    assert isinstance(event, ToolCalled)
    assert event.arguments == {"n": big, "m": -big}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(text=st.text(), arguments=st.dictionaries(st.text(), json_values, max_size=4))
def test_any_text_and_arguments_come_back(text: str, arguments: dict[str, object]) -> None:
    """What is decoded is what was written; text that is not Unicode comes back readable."""
    for event in (
        Noted(text=text),
        ToolReturned(call_id=text, tool=text, text=text, detail=text),
        RunStarted(goal=text, model=text, settings={"x": text}),
        ToolCalled(call_id="1.0", tool=text, arguments=arguments),
    ):
        body = event.body()
        again = decode(event.kind, body)
        assert again == event
        assert again.body() == body


def test_lone_surrogates_are_stored_as_replacement_characters_at_any_depth() -> None:
    """Half a character cannot be stored; the event is, wherever the half was."""
    event = ToolCalled(call_id="1.0", tool="t\ud800", arguments={"\udfff": ["a\ud800b", {"k": "\udc00"}]})
    again = decode("tool_called", event.body())
    assert again == ToolCalled(call_id="1.0", tool="t\ufffd", arguments={"\ufffd": ["a\ufffdb", {"k": "\ufffd"}]})
    cited = Citation(claim="\ud800", seq=None)
    assert (
        "\ufffd"
        in decode("answered", KINDS["answered"].model_validate({"text": "", "citations": [cited]}).body()).body()
    )


def test_infinite_numbers_do_not_break_an_event() -> None:
    """No JSON holds infinity; an event that was given one is stored without it."""
    event = decode("tool_called", ToolCalled(call_id="1.0", tool="t", arguments={"x": math.inf}).body())
    assert isinstance(event, ToolCalled)


def test_approval_without_a_scope_is_for_this_call_alone() -> None:
    """Whoever answers only "yes" has said yes to what was shown, not to what comes later."""
    assert ApprovalGiven(call_id="1.0", approved=True).scope == "once"
