"""`table`: SQL over files, the exact number, whatever the file looks like, and nothing else within reach."""

from __future__ import annotations

import csv
import io
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.memory.errors import OutriderError
from outrider.tools.data import table_process
from outrider.tools.data.table import table
from outrider.tools.tool import ToolContext, ToolError

SALES = "city,amount,day\nOslo,10.10,2026-01-02\nBergen,20.20,2026-01-01\nOslo,0.30,2026-03-01\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sales.csv").write_text(SALES)
    return tmp_path


def ask(folder: Path, sql: str = "", path: str = "sales.csv", path2: str = "") -> str:
    """What the child says, in this process: a fraction of the time."""
    files: list[dict[str, Any]] = []
    for name, one in ((path, "t"), (path2, "t2")):
        if name:
            files.append({"descriptor": os.open(folder / name, os.O_RDONLY), "name": name, "table": one})
    scratch = folder / ".scratch"
    scratch.mkdir(exist_ok=True)
    return table_process.answer({"sql": sql, "folder": str(scratch), "files": files})


async def through_a_child(folder: Path, **arguments: str) -> str:
    answer = await table.run(table.check(arguments), ToolContext(workspace=folder))
    assert isinstance(answer, str)
    return answer


async def test_table_says_what_is_in_a_file_when_it_is_asked_nothing(folder: Path) -> None:
    """Rows, columns with their types, and the first rows."""
    assert await through_a_child(folder, path="sales.csv") == (
        "3 rows and 3 columns in sales.csv\ncolumns: city (text), amount (number), day (date)\nfirst 3 rows:\n"
        "city | amount | day\nOslo | 10.10 | 2026-01-02\nBergen | 20.20 | 2026-01-01\nOslo | 0.30 | 2026-03-01"
    )


async def test_table_answers_one_row_by_name_and_more_as_a_table(folder: Path) -> None:
    """Sums of money keep every digit."""
    assert await through_a_child(folder, path="sales.csv", sql="SELECT sum(amount) AS total FROM t") == "total: 30.60"
    by_city = ask(folder, "SELECT city, sum(amount) AS total FROM t GROUP BY city ORDER BY total DESC")
    assert by_city == "2 rows:\ncity | total\nBergen | 20.20\nOslo | 10.40"


def test_table_joins_a_second_file(folder: Path) -> None:
    """It is the table t2."""
    (folder / "people.csv").write_text("city,people\nOslo,700000\nBergen,290000\n")
    said = ask(folder, "SELECT sum(people) AS people FROM t JOIN t2 USING (city) WHERE amount > 5", path2="people.csv")
    assert said == "people: 990000"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{other}')", "SELECT * FROM '{other}'", "SELECT * FROM read_text('{other}')",
        "SELECT * FROM read_blob('{other}')", "SELECT * FROM glob('/etc/*')", "SELECT * FROM sniff_csv('{other}')",
        "SELECT * FROM read_json('{other}')", "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x')", "COPY t TO '{other}.out'", "ATTACH '{other}.db'", "INSTALL httpfs",
        "LOAD httpfs", "SET enable_external_access = true", "DROP TABLE t", "CREATE TABLE x AS SELECT 1", "SELECT 1; SELECT 2",
        "EXPORT DATABASE '{other}.d'", "PRAGMA enable_profiling", "CALL pragma_version()", "SELECT * FROM asked",
        "SELECT * FROM query('COPY t TO ''{other}.out''')", "SELECT * FROM read_duckdb('{other}')", "UPDATE t SET city = 'x'",
    ],
)  # fmt: skip
def test_table_reads_nothing_but_the_given_file(folder: Path, sql: str) -> None:
    """No other file, no network, no extension, no setting, no change: whatever a model was told to write."""
    other = folder / "other.csv"
    other.write_text("key\nhunter2\n")
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(OutriderError) as refused:
        ask(folder, sql.format(other=other))
    assert "hunter2" not in str(refused.value)
    assert sorted(p.name for p in folder.iterdir() if p.name != ".scratch") == before


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
        ("old.csv", "a,b\r1,2\r3,4\r", 2),
        ("no-end.csv", "a,b\n1,2", 1),
        ("ragged.csv", "a,b\n1\n1,2,3\n", 2),
        ("only-header.csv", "a,b\n", 0),
        ("list.json", '[{"a": 1}, {"a": 2, "b": null}]', 2),
        ("lines.jsonl", '{"a": 1}\n\n{"a": 2}\n', 2),
        ("inside.json", '{\n "data": [{"a": 1}, {"a": 2}],\n "next": null\n}', 2),
        ("numbers.json", "[1, 2.5, 3]", 3),
    ],
)
def test_table_counts_rows_of_every_shape_of_table(folder: Path, name: str, text: str, rows: int) -> None:
    """Delimiters, quotes, blank lines, line ends and JSON forms people really have."""
    (folder / name).write_text(text, newline="")
    assert ask(folder, "SELECT count(*) AS rows FROM t", name).split("\n")[0] == f"rows: {rows}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250"])
