"""Goals, checks, scores and reports: each bad line named, each check able to fail, each interval known."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.agent.evaluation import report
from outrider.agent.evaluation.attempts import Result, Results
from outrider.agent.evaluation.checks import load_functions, numbers_in, wrong_with
from outrider.agent.evaluation.goals import GoalLine, read_goals
from outrider.agent.evaluation.scores import bootstrap, scores, wilson
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from tests.agent.helpers import Actor, run, says

RESULT = Result("g", 1, "m", 1, "", "answered", "a", 2, 1, 10, 0.5, 1.0, "r", "p")


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    """A file with five mistakes is refused once, with five lines."""
    file = tmp_path / "goals.jsonl"
    lines = ['{"goal": "a", "expect": "b"}', "{", "# a remark", "", '{"goal": "c"}', '{"goal": "d", "expct": "e"}',
             '{"goal": "f", "file": {"../x": "y"}}', '{"goal": "g", "regex": "("}', "3", '{"goal": "h", "state": "x"}',
             '{"goal": "i", "schema": {"type": 1}}', '{"goal": "", "expect": "a"}', '{"goal": "j", "number": NaN}']  # fmt: skip
    file.write_text("\n".join(lines))
    with pytest.raises(UsageError) as error:
        read_goals(file)
    named = {int(word) for word in __import__("re").findall(r"line (\d+)", error.value.why)}
    assert named == {2, 5, 6, 7, 8, 9, 10, 11, 12, 13}
    file.write_text('{"goal": "a", "expect": "b", "id": "x"}\n{"goal": "a", "expect": "b", "id": "x"}')
    with pytest.raises(UsageError, match="another line has the id"):
        read_goals(file)


@pytest.mark.parametrize(
    ("answer", "line", "good"),
    [
        ("It is Paris.", {"expect": "paris"}, True),
        ("It is Paris.", {"expect": ["Paris", "France"]}, False),
        ("blue\n", {"equals": "blue"}, True),
        ("blue.", {"equals": "blue"}, False),
        ("v1.2.3", {"regex": r"\d+\.\d+"}, True),
        ("none", {"regex": r"\d"}, False),
        ("7 * 6 = 42", {"number": 42}, True),
        ("7 * 6 = 43, not 42", {"number": 43}, False),
        ("about 3.14", {"number": 3.14159, "tolerance": 0.01}, True),
        ("1,234.5", {"number": 1234.5}, True),
        ("no number", {"number": 0}, False),
        ("a", {"file": {"made.txt": "hel"}}, True),
        ("a", {"file": {"made.txt": "hel"}, "exact": True}, False),
        ("a", {"file": {"made.txt": "hello"}, "exact": True}, True),
        ("a", {"file": {"none.txt": "x"}}, False),
        ("a", {"file": {"none.txt": None}}, True),
        ("a", {"file": {"made.txt": None}}, False),
        ("a", {"file": {"link.txt": "outside"}}, False),
        ("a", {"python": "good"}, True),
        ("a", {"python": "bad"}, False),
        ("a", {"python": "broken"}, False),
        ("STATUS: not found\nno", {"state": "not_found"}, True),
        ("STATUS: not found\nno", {"expect": "no"}, False),
    ],
)
def test_each_check_holds_and_fails(
    store: Store, tmp_path: Path, answer: str, line: dict[str, Any], good: bool
) -> None:
    """An end that is not the wanted one fails whatever the words; a link out of the workspace is no file in it."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "made.txt").write_text("hello\n")
    (tmp_path / "outside").write_text("outside")
    (work / "link.txt").symlink_to("../outside")
    checks = tmp_path / "checks.py"
    checks.write_text(
        "def good(answer, workspace): assert answer == 'a'\ndef bad(a, w): return 'too short'\ndef broken(a, w): 1 / 0\n"
    )
    goals = tmp_path / "g.jsonl"
    goals.write_text(json.dumps({"goal": "What is 7 * 6?", **line}))
    (goal,) = read_goals(goals)
    functions = load_functions(checks, [goal])
    done = run(store, Actor(says(answer)))
    assert (wrong_with(done, goal.line, work, functions) == "") is good


def test_functions_must_be_named_by_the_person(tmp_path: Path) -> None:
    """A goals file alone runs no Python."""
    (tmp_path / "g.jsonl").write_text('{"goal": "a", "python": "f"}')
    goals = read_goals(tmp_path / "g.jsonl")
    with pytest.raises(UsageError, match="--checks"):
        load_functions(None, goals)
    (tmp_path / "c.py").write_text("x = 1")
    with pytest.raises(UsageError, match="has no function f"):
        load_functions(tmp_path / "c.py", goals)


@given(st.text())
def test_numbers_in_any_text_are_finite_or_not_and_never_a_crash(text: str) -> None:
    """An answer may hold anything."""
    assert all(isinstance(number, float) for number in numbers_in(text))


def test_wilson_is_the_published_interval() -> None:
    """10 of 20 gives 0.299 … 0.701; the ends stay inside 0 … 1."""
    found = wilson(0.5, 20)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2993, 0.7007)
    assert wilson(0, 10).low == 0
    assert round(wilson(0, 10).high, 4) == 0.2775
    assert wilson(1, 10).high == 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_a_bootstrap_interval_holds_within_the_values(values: list[float]) -> None:
    """And is the same each time."""
    found = bootstrap(values)
    assert found == bootstrap(values)
    assert min(values) - 1e-6 <= found.low <= found.high <= max(values) + 1e-6
    assert math.isclose(found.mean, math.fsum(values) / len(values), abs_tol=1e-9)


def test_repeats_of_a_goal_do_not_narrow_the_interval() -> None:
    """Ten attempts at one goal are one goal."""
    one = scores([RESULT])
    many = scores([replace(RESULT, repeat=n) for n in range(1, 11)])
    assert one[0].success == many[0].success
    assert many[0].attempts == 10


def test_reports_hold_whatever_text_there_is() -> None:
    """Markup, control codes and lone surrogates of a model break no report."""
    odd = replace(RESULT, goal='<&">\x00\x1b[31m\ud800', model="]]>", wrong="no\x08\n<b>", answer="\x1b]0;x\x07 & <c>")
    ElementTree.fromstring(report.junit([odd, RESULT], "a<b").encode("utf-8"))
    ElementTree.fromstring(report.svg(scores([odd]), "a<b").encode("utf-8"))
    json.dumps(report.as_json(scores([odd]), [odd], 0.0))
    shown = "".join(
        text for line in [*report.failures([odd]), *report.table(scores([odd]))] for text, _ in (*line.head, *line.body)
    )
    assert "\x1b" not in shown


def test_a_result_cut_in_two_is_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    """kill -9 may leave half a line."""
    results = Results(tmp_path / "r")
    results.add(RESULT)
    results.close()
    with (tmp_path / "r" / "results.jsonl").open("ab") as file:
        file.write(b'{"goal": "half')
    again = Results(tmp_path / "r")
    assert list(again.done.values()) == [RESULT]
    again.add(replace(RESULT, repeat=2))
    with pytest.raises(UsageError, match="another process"):
        Results(tmp_path / "r")
    again.close()
    assert len(Results(tmp_path / "r").done) == 2


def test_a_goal_line_takes_each_check_by_its_name() -> None:
    """`schema` is written as people write it."""
    line = GoalLine.model_validate({"goal": "a", "schema": {"type": "object"}})
    assert line.schema_ == {"type": "object"}
