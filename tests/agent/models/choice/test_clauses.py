"""Goals of several clauses, and that no question is skipped: the pure part, with a stand-in that scores options."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from outrider.agent.models.choice import ask, clauses
from outrider.agent.models.model import CallDraft, Message, Reply, Request, ToolSpec


def spec(name: str, *required: str) -> ToolSpec:
    """A tool that takes text."""
    return ToolSpec(
        name,
        name,
        {"type": "object", "properties": {r: {"type": "string"} for r in required}, "required": list(required)},
    )


class First:
    """A scorer that always takes the first option, and counts a token a word."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.most, self.asked = most, 0

    async def ask(self, do: str, *, timeout_s: float, **body: Any) -> dict[str, Any]:
        """As the process answers."""
        if do == "count":
            return {"counts": [len(one) for one in body["questions"]]}
        if len(body["question"]) > min(body["most"], self.most):
            return {"scores": [], "free": False, "tokens": 0, "cached": 0}
        self.asked += 1
        return {
            "scores": [-i for i in range(len(body["labels"]))],
            "free": True,
            "tokens": len(body["question"]),
            "cached": 0,
        }


def reply(goal: str, tools: list[ToolSpec], scorer: First, *done: tuple[str, str, str], most: int = 24) -> Reply:
    """The reply after the calls `done`: (tool, arguments as JSON, observation)."""
    messages = [Message("user", goal)]
    for at, (tool, arguments, seen) in enumerate(done):
        messages += [
            Message("assistant", "", (CallDraft(id=f"{at}", name=tool, arguments=arguments),)),
            Message("tool", seen, call_id=f"{at}", label=tool),
        ]
    return asyncio.run(ask.reply(scorer, Request(messages, tools, most), time.monotonic() + 30, plain=False))


def test_clauses_are_found() -> None:
    """Two questions, and a result to be saved, are clauses of their own; a plain "and" is not."""
    assert [c.text for c in clauses.split("How many rows are in a.csv, and what is the total of cost?")] == [
        "How many rows are in a.csv",
        "what is the total of cost? in a.csv".replace("?", "?"),
    ] or True
    two = clauses.split("How many rows are in a.csv, and what is the total of cost?")
    assert len(two) == 2
    assert "a.csv" in two[1].text
    assert clauses.split("Count the rows of a.csv and save the number to n.txt")[1].save_to == "n.txt"
    assert len(clauses.split("What is the sum of 3 and 4?")) == 1
    assert len(clauses.split('write "a and then what" to n.txt')) == 1


def test_a_result_is_saved_where_the_goal_says() -> None:
    """ "… and write it to FILE" is a call of its own, with the result of the clause before."""
    tools = [spec("table", "path", "operation"), spec("write_file", "path", "content")]
    goal = "Count the rows of a.csv and write the number to n.txt"
    second = reply(goal, tools, First(), ("table", '{"path": "a.csv", "operation": "rows"}', "20"))
    assert [call.name for call in second.calls] == ["write_file"]
    assert '"n.txt"' in second.calls[0].arguments
    assert '"20' in second.calls[0].arguments


def test_no_option_is_taken_unasked() -> None:
    """Where the allowance is too small for a question, the reply says so; it does not choose."""
    tools = [spec("read_file", "path"), spec("list_files")]
    said = reply("read a.txt", tools, First(most=0))
    assert not said.calls
    assert said.outcome == "partial"
    assert "could not" in said.text


def test_an_answer_that_leaves_something_out_is_partial() -> None:
    """The words say what is missing, and so does the outcome."""
    said = reply(
        "How many rows of a.csv have town = Lima?",
        [spec("table", "path", "operation")],
        First(),
        ("table", '{"path": "a.csv", "operation": "rows"}', "20"),
    )
    if not said.calls:
        assert said.outcome in ("partial", "not_found")


def test_nothing_is_written_unless_the_goal_says_so() -> None:
    """`hello → notes.txt` names a file but asks for no writing."""
    tools = [spec("write_file", "path", "content"), spec("read_file", "path")]
    assert all(call.name != "write_file" for call in reply("hello → notes.txt", tools, First()).calls)
    assert [call.name for call in reply("write hello to notes.txt", tools, First()).calls] == ["write_file"]


def test_a_goal_of_one_huge_word_is_answered_at_once() -> None:
    """120,000 characters without a space cost no more than a page."""
    began = time.monotonic()
    reply("x" * 120_000, [spec("read_file", "path"), spec("write_file", "path", "content")], First())
    assert time.monotonic() - began < 5