def test_table_reads_marks_and_other_encodings(folder: Path, encoding: str) -> None:
    """A byte-order mark is no part of the first column's name; a code page is found and said to be a guess."""
    row = "Größe für Müller über Köln und Zürich,2,schön\n"
    (folder / "m.csv").write_bytes(("straße,zahl,wört\n" + row * 40).encode(encoding))
    said = ask(folder, 'SELECT sum(zahl) AS s, max("straße") AS m FROM t', "m.csv")
    assert said.startswith("s: 80\nm: Größe für Müller über Köln und Zürich")
    assert ("note: read as" in said) == encoding.startswith("cp")


def test_table_finds_an_odd_byte_far_behind_the_beginning(folder: Path) -> None:
    """One é of windows-1252 after 100,000 plain bytes is no U+FFFD."""
    (folder / "late.csv").write_bytes(b"name,n\n" + b"plain,1\n" * 20_000 + b"Caf\xe9,2\n")
    assert "Café" in ask(folder, "SELECT name FROM t WHERE n = 2", "late.csv")


def test_table_skips_excels_own_delimiter_line(folder: Path) -> None:
    """`sep=;` names the delimiter and is no header."""
    (folder / "excel.csv").write_text("sep=;\nname;price\na;1,5\nb;2,25\n")
    said = ask(folder, "SELECT sum(price) AS total FROM t", "excel.csv")
    assert said.startswith("total: 3.75")


def test_table_says_what_it_did_with_odd_rows_and_names(folder: Path) -> None:
    """Cells beyond the header, missing cells, a name twice: nothing is dropped in silence."""
    (folder / "odd.csv").write_text("a,a,,A\n1,2,3,4\n5,6,7,8,9\n1\n")
    said = ask(folder, path="odd.csv")
    assert "columns: a (whole number), a_2 (whole number), column_3 (whole number), A_3 (whole number)" in said
    assert "a is the name of more than one column: column 2 is called a_2" in said
    assert "1 row has (line 3) more cells than the header: the cells beyond it are left out" in said
    assert "1 row has (line 4) fewer cells than the header: the rest is taken as empty" in said


@settings(max_examples=25, deadline=None)
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
    assert Decimal(ask(folder, "SELECT sum(x) AS s FROM t", "n.csv").split(" ")[1]) == sum(numbers)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_table_reads_back_what_a_csv_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Any text in any cell, quoted as it must be: as many rows come back."""
    folder = tmp_path_factory.mktemp("csv")
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    (folder / "w.csv").write_text(buffer.getvalue(), encoding="utf-8", newline="")
    assert ask(folder, "SELECT count(*) AS n FROM t", "w.csv").split("\n")[0] == f"n: {len(rows)}"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.tsv", "x.json", "x.txt", "x.xlsx"]))
def test_table_gives_an_answer_or_a_clear_error_for_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    """Noise is no crash."""
    folder = tmp_path_factory.mktemp("noise")
    (folder / name).write_bytes(content)
    try:
        assert ask(folder, path=name)
    except OutriderError:
        return


@pytest.mark.parametrize(
    ("cells", "kind", "total", "note"),
    [
        (["1,234.50", "$12", "0.5"], "number", "1247.00", "is read as"),
        (["1", "2", "n/a"], "whole number", "3", "1 cell without whole numbers (such as 'n/a') counts as empty"),
        (["1.10", "2.20"], "number", "3.30", ""),
        (["12345678901234567890", "1"], "number", "12345678901234567891", ""),
        (["1e3", "2.5"], "number", "1002.5", ""),
        (["-5", "+3"], "whole number", "-2", ""),
        (["12,50 €", "1.000,25 €"], "number", "1012.75", "is read as"),
    ],
)
def test_table_reads_numbers_as_people_write_them(
    folder: Path, cells: list[str], kind: str, total: str, note: str
) -> None:
    """Thousands, currency and missing values; what is read otherwise than it is written is said."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["id", "x"], *([str(n), cell] for n, cell in enumerate(cells))])
    (folder / "n.csv").write_text(buffer.getvalue())
    assert f"x ({kind})" in ask(folder, path="n.csv")
    said = ask(folder, "SELECT sum(x) AS s FROM t", "n.csv")
    assert said.split("\n")[0] == f"s: {total}"
    assert note in said


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["007", "012"], "text"),
        ([*map(str, range(10000, 10050)), "01234"], "text"),
        (["2026-01-02", "2025-12-31"], "date"),
        (["31.12.2025", "02.01.2026"], "date"),
        (["31/12/2025", "02/01/2026"], "date"),
        (["12/31/2025", "01/02/2026"], "date"),
        (["03/04/2026", "01/02/2026"], "text"),
        (["2026-01-02 10:00:00", "2026-01-02T11:00"], "time"),
        (["true", "false"], "true or false"),
        (["Oslo", "12"], "text"),
    ],
)
def test_table_gives_a_column_the_type_all_its_cells_have(folder: Path, cells: list[str], kind: str) -> None:
    """A code with leading zeros is no number, and 03/04/2026 no date: it has two readings."""
    (folder / "c.csv").write_text("x,y\n" + "".join(f"{cell},\n" for cell in cells))
    assert f"x ({kind})" in ask(folder, path="c.csv")


