"""`sql_query`: reads the databases the person named, and SQLite files of the workspace.
May touch: those databases, for reading: SQLite opened read-only with an authorizer, PostgreSQL in a read-only transaction.
Does not promise: that a role with rights beyond its tables cannot read more (PostgreSQL: give it a role of its own).

Named in the configuration: [databases] shop = "postgresql://reader:{{secret:SHOP_PASSWORD}}@host/shop".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import quote

from outrider.tools.data import sql_postgres, sql_sqlite
from outrider.tools.files.paths import missing, place, shown
from outrider.tools.net.named_secrets import Filler, names_in
from outrider.tools.tool import ToolContext, ToolError, tool

LIMIT_S = 30.0
MAX_SQL = 20_000  # characters
POSTGRES_PORT = 5432
_FILE = (".db", ".sqlite", ".sqlite3", ".db3")


@tool(effect="read", fresh_s=0)
def sql_query(database: str, ctx: ToolContext, sql: str = "") -> str:
    """Read a database: a .db or .sqlite file of the workspace, or one the person named. Without sql: its tables.

    database: the file or the name
    sql: one SELECT
    """
    if len(sql) > MAX_SQL:
        raise ToolError("the SQL is too long", f"over {MAX_SQL:,} characters", "ask for less at once")
    ends = time.monotonic() + max(0.5, min(LIMIT_S, ctx.seconds_left() - 0.5))
    named = ctx.settings.get("databases") or {}
    if database in named:
        return _named(database, str(named[database]), sql, ends, ctx)
    if "://" in database:
        raise ToolError("an address is not taken", "only a person names databases", _known(named))
    return _file(database, sql, ends, ctx, named)


def _known(named: Mapping[str, object]) -> str:
    names = f"the named ones are {', '.join(sorted(named))}" if named else "none is named"
    return f"use a .db file of the workspace or a named database; {names}"


def _named(name: str, url: str, sql: str, ends: float, ctx: ToolContext) -> str:
    from sqlalchemy.engine import make_url

    try:
        bare = make_url(Filler(lambda name: "x", {}, "", 0).text(url))
        if bare.password and not names_in(url):
            why = "its address holds a password, which would be kept with the run"
            fix = "write {{secret:NAME}} in its place and allow the secret NAME"
            raise ToolError(f"the database {name!r} is not opened", why, fix)
        filler = Filler(ctx.secret, ctx.secret_hosts, bare.host or "", bare.port or POSTGRES_PORT)
        address = make_url(filler.text(url, lambda value: quote(value, safe="")))
    except ToolError:
        raise
    except Exception:  # SQLAlchemy's own, whose text holds the address
        why, fix = "it cannot be read", "write it as postgresql://host/name"
        raise ToolError(f"the database {name!r} has no address", why, fix) from None
    if address.get_backend_name() == "sqlite" and address.database:
        return sql_sqlite.query(address.database, name, sql, ends)
    if address.get_backend_name() == "postgresql":
        return sql_postgres.query(address, name, sql, ends)
    why = f"a {address.get_backend_name()} database cannot be kept from being changed"
    raise ToolError(f"the database {name!r} is not opened", why, "SQLite and PostgreSQL can")


def _file(path: str, sql: str, ends: float, ctx: ToolContext, named: Mapping[str, object]) -> str:
    with place(ctx.workspace, path) as at:
        if at.status() is None:
            if near := get_close_matches(path, named, n=1, cutoff=0.6):
                raise ToolError(f"there is no database {path!r}", "no file, no name", f"did you mean {near[0]}?")
            if named and not path.lower().endswith(_FILE):
                raise ToolError(f"there is no database {shown(path)!r}", "no file, no name", _known(named))
            raise missing(at, path)
        hidden = (ctx.settings.get("sandbox") or {}).get("hide", ())
        if at.path in hidden:
            raise sql_sqlite.own_memory()
        whole = ctx.workspace.resolve() / at.path
        sql_sqlite.check_file(at, path)
    return sql_sqlite.query(str(whole), shown(path), sql, ends)
