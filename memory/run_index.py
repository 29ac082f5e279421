"""Lists, finds and totals runs without loading the machinery that drives them: ten thousand in a blink.
May touch: reads the database. On SQLite with the standard library alone; PostgreSQL through its driver.
Does not promise: what only the events tell (answers, citations); `run_view.read_run` does.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outrider.memory.database_file import SCHEMA, in_use, kind_of
from outrider.memory.errors import NoDatabase, OldDatabase, StoreError, words_of
from outrider.memory.lease import holder_lives
from outrider.memory.summary import COLUMNS, Summary

if TYPE_CHECKING:
    from sqlalchemy import Connection

SEQ_BITS = 32


@dataclass(frozen=True, slots=True)
class Query:
    """A way to ask a database, its statements with "?" for each value. `dialect`: sqlite or postgresql."""

    dialect: str
    rows: Callable[[str, Sequence[Any]], Iterator[tuple[Any, ...]]]

    def __call__(self, statement: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Its rows."""
        return self.rows(statement, values)


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the list. `held`: a process drives it now. `told`: what it comes to. `usd` as in `told`."""

    run_id: str
    number: int
    created_at: str
    label: str
    held: bool
    told: Summary


@dataclass(frozen=True, slots=True)
class Found:
    """An event whose words fit, with the run it is of. `what`: goal, answer, note, or the tool it came from."""

    run_id: str
    seq: int
    at: str
    what: str
    text: str


@contextmanager
def opened(url: str) -> Iterator[Query]:
    """A way to ask the database that `url` names. Raises NoDatabase, OldDatabase, StoreError."""
    if file := _sqlite_file(url):
        with _sqlite(file) as ask:
            yield ask
        return
    from outrider.memory.store import Store, telling

    store = Store(url, mode="read")
    try:
        with store.read() as db, telling(store.url):
            yield _over(db)
    finally:
        store.close()


def runs(
    ask: Query,
    *,
    label: str = "",
    model: str = "",
    since: str = "",
    words: str = "",
    reasons: Sequence[str] | None = None,
    children: bool = False,
) -> Iterator[Row]:
    """The runs, newest first; children are left out unless asked for, their parents tell of them.

    label: whole; model, words: a part of the model's name, of the goal; since: UTC, ISO 8601; reasons: why they stopped, ""
    for those that have not.
    """
    where, values = ["r.head_seq > 0"], list[Any]()
    if not children:
        where.append("(r.parent IS NULL OR r.fork_seq IS NOT NULL)")
    for test, value in (("r.label = ?", label), ("r.created_at >= ?", since)):
        if value:
            where.append(test)
            values.append(value)
    if reasons is not None:  # a row that is behind its run may tell another reason
        where.append(
            f"(s.reason IN ({', '.join('?' * len(reasons))}) OR s.upto_seq IS NULL OR s.upto_seq < r.head_seq)"
        )
        values += reasons
    model, words = model.lower(), words.lower()
    for row in ask(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY r.number DESC", values):
        goal, named = row[9] or "", row[10] or ""
        if row[-1] == row[6] and not (model in named.lower() and words in goal.lower()):
            continue  # told without reading the rest of it
        one = _row(ask, row)
        fits = model in one.told.model.lower() and words in one.told.goal.lower()
        if fits and (reasons is None or one.told.reason in reasons):
            yield one


def below(ask: Query, run_id: str) -> Iterator[tuple[Row, bool]]:
    """The children and forks of a run, oldest first, each with whether it is a fork."""
    for row in ask(f"{_SELECT} WHERE r.parent = ? AND r.head_seq > 0 ORDER BY r.number", [run_id]):
        yield _row(ask, row), row[8] is not None


def the_run(ask: Query, run_id: str) -> Row | None:
    """The run of exactly this id; None if there is none."""
    return next((_row(ask, row) for row in ask(f"{_SELECT} WHERE r.run_id = ?", [run_id])), None)


def first_event(ask: Query, wanted: str) -> tuple[str, str, str] | None:
    """(run id, time, goal) as the first event of a run holds them. wanted: its whole id, "last" or "last~2".

    None for what is not found so, for a fork (its first event is another run's), and for what is not as it was written.
    """
    back = re.fullmatch(r"last(?:~(\d{1,6}))?", wanted)
    own = "head_seq > 0 AND (parent IS NULL OR fork_seq IS NOT NULL)"
    which = f"{own} ORDER BY number DESC LIMIT 1 OFFSET {int(back[1] or 0)}" if back else "run_id = ?"
    query = f"SELECT run_id, number, fork_seq FROM runs WHERE {which}"  # noqa: S608
    run_id, number, fork_seq = next(ask(query, [] if back else [wanted]), ("", 0, None))
    if not run_id or fork_seq is not None:
        return None
    event = "SELECT at, body FROM events WHERE id = ? AND kind = 'run_started'"
    for at, body in ask(event, [(number << SEQ_BITS) + 1]):
        try:
            read = json.loads(body)
        except ValueError:
            return None
        return (run_id, at, read["goal"]) if isinstance(read, dict) and isinstance(read.get("goal"), str) else None
    return None


def answer_of(ask: Query, row: Row) -> dict[str, Any]:
    """The run's last answer as its event holds it (text, citations, unsupported); {} if there is none."""
    base = row.number << SEQ_BITS
    last = "SELECT body FROM events WHERE id > ? AND id < ? AND kind = 'answered' ORDER BY id DESC LIMIT 1"
    for (body,) in ask(last, [base, base + (1 << SEQ_BITS)]):
        try:
            read = json.loads(body)
        except ValueError:  # somebody changed it; `verify` says so
            return {}
        return read if isinstance(read, dict) else {}
    return {}


Spending = tuple[int, str, str, Mapping[str, Any], Mapping[str, int], int]


def spending(ask: Query, *, label: str = "", tools: bool = False) -> Iterator[Spending]:
    """(how many runs, day they began, label, what each spent by day and model, its calls by tool, its calls): runs that are
    alike come together; children are in what their parents spent.

    tools: calls by tool are read and spending is not, else the other way round; what is not read is empty.
    """
    own = "r.head_seq > 0 AND (r.parent IS NULL OR r.fork_seq IS NOT NULL) AND (? = '' OR r.label = ?)"
    kept = f"s.{'tools' if tools else 'days'}"
    alike = f"SELECT count(*), substr(r.created_at, 1, 10), r.label, {kept}, s.calls FROM runs r JOIN summaries s ON s.number = r.number"  # noqa: S608
    for many, day, of, text, calls in ask(
        f"{alike} WHERE {own} AND s.upto_seq >= r.head_seq GROUP BY 2, 3, 4, 5", [label, label]
    ):
        read = json.loads(text)
        yield many, day, of, {} if tools else read, read if tools else {}, calls
    behind = "SELECT r.created_at, r.label, r.number, r.parent, r.fork_seq FROM runs r LEFT JOIN summaries s ON s.number = r.number"
    for at, of, number, parent, fork_seq in ask(
        f"{behind} WHERE {own} AND (s.upto_seq IS NULL OR s.upto_seq < r.head_seq)", [label, label]
    ):
        told = summary_of(ask, number, parent, fork_seq)
        yield 1, at[:10], of, told.days, told.tools, told.calls


def find(ask: Query, query: str, *, limit: int = 20) -> list[Found]:
    """The newest events that hold every word of `query` ("in quotes": the words in that order)."""
    terms = [quoted or word for quoted, word in re.findall(r'"([^"]+)"|(\S+)', query)]
    terms = [" ".join(re.findall(r"\w+", term)) for term in terms]
    if not (terms := [term for term in terms if term]):
        return []
    ids = (_ids_sqlite if ask.dialect == "sqlite" else _ids_postgres)(ask, terms, limit)
    return [found for one in ids for found in _found(ask, one)]


def _ids_sqlite(ask: Query, terms: list[str], limit: int) -> list[int]:
    match = " AND ".join(f'"{term}"' for term in terms)
    found = ask("SELECT rowid FROM recall WHERE recall MATCH ? ORDER BY rowid DESC LIMIT ?", [match, limit])
    return [row[0] for row in found]


def _ids_postgres(ask: Query, terms: list[str], limit: int) -> list[int]:
    """By its index; where that knows nothing the texts themselves are read: it leaves out words such as "not"."""
    match = " && ".join(["phraseto_tsquery('english', ?)"] * len(terms))
    found = ask(f"SELECT id FROM recall WHERE words @@ ({match}) ORDER BY id DESC LIMIT ?", [*terms, limit])  # noqa: S608
    if ids := [row[0] for row in found]:
        return ids
    said = "coalesce(body::json ->> 'text', body::json ->> 'goal', '')"
    holds = " AND ".join([f"{said} ~* ?"] * len(terms))
    words = [rf"\m{term.replace(' ', chr(92) + 'W+')}\M" for term in terms]
    ours = "(kind = 'noted' AND body::json ->> 'by' = 'outrider')"  # not indexed either
    kinds = ", ".join(f"'{kind}'" for kind in _SEARCHED)
    found = ask(
        f"SELECT id FROM events WHERE kind IN ({kinds}) AND NOT {ours} AND {holds} ORDER BY id DESC LIMIT ?",  # noqa: S608
        [*words, limit],
    )
    return [row[0] for row in found]


def _found(ask: Query, row_id: int) -> Iterator[Found]:
    for run_id, seq, at, kind, body in ask("SELECT run_id, seq, at, kind, body FROM events WHERE id = ?", [row_id]):
        try:
            read = json.loads(body)
        except ValueError:
            read = {}
        what = {"run_started": "goal", "goal_given": "goal", "answered": "answer", "noted": "note"}.get(kind)
        yield Found(
            run_id, seq, at, what or str(read.get("tool", kind)), str(read.get("text") or read.get("goal") or "")
        )


_SEARCHED = ("run_started", "goal_given", "tool_returned", "answered", "noted")
_SELECT = f"""SELECT r.run_id, r.number, r.created_at, r.label, r.holder, r.beat, r.head_seq, r.parent, r.fork_seq,
 {", ".join(f"s.{name}" for name in COLUMNS)} FROM runs r LEFT JOIN summaries s ON s.number = r.number"""  # noqa: S608


def _row(ask: Query, row: tuple[Any, ...]) -> Row:
    run_id, number, created_at, label, holder, beat, head, parent, fork_seq, *kept = row
    told = _kept(kept) if kept[-1] is not None else Summary()
    if told.upto_seq < head:  # its process died in the middle, or is at work
        told = summary_of(ask, number, parent, fork_seq)
    return Row(run_id, number, created_at, label, holder_lives(holder, beat), told)


def _kept(values: Sequence[Any]) -> Summary:
    of = dict(zip(COLUMNS, values, strict=True))
    return Summary(
        of["goal"], of["model"], of["reason"], of["detail"], of["goals"], Decimal(of["usd"]), of["tokens"], of["steps"],
        of["calls"], of["seconds"], json.loads(of["tools"]), json.loads(of["days"]), of["upto_seq"],
    )  # fmt: skip


def summary_of(
    ask: Query, number: int, parent: str | None, fork_seq: int | None, upto: int = (1 << SEQ_BITS) - 1
) -> Summary:
    """A run's summary told from its events again; of a fork, after those it shares."""
    told = Summary()
    if parent and fork_seq is not None:
        for row in ask("SELECT number, parent, fork_seq FROM runs WHERE run_id = ?", [parent]):
            told = summary_of(ask, row[0], row[1], row[2], min(upto, fork_seq))
    base = number << SEQ_BITS
    events = ask("SELECT seq, at, kind, body FROM events WHERE id > ? AND id <= ? ORDER BY id", [base, base + upto])
    return told.after((seq, at, kind, body) for seq, at, kind, body in events)


def told_so_far(db: Connection, number: int, parent: str | None, fork_seq: int | None) -> Summary:
    """The same over a connection that is open already."""
    return summary_of(_over(db), number, parent, fork_seq)


def _over(db: Connection) -> Query:
    return Query(db.dialect.name, partial(_ask, db))


def _ask(db: Connection, statement: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    mark = "?" if db.dialect.name == "sqlite" else "%s"
    return (tuple(row) for row in db.exec_driver_sql(statement.replace("?", mark), tuple(values)).all())


def _sqlite_file(url: str) -> Path | None:
    """The file an SQLite URL names; None for another kind of database."""
    if "://" not in url:
        return Path(url).expanduser()
    kind, _, rest = url.partition("://")
    if kind.partition("+")[0] != "sqlite":
        return None
    if rest in ("", "/", "/:memory:"):
        raise NoDatabase(f"there is no database at {url}", "it is one in memory, and nothing is in it", "name a file")
    return Path(rest.removeprefix("/").partition("?")[0]).expanduser()


@contextmanager
def _sqlite(file: Path) -> Iterator[Query]:
    try:
        if kind_of(file) != "ours":
            fix = "check the path; `outrider run` makes a database where there is none"
            raise NoDatabase(
                f"there is no database at {file}", "nothing was run with it yet, and nothing was made", fix
            )
        closed = in_use(file)
        try:
            with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True, timeout=60)) as db:
                _check_version(db, file)
                yield Query("sqlite", lambda statement, values: iter(db.execute(statement, tuple(values))))
        finally:
            closed()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"the memory database {file} cannot be used",
            words_of(error),
            "check the file, or name another with --memory",
        ) from error


def _check_version(db: sqlite3.Connection, file: Path) -> None:
    (version,) = db.execute("SELECT max(version) FROM outrider_schema").fetchone()
    if version is None or version < SCHEMA:
        raise OldDatabase(
            f"{file} was written by an earlier Outrider",
            f"its schema is version {version}, this program reads {SCHEMA}",
            "any command of this program that writes brings it up to date",
        )
    if version > SCHEMA:
        raise StoreError(
            f"{file} was written by a newer Outrider",
            f"its schema is version {version}, this program knows up to {SCHEMA}",
            "upgrade outrider, or name another database with --memory",
        )