def test_table_says_what_would_be_right(folder: Path) -> None:
    """A wrong column, table, value or file: each names what is there."""
    with pytest.raises(OutriderError, match=r"did you mean amount\?"):
        ask(folder, "SELECT amuont FROM t")
    with pytest.raises(OutriderError, match="there is t"):
        ask(folder, "SELECT * FROM sales")
    with pytest.raises(OutriderError, match="text goes in 'single quotes'"):
        ask(folder, 'SELECT * FROM t WHERE city = "Oslo"')
    assert ask(folder, "SELECT * FROM t WHERE city = 'oslo'") == (
        "no match: 0 rows; city has values such as Oslo, Bergen"
    )


def test_table_says_how_it_read_what_may_be_thousands(folder: Path) -> None:
    """1.234 between semicolons may be either."""
    (folder / "de.csv").write_text("n;m\n1.234;1\n2.345;2\n")
    said = ask(folder, "SELECT sum(n) AS s FROM t", "de.csv")
    assert said == "s: 3.579\nnote: n: numbers such as 1.234 are read with a decimal point, not as thousands"


def test_table_keeps_what_is_inside_a_json_cell(folder: Path) -> None:
    """Numbers stay numbers, and names of columns are one line."""
    (folder / "in.json").write_text('[{"a\\nb": {"x": [1, 2.50, null, true, "é"]}}]')
    assert ask(folder, 'SELECT "a b" FROM t', "in.json") == 'a b: {"x": [1, 2.50, null, true, "é"]}'


async def test_table_names_a_near_file(folder: Path) -> None:
    """`slaes.csv` is one slip away."""
    with pytest.raises(ToolError, match=r"did you mean sales\.csv"):
        await through_a_child(folder, path="slaes.csv")


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
        ("README.md", "# Title\n\nSome prose, with a comma.\n\nMore, of, it.\nAnd a line\n- a list\n- of, things\n"),
    ],
)
async def test_table_refuses_what_is_no_table_with_a_reason(folder: Path, name: str, text: str) -> None:
    """Damaged and hostile files, and prose, end with a sentence."""
    (folder / name).write_text(text)
    with pytest.raises(ToolError):
        await through_a_child(folder, path=name)


def test_table_reads_a_workbook_with_its_sheets(folder: Path) -> None:
    """The first sheet is t, the others have their own names; decimals stay what was typed."""
    from openpyxl import Workbook

    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Sales"
    for row in (["city", "amount"], ["Oslo", 0.1], ["Bergen", 0.2]):
        first.append(row)
    people = book.create_sheet("People of 2026")
    people.append(["name"])
    people.append(["Ann"])
    book.save(folder / "b.xlsx")
    assert ask(folder, "SELECT sum(amount) AS total FROM t", "b.xlsx").split("\n")[0] == "total: 0.3"
    said = ask(folder, 'SELECT name FROM "People of 2026"', "b.xlsx")
    assert said.split("\n") == ["name: Ann", 'note: t is its first sheet; the others are "People of 2026"']


def test_table_says_when_a_workbook_was_never_calculated(folder: Path) -> None:
    """A formula that a program wrote has no value yet: an empty sum would be wrong without a word."""
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    for row in (["a", "b"], [1, "=A2*2"], [2, "=A3*2"]):
        book.active.append(row)
    book.save(folder / "f.xlsx")
    assert "note: 2 formulas have no stored value and count as empty" in ask(
        folder, "SELECT sum(a) AS s FROM t", "f.xlsx"
    )


def test_table_reads_parquet(folder: Path) -> None:
    """The file's own types."""
    import duckdb

    duckdb.sql("SELECT 1.10::DECIMAL(9, 2) AS x UNION ALL SELECT 2.25").write_parquet(str(folder / "p.parquet"))
    assert ask(folder, "SELECT sum(x) AS s FROM t", "p.parquet") == "s: 3.35"


def test_table_shows_a_hundred_rows_and_says_how_many_there_are(folder: Path) -> None:
    """What is left out is counted."""
    said = ask(folder, "SELECT * FROM range(5000)")
    assert said.startswith("5,000 rows, the first 100:\nrange\n0\n")
    assert len(said.splitlines()) == 102


async def test_table_ends_when_time_is_up(folder: Path) -> None:
    """A query without end is stopped from outside, and leaves nothing behind."""
    hurried = ToolContext(workspace=folder, seconds_left=lambda: 3.0)
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    with pytest.raises(ToolError, match="time was up"):
        await table.run(table.check({"path": "sales.csv", "sql": endless}), hurried)


def test_table_says_when_a_json_key_comes_too_late(folder: Path) -> None:
    """The columns are those of the first thousand rows."""
    rows = [{"a": 1}] * 1000 + [{"a": 2, "late": 3}]
    (folder / "late.json").write_text(json.dumps(rows))
    assert "late occur only after the first 1,000 rows and are left out" in ask(folder, path="late.json")
