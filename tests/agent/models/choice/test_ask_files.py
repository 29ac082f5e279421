"""A model that only points reads the files that came with a goal in the goal's own sentence."""

from __future__ import annotations

from outrider.agent.context.goal import goal_text
from outrider.agent.models.choice.ask import read_view
from outrider.agent.models.model import GOAL, Message
from outrider.memory.events import Attachment


def test_files_that_came_with_a_goal_are_named_in_its_sentence() -> None:
    """ "what is the total of amount?" with sales.csv is asked as "… in sales.csv?", however many files and notes there are."""
    files = (
        Attachment(name="a.csv", path="a.csv", note="too long to be shown whole"),
        Attachment(name="b", path="b.csv"),
    )
    text = goal_text("what is the total of amount?", files[:1])
    assert read_view([Message("user", text, label=GOAL)], []).goal == "what is the total of amount in a.csv?"
    text = goal_text("compare", files)
    assert read_view([Message("user", text, label=GOAL)], []).goal == "compare in a.csv and b.csv?"
    assert read_view([Message("user", "plain?", label=GOAL)], []).goal == "plain?"
