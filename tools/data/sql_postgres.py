"""Reads a PostgreSQL database and cannot change it: one prepared statement in a read-only transaction, timed by the server.
May touch: the server at the address it is handed. Does not promise: less than what the role may read.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from outrider.tools.data.rows_text import in_words, many
from outrider.tools.data.sql_errors import explained
from outrider.tools.data.sql_sqlite import OWN, own_memory
from outrider.tools.tool import ToolError

if TYPE_CHECKING:
    from sqlalchemy import URL

MAX_COUNTED = 1001  # rows that are fetched
CONNECT_S = 10
_READS = re.compile(r"\s*(?:--[^\n]*\n\s*)*\(*\s*(select|with|values|table)\b", re.IGNORECASE)
# What a SELECT of a strong role reaches beyond the tables: files and programs of the server, other servers, the server itself,
# and SQL that is hidden in a text. Names as a whole, for none of them is a likely column.
_REACHES = re.compile(
    r"(?<![\w$])(?:pg_read_\w+|pg_ls_\w+|pg_stat_file|pg_file_\w+|pg_current_logfile|lo_import|lo_export|lo_from_bytea|dblink\w*|"
    r"query_to_xml\w*|cursor_to_xml\w*|ts_stat|ts_rewrite|set_config|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|"
    r"pg_rotate_logfile|pg_promote|pg_switch_wal|pg_create_restore_point|pg_hba_file_rules|pg_file_settings|pg_authid|pg_shadow|"
    r"pg_execute_server_program)(?![\w$])|U&\s*[\"']",
    re.IGNORECASE,
)
_SCHEMA = (
    "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) "
    "FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
    "GROUP BY table_schema, table_name ORDER BY 1 LIMIT 200"
)


def query(address: URL, name: str, sql: str, ends: float) -> str:
    """The rows of one SELECT in words; without one, the tables and their columns. `ends`: monotonic clock."""
    import psycopg
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    _, parts = PGDialect_psycopg().create_connect_args(address)  # type: ignore[no-untyped-call]
    try:
        with psycopg.connect(**{"connect_timeout": CONNECT_S, "application_name": "outrider"} | parts) as connection:
            connection.read_only = True
            left_ms = max(100, int((ends - time.monotonic()) * 1000))
            connection.execute(f"SET LOCAL statement_timeout = {left_ms}".encode())
            return _read(connection, name, sql)
    except psycopg.errors.QueryCanceled:
        raise ToolError(f"{name} was not read to its end", "time was up", "ask for less") from None
    except psycopg.OperationalError as error:
        raise ToolError(f"the database {name} cannot be reached", _plain(error), "check it and its address") from None
    except psycopg.Error as error:
        raise explained(_plain(error), name, [], []) from None


def _plain(error: Exception) -> str:
    return " ".join(str(error).split("\n")[0].split())[:300]


def _read(connection: Any, name: str, sql: str) -> str:
    import psycopg

    schema = connection.execute(_SCHEMA).fetchall()
    tables = [row[0] for row in schema]
    if OWN in tables:
        raise own_memory()
    if not sql.strip():
        return "\n".join(
            [f"{many(len(schema), 'table')} in {name}:", *(f"{table}: {columns}" for table, columns in schema)]
        )
    if not _READS.match(sql):
        raise ToolError("that SQL is not run", "it is no SELECT", "write one SELECT")
    if found := _REACHES.search(sql):
        why = f"{found[0]} reaches files, accounts or programs of the server, or hides SQL"
        raise ToolError("that SQL is not run", why, "read tables and views")
    limited = f"SELECT * FROM (\n{sql.strip().rstrip(';')}\n) AS asked LIMIT {MAX_COUNTED}"  # noqa: S608  # read-only
    try:
        cursor = connection.execute(limited.encode(), prepare=True)  # prepared: the server takes one statement
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error as error:
        columns = [part.split(" ")[0] for row in schema for part in row[1].split(", ")]
        raise explained(_plain(error), name, tables, columns) from None
    return in_words(cursor, MAX_COUNTED) or "no match: 0 rows"
