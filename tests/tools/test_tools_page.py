"""The page about the tools says what the tools are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outrider.tools.builtin import BUILT_IN, built_in

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
ELSEWHERE = {"python", "shell"}


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - ELSEWHERE))
def test_the_page_names_every_tool_its_parameters_effect_and_origin(name: str) -> None:
    """What is written there is what a run does."""
    row = re.search(rf"^\| `{name}\((.*?)\)` \|.*$", PAGE, re.MULTILINE)
    assert row, f"docs/tools.md has no row for {name}"
    tool = built_in(name)
    named = {part.split("=")[0].strip() for part in row[1].split(",")}
    assert named == set(tool.parameters["properties"])
    effect, origin = (cell.strip() for cell in row[0].strip("| ").split("|")[-2:])
    assert effect.startswith(tool.effect_of({}))
    assert origin == tool.origin
    assert tool.description.endswith(".")
