"""`text_stats`: the right number, first in the answer, whatever the text looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.tools.data import text_stats as data
from outrider.tools.tool import ToolContext, ToolError

SALES = "city,amount,day\nOslo,10.10,2026-01-02\nBergen,20.20,2026-01-01\nOslo,0.30,2026-03-01\n"


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    (tmp_path / "sales.csv").write_text(SALES)
    return ToolContext(workspace=tmp_path)


def stats(ctx: ToolContext, operation: str, **more: Any) -> str:
    answer = data.text_stats.run(data.text_stats.check({"operation": operation, **more}), ctx)
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize(
    ("operation", "more", "answer"),
    [
        ("characters", {"text": "héllo 👋"}, "7 characters in the text"),
        ("words", {"text": " one  two\nthree "}, "3 words in the text"),
        ("lines", {"text": "a\nb\nc"}, "3 lines in the text"),
        ("lines", {"text": "a\n"}, "1 line in the text"),
        ("count", {"text": "strawberry", "of": "r"}, '3 times "r" occurs in the text'),
        ("count", {"text": "aaaa", "of": "aa"}, '2 times "aa" occurs in the text'),
        (
            "count",
            {"text": "Mamma", "of": "m"},
            '2 times "m" occurs in the text (3 with upper and lower case the same)',
        ),
        ("reverse", {"text": "stressed"}, "desserts"),
        ("upper", {"text": "straße"}, "STRASSE"),
        ("lower", {"text": "ABC"}, "abc"),
        ("words", {"path": "sales.csv"}, "4 words in sales.csv"),
        ("lines", {"path": "sales.csv"}, "4 lines in sales.csv"),
        ("count", {"path": "sales.csv", "of": "Oslo"}, '2 times "Oslo" occurs in sales.csv'),
    ],
)
def test_text_stats_answers(ctx: ToolContext, operation: str, more: dict[str, str], answer: str) -> None:
    """The number first; a turned text is nothing but the text."""
    assert stats(ctx, operation, **more) == answer


@given(st.text(alphabet="abA \n", max_size=60), st.text(alphabet="ab", min_size=1, max_size=3), st.integers(1, 7))
def test_text_stats_counts_the_same_whatever_the_size_of_the_chunks(text: str, of: str, size: int) -> None:
    """No word, line or occurrence is lost or counted twice at a seam."""

    def chunks() -> Any:
        return (text[i : i + size] for i in range(0, len(text), size))

    assert data._words(chunks()) == len(text.split())
    assert data._occurrences(chunks(), of) == (text.count(of), text.lower().count(of))
    assert data._lines(chunks()) == len(text.split("\n")) - (text.endswith("\n") or not text)


@pytest.mark.parametrize("more", [{}, {"text": "a", "path": "sales.csv"}, {"operation": "count", "text": "a"}])
def test_text_stats_says_what_it_needs(ctx: ToolContext, more: dict[str, str]) -> None:
    """One text, and something to count."""
    with pytest.raises(ToolError, match="needs"):
        stats(ctx, more.get("operation", "words"), **{k: v for k, v in more.items() if k != "operation"})
