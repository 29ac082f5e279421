"""docs/threats.md: every promise names the test that holds it, and every test it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
FILES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
FUNCTIONS = {
    name
    for path in FILES.values()
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}
# Tables of promises, by the last column's head; the rest of the page are attackers and differences.
HELD_BY = ("test", "where it is attacked")


def promises() -> list[tuple[str, str]]:
    """(promise, what its last column names) of every row of a table of promises."""
    rows, inside = [], False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1] in HELD_BY:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            rows.append((cells[0], cells[-1]))
    return rows


def test_every_promise_names_a_test() -> None:
    """A promise without one is a wish."""
    assert len(promises()) > 25
    assert [promise for promise, held in promises() if not re.search(r"test_\w+", held) and held != "the same"] == []


@pytest.mark.parametrize("named", sorted(set(re.findall(r"(?:tests/[\w/]+/)?test_\w+(?:\.py)?", PAGE))))
def test_a_test_that_is_named_is_there(named: str) -> None:
    """A renamed test is renamed here too."""
    if named.startswith("tests/"):
        assert (ROOT / named).is_file()
    elif named.endswith(".py"):
        assert named in FILES
    else:
        assert named in FUNCTIONS
