"""`sql_query`: reads the person's databases, changes nothing, and never opens the agent's own memory."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outrider.memory.store import Store
from outrider.tools.data.sql_query import sql_query
from outrider.tools.tool import ToolContext, ToolError
from tests.servers.postgres import PostgresServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, spent NUMERIC)")
        database.executemany("INSERT INTO customers (name, spent) VALUES (?, ?)", [("Ann", 10.5), ("Bob", 3)])
        database.execute("CREATE VIEW rich AS SELECT * FROM customers WHERE spent > 5")
    database.close()
    return tmp_path


def ask(folder: Path, sql: str = "", database: str = "shop.db", *, seconds: float = 60, **settings: Any) -> str:
    context = ToolContext(workspace=folder, settings=settings, seconds_left=lambda: seconds)
    answer = sql_query.run(sql_query.check({"database": database, "sql": sql}), context)
    assert isinstance(answer, str)
    return answer


def test_sql_query_lists_tables_and_columns_when_it_is_asked_nothing(folder: Path) -> None:
    """What a model needs before it can ask."""
    assert ask(folder) == (
        "2 tables in shop.db:\ncustomers: 2 rows; id INTEGER, name TEXT, spent NUMERIC\n"
        "rich (view): 1 row; id INTEGER, name TEXT, spent NUMERIC"
    )


def test_sql_query_answers(folder: Path) -> None:
    """One row by name, more as a table, none in words."""
    assert ask(folder, "SELECT count(*) AS customers FROM customers") == "customers: 2"
    assert ask(folder, "SELECT name, spent FROM customers") == "2 rows:\nname | spent\nAnn | 10.5\nBob | 3"
    assert ask(folder, "SELECT * FROM customers WHERE name = 'Zoe'") == "no match: 0 rows"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM customers", "UPDATE customers SET spent = 0", "INSERT INTO customers VALUES (9, 'x', 1)",
        "DROP TABLE customers", "CREATE TABLE x (a)", "ATTACH 'other.db' AS o", "VACUUM INTO 'copy.db'", "PRAGMA writable_schema = 1",
        "SELECT 1; DELETE FROM customers", "SELECT load_extension('x')", "BEGIN", "REINDEX",
        "WITH d AS (SELECT 1) DELETE FROM customers", "SELECT * FROM pragma_database_list", "ANALYZE",
    ],
)  # fmt: skip
def test_sql_query_changes_nothing(folder: Path, sql: str) -> None:
    """Refused in words; the file and the folder stay as they are."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ToolError):
        ask(folder, sql)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_sql_query_says_what_would_be_right(folder: Path) -> None:
    """A near column, a near table, a near file."""
    with pytest.raises(ToolError, match=r"did you mean name\?"):
        ask(folder, "SELECT nme FROM customers")
    with pytest.raises(ToolError, match=r"did you mean customers\?"):
        ask(folder, "SELECT * FROM custmers")
    with pytest.raises(ToolError, match=r"did you mean shop\.db\?"):
        ask(folder, database="shp.db")
    (folder / "a.csv").write_text("a\n1\n")
    with pytest.raises(ToolError, match="use table"):
        ask(folder, database="a.csv")


def test_sql_query_ends_when_time_is_up(folder: Path) -> None:
    """A query without end."""
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
    with pytest.raises(ToolError, match="time was up"):
        ask(folder, endless, seconds=1)


def test_sql_query_never_reads_the_agents_own_memory(folder: Path) -> None:
    """Not under any name, not named by a person either: what strangers wrote would come back as trusted."""
    url = f"sqlite:///{folder / 'memory.db'}"
    Store(url).close()
    for name, settings in (("memory.db", {}), ("mine", {"databases": {"mine": url}})):
        with pytest.raises(ToolError, match="own memory"):
            ask(folder, "SELECT * FROM events", name, **settings)


@pytest.mark.parametrize(
    "address", ["postgresql://me:pw@host/x", "sqlite:////etc/passwd", "../outside.db", "/etc/passwd"]
)
def test_sql_query_takes_no_address_from_a_model(folder: Path, address: str) -> None:
    """Only names and files of the workspace."""
    with pytest.raises(ToolError, match=r"only a person names databases|outside the workspace"):
        ask(folder, "SELECT 1", address)


def test_sql_query_refuses_a_named_address_that_holds_a_password(folder: Path) -> None:
    """Settings are kept with the run; a secret is referred to by name."""
    with pytest.raises(ToolError, match="would be kept with the run") as refused:
        ask(folder, "SELECT 1", "shop", databases={"shop": "postgresql://me:hunter2@127.0.0.1:1/x"})
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ToolError, match="there is no secret SHOP_PASSWORD"):
        ask(folder, "SELECT 1", "shop", databases={"shop": "postgresql://me:{{secret:SHOP_PASSWORD}}@127.0.0.1:1/x"})


def test_sql_query_refuses_a_database_that_could_be_changed(folder: Path) -> None:
    """Only where the database itself keeps to reading."""
    with pytest.raises(ToolError, match="cannot be kept from being changed"):
        ask(folder, "SELECT 1", "shop", databases={"shop": "mysql://127.0.0.1/x"})


@pytest.mark.postgres
def test_sql_query_reads_postgres_and_changes_nothing(folder: Path, postgres: PostgresServer) -> None:
    """A read-only transaction, one prepared statement, and the server's own clock."""
    url = postgres.new_database()
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as own:
        own.execute("CREATE TABLE customers (id int, name text, spent numeric(9, 2))")
        own.execute("INSERT INTO customers VALUES (1, 'Ann', 10.50), (2, 'Bob', 3)")
    named = {"databases": {"shop": url}}
    assert ask(folder, database="shop", **named) == (
        "1 table in shop:\ncustomers: id integer, name text, spent numeric"
    )
    assert ask(folder, "SELECT sum(spent) AS total FROM customers;", "shop", **named) == "total: 13.50"
    for sql in (
        "DELETE FROM customers", "WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d", "SELECT 1; DELETE FROM customers",
        "SELECT 1) q; COMMIT; DELETE FROM customers; SELECT * FROM (SELECT 1", "COPY customers TO PROGRAM 'true'", "COMMIT",
        "SELECT setval('s', 1)", "DO $$ BEGIN DELETE FROM customers; END $$", "SELECT pg_read_file('/etc/passwd')",
        'SELECT "pg_read_file" (\'/etc/passwd\')', "SELECT pg_catalog.PG_LS_DIR('/')", "SELECT lo_export(1, '/tmp/x')",
        "SELECT query_to_xml('SELECT pg_read_'||'file(''/etc/passwd'')', true, true, '')", "SELECT * FROM ts_stat('SELECT 1')",
        'SELECT U&"pg\\005fread_file"(\'/etc/passwd\')', "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT pg_reload_conf()", "SELECT rolpassword FROM pg_authid",
    ):  # fmt: skip
        with pytest.raises(ToolError):
            ask(folder, sql, "shop", **named)
    assert ask(folder, "SELECT count(*) AS n FROM customers", "shop", **named) == "n: 2"
    with pytest.raises(ToolError, match="time was up"):
        ask(folder, "SELECT pg_sleep(20)", "shop", seconds=1, **named)
    with pytest.raises(ToolError, match=r"did you mean name\?"):
        ask(folder, "SELECT nme FROM customers", "shop", **named)
    Store(url).close()
    with pytest.raises(ToolError, match="own memory"):
        ask(folder, "SELECT * FROM events", "shop", **named)
