"""What a grammar cannot hold a model to, the toolbox refuses with the line that shows a right call."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from outrider.tools import tool
from outrider.tools.tool import ToolError
from outrider.tools.toolbox import Toolbox


@tool
def book(
    seats: Annotated[int, Field(ge=1, le=8)],
    code: Annotated[str, Field(pattern=r"^(?:AB|CD)-\d{3}$")] = "AB-000",
    share: Annotated[float, Field(gt=0, le=1)] = 1.0,
) -> str:
    """Book seats."""
    return "booked"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ('{"seats": 0}', "seats"), ('{"seats": 9}', "seats"), ('{"seats": 2, "code": "EF-123"}', "code"),
        ('{"seats": 2, "code": "AB-12"}', "code"), ('{"seats": 2, "share": 1.5}', "share"),
    ],
)  # fmt: skip
def test_value_out_of_range_or_pattern_is_refused_with_a_right_call(arguments: str, named: str) -> None:
    """The value is named, what it must be, and how the tool is called."""
    box: Any = Toolbox([book])
    with pytest.raises(ToolError) as refused:
        box.prepare("book", arguments)
    assert named in str(refused.value)
    assert "book(seats" in refused.value.fix
