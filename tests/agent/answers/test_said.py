"""No answer that says it did not reach its goal counts as reached, in any wording; and one that only speaks of trouble does."""

from __future__ import annotations

import time

import pytest

from outrider.agent.answers.outcome import outcome_of
from outrider.memory.store import Store
from outrider.tools import tool
from tests.agent.answers.said import ADMITTED, CONTENT
from tests.agent.helpers import Actor, call, calls, run, says


@pytest.mark.parametrize("goal", ADMITTED)
def test_an_admission_in_any_wording_is_no_success(goal: str) -> None:
    """Not there, not done, half done, refused, asked back, an error as the answer: none of them is "answered"."""
    assert [text for text in ADMITTED[goal] if outcome_of(text, goal)[0] == "answered"] == []


@pytest.mark.parametrize("goal", CONTENT)
def test_words_of_trouble_that_answer_the_goal_are_an_answer(goal: str) -> None:
    """A log that says "not found", a letter that says "I could not come", a no to a question."""
    assert [(text, why) for text in CONTENT[goal] if (why := outcome_of(text, goal)[2])] == []


def test_a_line_that_a_tool_showed_is_quoted_and_not_said(store: Store) -> None:
    """The third line of the file is "I could not find the key.": the same words are an admission where nothing showed them."""

    @tool(effect="read")
    def line(number: int) -> str:
        """A line of notes.txt."""
        return "I could not find the key."

    told = says("I could not find the key.")
    goal = "What is the third line of notes.txt?"
    assert run(store, Actor(calls(call("line", '{"number": 3}')), told), [line], goal=goal).state == "answered"
    assert run(store, Actor(told), [line], goal=goal).state == "not_found"


def test_reading_takes_no_time_whatever_is_written() -> None:
    """A reply made to be slow to read is read in a blink."""
    for text in (
        "I tried " + "but not " * 5000,
        "the " * 20_000,
        "no " * 20_000 + "found",
        "a.b:" * 5000,
        "; " * 9000 + "x",
    ):
        began = time.perf_counter()
        outcome_of(text, "the " * 9000)
        assert time.perf_counter() - began < 2


@pytest.mark.parametrize("goal", ["x" * 20_000, "- x\n" * 5000, "a/" * 10_000, "a." * 10_000, "_" * 20_000])
def test_a_long_goal_is_read_once(goal: str) -> None:
    """A goal made to be slow to read costs neither the square of its length nor a look for each sentence of the answer."""
    began = time.perf_counter()
    outcome_of("I could not find it.", goal)
    outcome_of("- x\n" * 5000, goal)
    assert time.perf_counter() - began < 5
