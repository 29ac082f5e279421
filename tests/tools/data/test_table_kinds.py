"""Cells as accountants, scales and clocks write them: read as what they mean, and said how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.data.test_table import ask


@pytest.mark.parametrize(
    ("cells", "total", "told"),
    [
        (['"(1,234.50)"', '"2,000.00"', "(5.25)"], "760.25", "is read as"),
        (["$(10.50)", "$20.00", "($1.25)"], "8.25", "is read as"),
        (["12.5%", "7.25 %", "-1%"], "18.75", "percent"),
        (["(3)", "(4)"], "-7", "is read as -"),
    ],
)
def test_negatives_in_parentheses_and_percentages_are_exact_numbers(
    tmp_path: Path, cells: list[str], total: str, told: str
) -> None:
    """Every digit is kept, and the answer says how a cell was read."""
    (tmp_path / "a.csv").write_text("what,value\n" + "".join(f"x{n},{cell}\n" for n, cell in enumerate(cells)))
    said = ask(tmp_path, "SELECT sum(value) AS total FROM t", "a.csv")
    assert total in said
    assert told in said


def test_decimal_commas_in_parentheses_and_percentages_too(tmp_path: Path) -> None:
    """A file with semicolons."""
    (tmp_path / "a.csv").write_text("a;b;c\nx;(1.234,50);12,5%\ny;10,00;2,5%\n")
    said = ask(tmp_path, "SELECT sum(b) AS b, sum(c) AS c FROM t", "a.csv")
    assert "-1224.5" in said
    assert "15.0" in said


def test_times_with_an_offset_are_times_in_utc(tmp_path: Path) -> None:
    """The difference between two zones is not lost, and the answer says what the times are."""
    (tmp_path / "a.csv").write_text(
        "n,moment\n1,2026-03-01T10:00:00+02:00\n2,2026-03-01T10:00:00Z\n3,2026-03-01 23:30:00.5-0530\n4,2026-03-01T10:00+01\n"
    )
    said = ask(tmp_path, "SELECT n, moment FROM t ORDER BY moment, n", "a.csv")
    assert "UTC" in said
    rows = [line for line in said.splitlines() if "2026-03-0" in line and "read as" not in line]
    assert "08:00:00" in rows[0]
    assert "09:00:00" in rows[1]
    assert "10:00:00" in rows[2]
    assert "2026-03-02 05:00:00.5" in rows[3]


def test_text_that_only_looks_like_it_stays_text(tmp_path: Path) -> None:
    """Notes in parentheses, two percentages in a cell, a time without a date."""
    (tmp_path / "a.csv").write_text("a,b\n(see note),5%-10%\n(none),10%-20%\n")
    said = ask(tmp_path, "", "a.csv")
    assert "a (text)" in said
    assert "b (text)" in said
