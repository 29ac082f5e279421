"""A file of goals as people write them: every kind of line, and every kind of mistake."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from outrider.agent.fleet.lines import Item, Wrong, item_of, items_of, kind_of, read_lines
from outrider.memory.errors import UsageError


def read(data: bytes | str, kind: str = "jsonl") -> list[Item | Wrong]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_lines(io.BytesIO(raw), kind))  # type: ignore[arg-type]


def goals(found: list[Item | Wrong]) -> list[str]:
    return [one.line.goal for one in found if isinstance(one, Item)]


@pytest.mark.parametrize(
    "line",
    [
        '{"goal": ',
        "[1, 2]",
        "7",
        '{"goal": ""}',
        '{"goal": "   "}',
        '{"goal": 7}',
        '{"goals": "a"}',
        '{"goal": "a", "budget": {"usd": -1}}',
        '{"goal": "a", "budget": {"dollars": 1}}',
        '{"goal": "a", "budget": {"usd": {"a": 1}}}',
        '{"goal": "a", "model": "nobody:x"}',
        '{"goal": "a", "schema": "name widget"}',
        '{"goal": "a", "schema": {"type": "nothing"}}',
        "{" * 100_000,
        '{"goal": "a", "tools": [""]}',
    ],
)
def test_a_wrong_line_is_named_with_why_and_the_rest_goes_on(line: str) -> None:
    """The lines before and after it are read; what is wrong is told with the number of its line."""
    found = read(f'{{"goal": "one"}}\n{line}\n{{"goal": "two"}}\n')
    assert goals(found) == ["one", "two"]
    wrong = [one for one in found if isinstance(one, Wrong)]
    assert [one.number for one in wrong] == [2]
    assert wrong[0].why
    assert len(wrong[0].why) < 1000


def test_marks_of_other_systems_are_no_part_of_a_goal() -> None:
    """A byte order mark, Windows line ends, no line end at the end of the file, empty lines."""
    found = read(b'\xef\xbb\xbf{"goal": "one"}\r\n\r\n   \n"two"\r\n{"goal": "three"}')
    assert goals(found) == ["one", "two", "three"]
    assert [one.number for one in found] == [1, 4, 5]
    assert goals(read(b"\xef\xbb\xbfone\r\n# not this\r\ntwo", "plain")) == ["one", "two"]


def test_bytes_that_are_no_text_make_one_wrong_line() -> None:
    """Latin-1 in one line leaves the others as they are."""
    found = read(b'{"goal": "one"}\n{"goal": "caf\xe9"}\n{"goal": "two"}\n')
    assert goals(found) == ["one", "two"]
    assert isinstance(found[1], Wrong)
    assert "UTF-8" in found[1].why


def test_a_line_without_end_is_not_held_whole() -> None:
    """A line above the most is one mistake, whatever its length, and the next one is read."""
    found = read(b'{"goal": "' + b"x" * (40 * 1024 * 1024) + b'"}\n{"goal": "two"}\n')
    assert [type(one) for one in found] == [Wrong, Item]
    assert [one.number for one in found] == [1, 2]


def test_csv_rows_are_goals_with_limits_in_columns_of_their_own() -> None:
    """A quoted goal may hold lines and commas; a row with too many cells is named by the line it begins at."""
    found = read('goal,usd,steps,schema\n"one, \nand more",0.5,,\ntwo,,7,"name, age int"\nx,1,1,,,9\nlast,,,\n', "csv")
    assert goals(found) == ["one, \nand more", "two", "last"]
    assert [one.number for one in found] == [2, 4, 5, 6]
    first, second = (one for one in found[:2] if isinstance(one, Item))
    assert first.line.budget == {"usd": "0.5"}
    assert second.line.schema_ is not None
    with pytest.raises(UsageError, match="column goal"):
        read("what,usd\na,1\n", "csv")
    with pytest.raises(UsageError, match="price"):
        read("goal,price\na,1\n", "csv")


def test_a_goal_is_the_same_wherever_and_however_it_is_written() -> None:
    """Order of fields, spaces and the place in the file do not matter; any field that says something else does."""
    spelt = ['{"goal": "a", "label": "x"}', '{ "label":"x",\t"goal":"\\u0061" }']
    one, two = (item for line in spelt for item in read(line) if isinstance(item, Item))
    assert one.digest == two.digest
    plain, alone = read("a", "plain")[0], next(iter(items_of(["a"])))
    assert isinstance(plain, Item)
    assert isinstance(alone, Item)
    assert plain.digest == alone.digest != one.digest
    again = item_of(9, {"goal": "a", "id": "second"})
    assert isinstance(again, Item)
    assert again.digest != alone.digest


def test_a_million_lines_are_read_one_by_one(tmp_path: Path) -> None:
    """The first goal is there before the last line is read."""
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(json.dumps({"goal": f"g{n}"}) for n in range(100_000)))
    with file.open("rb") as opened:
        found = read_lines(opened, "jsonl")
        assert isinstance(next(found), Item)
        assert opened.tell() < 1_000_000


@pytest.mark.parametrize(
    ("name", "first", "kind"),
    [
        ("a.jsonl", b"x", "jsonl"),
        ("a.csv", b"{", "csv"),
        ("a.txt", b"{", "plain"),
        ("a", b'\xef\xbb\xbf {"goal"', "jsonl"),
        ("a", b"What is it?", "plain"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_name_or_its_beginning(name: str, first: bytes, kind: str) -> None:
    """A name that says nothing leaves it to the first character."""
    assert kind_of(Path(name), first) == kind
