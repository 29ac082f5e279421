"""An answer's receipts: each claim points at the observation that bears it out, and what nothing bears out is marked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.agent.answers.answer import Answer, with_evidence
from outrider.agent.state import Seen


def seen(seq: int, text: str, ok: bool = True) -> Seen:
    return Seen(seq, f"{seq}.0", "look", text, ok, "trusted", 0.0)


OBSERVED = [seen(5, "rows: 1,204 in sales.csv"), seen(9, "mean of price is 3.75"), seen(12, "failed at 777", ok=False)]


@pytest.mark.parametrize(
    ("text", "seq"),
    [
        ("The file has 1204 rows.", 5),
        ("The file has 1,204 rows.", 5),
        ("The mean is 3.75.", 9),
        ("The mean is 3.7.", None),
        ("There are 120 rows.", None),
        ("It failed at 777.", None),  # a failed call bears nothing out
    ],
)
def test_claim_points_at_the_event_that_holds_it(text: str, seq: int | None) -> None:
    """The right event or none: part of a number is another number."""
    answered = with_evidence(text, "how many?", OBSERVED)
    assert [c.seq for c in answered.citations] == [seq]
    assert bool(answered.unsupported) == (seq is None)


def test_number_that_is_only_part_of_one_in_the_goal_is_not_taken_as_known() -> None:
    """A goal about 2025 does not make the answer 25 true."""
    assert with_evidence("The total is 25.", "What was the total in 2025?", OBSERVED).unsupported == (
        "The total is 25.",
    )
    assert with_evidence("In 2025 nothing.", "What was the total in 2025?", OBSERVED).unsupported == ()


def test_quote_holds_the_fact_however_far_into_the_text_it_is() -> None:
    """The quote is what a reader checks first."""
    long = ", ".join(f"{n:,}" for n in range(1_000_000, 1_000_400)) + " and the secret is 424242 here"
    (citation,) = with_evidence("The secret is 424242.", "", [seen(3, long)]).citations
    assert "424242" in citation.quote


@pytest.mark.parametrize(
    "text", ["a" + "/." * 50_000 + "!", "a-" * 50_000, "1," * 50_000, '"' * 100_000, "A" * 100_000, ". " * 50_000 + "A",
             "`" * 100_000, "a." * 100_000 + "/", "A" + "-" * 100_000]
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    """The text is a stranger's: none of it may hold the process."""
    began = time.process_time()
    with_evidence(text, text, [seen(1, text), seen(2, text)])
    assert time.process_time() - began < 3


@settings(max_examples=150, deadline=None)
@given(text=st.text(), goal=st.text(), observed=st.lists(st.text(), max_size=4))
def test_any_text_has_an_answer(text: str, goal: str, observed: list[str]) -> None:
    """Weird text is no reason to lose a run; every citation names an event there is."""
    answered = with_evidence(text, goal, [seen(n, one) for n, one in enumerate(observed)])
    assert answered.text == text
    assert all(c.seq is None or 0 <= c.seq < len(observed) for c in answered.citations)
    assert Answer.of(answered) == text


def test_the_statement_an_answer_came_from_is_no_claim() -> None:
    """The built-in model shows the SQL it asked with; that line needs no evidence."""
    answered = with_evidence("17.5\n(SELECT SUM(amount) FROM t)", "sum of a", [seen(5, "sum: 17.5")])
    assert [(c.claim, c.seq) for c in answered.citations] == [("17.5", 5)]
