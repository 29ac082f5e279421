"""The picture of a plan: each step is named once, by its words or its id, with its tool below."""

from __future__ import annotations

from outrider.agent.plan.graph import Node
from outrider.agent.review.page.graph import plan


def test_a_step_without_words_is_named_by_its_id() -> None:
    """Such a step holds the name of its tool as its text; the tool is not shown twice, and `@id` can be found."""
    picture = plan(
        [Node("rates", "web_search", (), "done", "web_search", ()), Node("b", "sum up", ("rates",), "ready", "", ())]
    )
    assert picture.count("web_search") == 1
    assert '<text class="name" x="12" y="23">rates</text>' in picture
    assert "sum up" in picture
