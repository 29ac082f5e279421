"""Answers that say they may be wrong: a second reading that differs, guesses nobody named, questions about the future."""

from __future__ import annotations

import pytest

from outrider.agent.models.brain import decide, doubts, prompt
from outrider.agent.models.brain.decide import Move
from outrider.agent.models.brain.lines import Card
from outrider.agent.models.choice.steps import Step
from outrider.tools.builtin import built_in

CALCULATE = Card("calculate", (_t := built_in("calculate")).description, _t.parameters)
RATE = Card(
    "loan_payment",
    "Monthly payment of a loan.",
    {"type": "object", "properties": {"principal": {"type": "number"}, "years": {"type": "integer"}, "kind": {"enum": ["fixed", "free"]}}, "required": ["principal", "years"]},
)  # fmt: skip
EGGS = "I have 3 boxes of 12 eggs and eat 5, how many are left?"


def _answer(goal: str, step: Step, sure: float, *cards: Card) -> Move:
    move = Move(text=step.observation)
    return decide.doubted(move, goal, cards, [step], {prompt.call_line(step.tool, step.arguments): sure})


def test_a_sum_that_another_reading_does_not_bear_out_is_no_answer() -> None:
    """The eggs: 57 with a citation and exit code 0 was the worst this product can do."""
    step = Step("calculate", {"expression": "12 * 5 - 3"}, "12 * 5 - 3 = 57")
    move = _answer(EGGS, step, 0.99, CALCULATE)
    assert move.outcome == "partial"
    assert "not sure" in move.text
    assert "12 * 5 - 3" in move.text


def test_a_sum_that_both_read_alike_is_answered() -> None:
    """However the model ordered it; one that it hardly held is no second opinion."""
    step = Step("calculate", {"expression": "12 * 3 - 5"}, "12 * 3 - 5 = 31")
    assert _answer(EGGS, step, 0.3, CALCULATE).outcome == "answered"
    assert _answer(EGGS, step, 0.2, CALCULATE).outcome == "partial"


def test_the_model_gives_way_to_the_other_reading_unless_it_is_sure() -> None:
    """A story that code can read is not left to chance."""
    ask = decide.prepare(EGGS, [CALCULATE], ())
    wrote = prompt.call_line("calculate", {"expression": "12 * 5 - 3"})
    overruled = decide.read(ask, wrote, [CALCULATE], 0.4)
    assert overruled.call == ("calculate", {"expression": "3 * 12 - 5"})
    assert overruled.overruled, "the model's doubt stays: nothing bears this sum out"
    assert decide.read(ask, wrote, [CALCULATE], 0.99).call == ("calculate", {"expression": "12 * 5 - 3"})
    alike = decide.read(ask, prompt.call_line("calculate", {"expression": "12 * 3 - 5"}), [CALCULATE], 0.7)
    assert not alike.overruled


def test_a_number_that_was_said_once_is_not_used_twice_in_silence() -> None:
    """ "From 40 to 52 by how many percent" is no loan of 40 over 52 years at 52."""
    step = Step("loan_payment", {"principal": 52, "years": 52}, "1.73 a month")
    assert _answer("A loan of 40 to 52", step, 0.99, RATE).outcome == "partial"


def test_a_tool_about_something_else_is_named_as_doubtful() -> None:
    """A tool of somebody's own that shares no telling word with the goal may be the wrong one."""
    step = Step("loan_payment", {"principal": 40, "years": 5}, "1.73 a month")
    assert _answer("how many bottles fit 5 crates of 40?", step, 0.6, RATE).outcome == "partial"
    assert _answer("payment for 40 over 5 years?", step, 0.6, RATE).outcome == "answered"


def test_an_optional_choice_that_nobody_named_is_left_out() -> None:
    """The tool's own default stands instead of a guess."""
    asked = {"principal": 40, "years": 5, "kind": "free"}
    assert doubts.without_guesses("a loan of 40 over 5 years", "loan_payment", asked, [RATE]) == {"principal": 40, "years": 5}  # fmt: skip
    assert doubts.without_guesses("a free loan of 40 over 5 years", "loan_payment", asked, [RATE]) == asked


