"""The check between a goal and what was done for it: what was left out is named, what was done is not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.coverage import Done, left_out


def done(tool: str, seen: str = "", about: str = "", **arguments: Any) -> Done:
    """A call that worked."""
    return Done(tool, arguments, seen, True, about)


WRONG = [
    ("How many days lie between 2024-03-01 and 2024-08-09?", done("list_files", "a.txt"), "a.txt", "2024-03-01"),
    ("How many kilometers is 12.5 miles?", done("text_stats", text="miles"), "MILES", "how many"),
    ("total of cost by team in plan.csv", done("table", "931", path="plan.csv", operation="sum", column="cost"), "931", "by team"),
    ("rename one.py to two.py", done("read_file", "x = 1", path="one.py"), "x = 1", "to rename"),
    ("delete old.txt", done("read_file", "abc", path="old.txt"), "abc", "to delete"),
    ("Count the rows in a.csv and write the number to n.txt", done("table", "20", path="a.csv", operation="rows"), "20 rows", "n.txt"),
    ("What is the deadline in plan.txt?", done("read_file", "Hello all\ndeadline: May", path="plan.txt"), "Hello all", "deadline"),
    ("Add 3 to 9 and multiply the result by 4", done("calculate", "12", expression="3 + 9"), "12", "4"),
    ("What is 300 increased by 20%?", done("calculate", "320", expression="300 + 20"), "320", "percent"),
    ("How many rows of a.csv have town = Lima?", done("table", "20", path="a.csv", operation="rows"), "20", "Lima"),
    ("How many orders are still waiting? The data is in a.csv", done("table", "20", path="a.csv", operation="rows"), "20", "still waiting"),
    ("What is 30% off 90?", done("share", "41", "price of a share", symbol="off"), "off closed at 41", "90"),
    ("350 plus 8% tax?", done("calculate", "357.92", expression="350 + 8 * (1 - 1 / 100)"), "357.92", "8 percent"),
    ("add 14 and 38, then halve it", done("calculate", "52", expression="14 + 38"), "52", "halve"),
    ("2.5 GB in megabytes", done("fee", "9 EUR", "fee of a parcel", weight=2.5), "9 EUR", "megabytes"),
    ("who in a.json works in the sales team?", done("read_file", "sales", path="a.json"), "sales", "an answer"),
    ("What is the sum of the profit column in s.csv?", done("table", "sum of amount is 9", path="s.csv", sql="SELECT SUM(amount) FROM t"), "sum of amount is 9", "profit"),
    ("What is Bo's salary in staff.json?", done("table", "name: Bo, sum(age): 31", path="staff.json", sql="SELECT SUM(age) FROM t WHERE name = 'Bo'"), "31", "salary"),
    ("What is the price of a mango in p.csv?", done("table", "2\n4", path="p.csv", sql="SELECT price FROM t"), "2\n4", "mango"),
    ("Read the timeout from s.ini", done("read_file", "[server]\nport = 80", path="s.ini"), "[server]\nport = 80", "timeout"),
    ("Make a file b.txt with three lines: milk, eggs, bread", done("write_file", "ok", path="b.txt", content="milk"), "wrote b.txt", "eggs"),
]  # fmt: skip
RIGHT = [
    ("What is the cost of a pear in p.csv?", done("table", "price is 4", path="p.csv", sql="SELECT price FROM t WHERE product ILIKE 'pear'"), "price is 4"),
    ("What's the average of the tonnes column in h.csv?", done("table", "4.2", path="h.csv", sql="SELECT AVG(tonnes) FROM t"), "4.2"),
    ("Read the port from s.ini", done("read_file", "port = 80", path="s.ini"), "port = 80"),
    ("What is 31 * 27 - 9?", done("calculate", "828", expression="31 * 27 - 9"), "828"),
    ("What is 300 increased by 20%?", done("calculate", "360", expression="300 * (1 + 20 / 100)"), "360"),
    ("Convert 50 fahrenheit to celsius", done("units", "10", value=50, unit="fahrenheit", to="celsius"), "10 celsius"),
    ("What weekday is 3 May 2027?", done("dates", "Monday", operation="weekday", date="2027-05-03"), "It is a Monday."),
    ("How many rows of a.csv have town = Lima?", done("table", "2", path="a.csv", sql="SELECT COUNT(*) FROM t WHERE town = 'Lima'"), "2"),
    ("what is the weather in Oslo", done("weather", "rain", city="Oslo"), "rain"),
    ("replace foo with bar in a.txt", done("edit_file", "ok", path="a.txt", old="foo", new="bar"), "Replaced it."),
    ("write hello to x.txt", done("write_file", "ok", path="x.txt", content="hello"), "I wrote x.txt"),
    ("What is the deadline in plan.txt?", done("read_file", "Hello\ndeadline: May", path="plan.txt"), "May"),
    ("book room 12 for Ana on Monday", done("book_room", "ok", room=12, person="Ana", day="Monday"), "ok"),
    ("average price of the products in a.csv", done("table", "12", path="a.csv", sql="SELECT AVG(price) FROM t"), "12"),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "call", "answer", "named"), WRONG, ids=[one[0] for one in WRONG])
def test_coverage_names_what_was_left_out(goal: str, call: Done, answer: str, named: str) -> None:
    """An answer that used only some of the goal is never given without a word."""
    assert named in " ".join(left_out(goal, [call], answer))


@pytest.mark.parametrize(("goal", "call", "answer"), RIGHT, ids=[one[0] for one in RIGHT])
def test_coverage_is_silent_when_all_was_used(goal: str, call: Done, answer: str) -> None:
    """A right answer is not called partial."""
    assert left_out(goal, [call], answer) == []


@pytest.mark.parametrize(
    "text", ["a" * 120_000, '"' * 120_000, "1," * 60_000, "a/" * 60_000, "write it to " * 10_000, "a, b and " * 15_000]
)
def test_coverage_takes_bounded_time_whatever_the_text(text: str) -> None:
    """Text of any shape and length costs about the same."""
    began = time.monotonic()
    left_out(text, [done("x", text, a=text)], text)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("goal", "may"),
    [("What version is set in src/app.py?", False), ("which files were changed?", False), ("what is the file called?", False), ("set the version in app.py to 3", True), ("what is 3 + 4? write it to a.txt", True)],
)  # fmt: skip
def test_a_question_about_how_things_are_changes_nothing(goal: str, may: bool) -> None:
    """ "is set" is no order to set: no tool that changes a file is on offer."""
    assert asked.may_change_files(goal) is may
