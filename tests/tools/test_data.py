"""`table` and `text_stats`: the right number, first in the answer, whatever the file looks like."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.tools.data import rows as tables
from outrider.tools.data import table as data
from outrider.tools.tool import ToolContext, ToolError

SALES = "city,amount,day\nOslo,10.10,2026-01-02\nBergen,20.20,2026-01-01\nOslo,0.30,2026-03-01\n"


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    (tmp_path / "sales.csv").write_text(SALES)
    return ToolContext(workspace=tmp_path)


def table(ctx: ToolContext, operation: str, path: str = "sales.csv", **more: Any) -> str:
    arguments = data.table.check({"path": path, "operation": operation, **more})
    answer = data.table.run(arguments, ctx)
    assert isinstance(answer, str)
    return answer


def stats(ctx: ToolContext, operation: str, **more: Any) -> str:
    answer = data.text_stats.run(data.text_stats.check({"operation": operation, **more}), ctx)
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize(
    ("operation", "more", "answer"),
    [
        ("rows", {}, "3 rows in sales.csv"),
        ("rows", {"where": "city = Oslo"}, "2 rows in sales.csv where city = Oslo"),
        ("rows", {"where": "amount > 1 and city != 'Oslo'"}, "1 row in sales.csv where amount > 1 and city != 'Oslo'"),
        ("rows", {"where": "day >= 2026-01-02"}, "2 rows in sales.csv where day >= 2026-01-02"),
        ("rows", {"where": "city contains erg"}, "1 row in sales.csv where city contains erg"),
        ("columns", {}, "3 columns in sales.csv: city, amount, day"),
        ("sum", {"column": "amount"}, "30.60 is the sum of amount in sales.csv (3 numbers)"),
        ("sum", {"column": "Amount", "where": "city=Oslo"}, "10.40 is the sum of amount in sales.csv where city=Oslo (2 numbers)"),
        ("mean", {"column": "amount"}, "10.2 is the mean of amount in sales.csv (3 numbers)"),
        ("average", {"column": "amount"}, "10.2 is the mean of amount in sales.csv (3 numbers)"),
        ("count", {"column": "city"}, "3 of 3 rows in sales.csv have a value in city"),
        ("unique", {"column": "city"}, "2 different values of city in sales.csv: Oslo (2), Bergen (1)"),
        (
            "max", {"column": "amount"},
            "20.20 is the max of amount in sales.csv (3 numbers); its row: city=Bergen, amount=20.20, day=2026-01-01",
        ),
        (
            "min", {"column": "day"},
            "2026-01-01 is the min of day in sales.csv (3 values, compared as text);"
            " its row: city=Bergen, amount=20.20, day=2026-01-01",
        ),
        ("head", {"where": "city = Bergen"}, "first row in sales.csv where city = Bergen:\ncity | amount | day\nBergen | 20.20 | 2026-01-01"),
    ],
)  # fmt: skip
def test_table_answers_with_the_number_first(
    ctx: ToolContext, operation: str, more: dict[str, str], answer: str
) -> None:
    """One short sentence, the same every time."""
    assert table(ctx, operation, **more) == answer


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("semi.csv", "a;b\n1,5;x\n2,5;y\n", 2),
        ("tabs.tsv", "a\tb\n1\t2\n", 1),
        ("pipes.txt", "a|b|c\n1|2|3\n4|5|6\n", 2),
        ("one.csv", "name\nann\nbob\n", 2),
        ("quoted.csv", 'a,b\n"two\nlines","x, y"\n1,2\n', 2),
        ("blank.csv", "a,b\n1,2\n\n   \n3,4\n\n", 2),
        ("commas.txt", "id\tname, first\n1\tX, Y\n", 1),
        ("dos.csv", "a,b\r\n1,2\r\n3,4\r\n", 2),
        ("no-end.csv", "a,b\n1,2", 1),
        ("ragged.csv", "a,b\n1\n1,2,3\n", 2),
        ("only-header.csv", "a,b\n", 0),
        ("list.json", '[{"a": 1}, {"a": 2, "b": null}]', 2),
        ("lines.jsonl", '{"a": 1}\n\n{"a": 2}\n', 2),
        ("inside.json", '{\n "data": [{"a": 1}, {"a": 2}],\n "next": null\n}', 2),
        ("numbers.json", "[1, 2.5, 3]", 3),
    ],
)
def test_table_counts_rows_of_every_shape_of_table(ctx: ToolContext, name: str, text: str, rows: int) -> None:
    """Delimiters, quotes, blank lines, line ends and JSON forms people really have."""
    (ctx.workspace / name).write_text(text, newline="")
    assert table(ctx, "rows", name).split(" ")[0] == str(rows)


def test_table_takes_the_tab_when_cells_hold_commas(ctx: ToolContext) -> None:
    """Both would cut the same number of cells."""
    (ctx.workspace / "t.txt").write_text("id\tname, first\n1\tX, Y\n")
    assert table(ctx, "columns", "t.txt") == "2 columns in t.txt: id, name, first"


def test_table_reads_marks_and_other_encodings(ctx: ToolContext) -> None:
    """A byte-order mark is no part of the first column's name."""
    for encoding in ("utf-8-sig", "utf-16"):
        (ctx.workspace / "m.csv").write_bytes("größe,b\n1,2\n".encode(encoding))
        assert table(ctx, "sum", "m.csv", column="größe").startswith("1 is")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4),
        min_size=1,
        max_size=30,
    )
)
def test_table_sums_exactly(tmp_path_factory: pytest.TempPathFactory, numbers: list[Decimal]) -> None:
    """No binary fractions, no rounding: the sum is the sum."""
    folder = tmp_path_factory.mktemp("sums")
    (folder / "n.csv").write_text("x,y\n" + "".join(f"{n},0\n" for n in numbers))
    said = table(ToolContext(workspace=folder), "sum", "n.csv", column="x").split(" ")[0]
    assert Decimal(said) == sum(numbers)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=3, max_size=3),
        min_size=2,
        max_size=8,
    )
)
def test_table_reads_back_what_a_csv_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Any text in any cell, quoted as it must be: the same number of rows and the same cells come back."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    stream = io.TextIOWrapper(io.BytesIO(buffer.getvalue().encode()), encoding="utf-8", newline="")
    assert list(tables.read(stream, "x.csv").rows) == rows


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["x.csv", "x.tsv", "x.json", "x.txt"]),
    st.sampled_from(["rows", "head", "unique", "sum", "max"]),
)
def test_table_gives_an_answer_or_a_clear_error_for_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, operation: str
) -> None:
    """Noise is no crash."""
    folder = tmp_path_factory.mktemp("noise")
    (folder / name).write_bytes(content)
    try:
        assert table(ToolContext(workspace=folder), operation, name)
    except ToolError:
        return


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_table_gives_an_answer_or_a_clear_error_for_any_condition(text: str) -> None:
    """Whatever a model writes as a condition."""
    stream = io.TextIOWrapper(io.BytesIO(SALES.encode()), encoding="utf-8", newline="")
    found = tables.read(stream, "x.csv")
    try:
        conditions = data.filters.parse(text, found.columns, found.decimal_comma)
        assert all(isinstance(c.holds(row), bool) for row in found.rows for c in conditions)
    except ToolError:
        return