def test_what_the_future_brings_is_not_answered_with_today() -> None:
    """A price next month is no price today; a date next month is a date."""
    share = Card("stock_price", "Last closing price of a share.", {"type": "object", "properties": {}})
    move = decide.begin("What will the ABC share cost next month?", [CALCULATE, share], ())
    assert isinstance(move, Move)
    assert move.outcome == "unable"
    assert doubts.beyond("what will the date be in 30 days?", [CALCULATE]) == ""
    tells = Card("outlook", "Forecast of a share's price.", {"type": "object", "properties": {}})
    assert doubts.beyond("What will the ABC share cost next month?", [tells]) == ""


def test_two_numbers_go_where_their_words_say() -> None:
    """ "A 5000 euro credit for 2 years" is no credit of 2 over 2 years."""
    twice = {"principal": 2, "years": 2}
    assert doubts.put_right("a 5000 euro credit for 2 years", "loan_payment", twice, [RATE]) == {"principal": 5000, "years": 2}  # fmt: skip
    right = {"principal": 5000, "years": 2}
    assert doubts.put_right("a 5000 euro credit for 2 years", "loan_payment", right, [RATE]) == right


def test_what_is_said_as_x_in_y_goes_from_x_to_y() -> None:
    """60 EUR in USD are no 60 USD in EUR."""
    money = Card("change", "Convert money.", {"type": "object", "properties": {"amount": {"type": "number"}, "source": {"type": "string"}, "target": {"type": "string"}}, "required": ["amount", "source", "target"]})  # fmt: skip
    wrong = {"amount": 60, "source": "USD", "target": "EUR"}
    right = {"amount": 60, "source": "EUR", "target": "USD"}
    for asked in (wrong, right):
        assert doubts.put_right("60 EUR in USD please", "change", asked, [money]) == right


@pytest.mark.parametrize(
    ("goal", "sql", "unmet"),
    [
        ("How many rows of s.csv are not open?", "SELECT COUNT(*) FROM t WHERE state = 'open'", True),
        ("How many rows of s.csv are not open?", "SELECT COUNT(*) FROM t WHERE state <> 'open'", False),
        ("On how many days did it not rain, see s.csv?", "SELECT COUNT(*) FROM t WHERE station = 'North'", True),
        ("What percentage of s.csv is open?", "SELECT COUNT(*) FROM t WHERE state = 'open'", True),
        ("Who is the nicest in s.csv?", "SELECT name FROM t", True),
        ("Who is the oldest in s.csv?", "SELECT name FROM t ORDER BY age DESC LIMIT 1", False),
        ("Who has most interest in s.csv?", "SELECT name FROM t ORDER BY interest DESC LIMIT 1", False),
        ("Which rows of s.csv have at least 3 days?", "SELECT name FROM t WHERE days >= 3", False),
        ("What is the last name of Ann in s.csv?", "SELECT name FROM t WHERE name = 'Ann'", False),
        ("How much water was used last month, see s.csv?", "SELECT SUM(used) FROM t WHERE month = 5", False),
        ("What was sold last year, see s.csv?", "SELECT item FROM t WHERE year = 2025", False),
        ("How much longer is a than b in s.csv?", "SELECT SUM(length) FROM t", True),
        ("Whose request is open in s.csv?", "SELECT name FROM t WHERE state = 'open'", False),
        (
            "By how much is the pay in Ops higher than in Sales in s.csv?",
            "SELECT AVG(pay) FROM t WHERE team = 'Ops'",
            True,
        ),
        ("What is the average pay in s.csv?", "SELECT AVG(pay) FROM t", False),
    ],
)
def test_a_statement_that_lacks_what_the_goal_says_is_doubtful(goal: str, sql: str, unmet: bool) -> None:
    """However sure the model was: a negation, a share, an order or a difference is not in it."""
    assert doubts.is_unmet(goal, sql) == unmet