def test_table_says_what_would_be_right(ctx: ToolContext) -> None:
    """A wrong column, no column, no match, no numbers: each names what is there."""
    with pytest.raises(ToolError, match=r"did you mean amount\?"):
        table(ctx, "sum", column="amuont")
    with pytest.raises(ToolError, match=r"name one of city, amount, day"):
        table(ctx, "sum")
    with pytest.raises(ToolError, match="none of them a number"):
        table(ctx, "sum", column="city")
    with pytest.raises(ToolError, match="has no comparison"):
        table(ctx, "rows", where="city")
    assert (
        table(ctx, "rows", where="city = oslo") == "0 rows in sales.csv where city = oslo; city has values such as Oslo"
    )
    with pytest.raises(ToolError, match=r"did you mean sales\.csv"):
        table(ctx, "rows", "sale.csv")


def test_table_leaves_out_cells_that_are_no_numbers_and_says_so(ctx: ToolContext) -> None:
    """Currency and thousands are numbers; "n/a" and empty cells are not, and are counted."""
    (ctx.workspace / "m.csv").write_text('name,price\na,"$1,234.50"\nb,n/a\nc,\nd,0.5\n')
    assert table(ctx, "sum", "m.csv", column="price") == (
        "1235.00 is the sum of price in m.csv (2 numbers, 1 empty, 1 not numbers and left out)"
    )
    (ctx.workspace / "de.csv").write_text("name;price\na;1,5\nb;2,25\n")
    assert table(ctx, "sum", "de.csv", column="price").startswith("3.75 is")


def test_table_says_so_when_the_first_line_may_be_no_header(ctx: ToolContext) -> None:
    """All numbers up there: the reader is told how it was taken."""
    (ctx.workspace / "n.csv").write_text("1,2\n3,4\n")
    assert table(ctx, "rows", "n.csv") == "1 row in n.csv (the first line is taken as the header)"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("open.csv", 'a,b\n"never closed' + "x\n" * 900_000),
        ("wide.csv", "a,b\n" + "x" * 3_000_000),
        ("half.json", '[{"a": 1}, {"a": '),
        ("deep.json", "[" * 100_000),
        ("bad.jsonl", '{"a": 1}\n{"a": \n'),
        ("empty.csv", ""),
        ("empty.json", "[]"),
    ],
)
def test_table_refuses_what_is_no_table_with_a_reason(ctx: ToolContext, name: str, text: str) -> None:
    """Damaged and hostile files end with a sentence, quickly and in little memory."""
    (ctx.workspace / name).write_text(text)
    with pytest.raises(ToolError):
        table(ctx, "rows", name)


@pytest.mark.parametrize("name", ["big.csv", "big.json", "big.jsonl"])
def test_table_streams_so_that_memory_does_not_grow_with_the_file(ctx: ToolContext, name: str) -> None:
    """A file of 6 MB costs a fraction of that."""
    with (ctx.workspace / name).open("w") as file:
        if name == "big.csv":
            file.write("id,text,amount\n" + "".join(f"{n},{'x' * 100},{n}.5\n" for n in range(60_000)))
        else:
            rows = (json.dumps({"id": n, "text": "x" * 80, "amount": n}) for n in range(50_000))
            file.write("[" + ",\n".join(rows) + "]" if name == "big.json" else "\n".join(rows))
    tracemalloc.start()
    said = table(ctx, "rows", name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said.split(" ")[0] == ("60000" if name == "big.csv" else "50000")
    assert peak < 3_500_000


def test_table_stops_when_time_is_up(ctx: ToolContext) -> None:
    """A table too large for the time it has is an error that says how far it came."""
    (ctx.workspace / "big.csv").write_text("a,b\n" + "1,2\n" * 60_000)
    hurried = ToolContext(workspace=ctx.workspace, seconds_left=lambda: 0.0)
    with pytest.raises(ToolError, match="after 50,000 rows"):
        table(hurried, "rows", "big.csv")


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
