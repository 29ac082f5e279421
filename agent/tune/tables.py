"""Examples over tables: the columns are looked at first, then one SELECT; results come from SQLite on random rows."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from outrider.agent.tune.table_kinds import DOMAINS, Domain
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import THINGS, one, person, plain_number, said

Row = tuple[object, ...]


@dataclass(slots=True)
class Made:
    """A random table: its file name, columns in order, and rows in SQLite as `t`."""

    domain: Domain
    path: str
    columns: list[str]
    db: sqlite3.Connection
    values: dict[str, list[str]]
    count: int = 0

    def run(self, sql: str) -> list[Row]:
        """The rows of a SELECT."""
        return self.db.execute(sql).fetchall()


def made(rnd: random.Random) -> Made:
    """A random table of a random kind, with some of its columns."""
    domain = rnd.choice(DOMAINS)
    values = {c: (list(v) or [person(rnd) for _ in range(6)]) for c, v in domain.texts.items()}
    if domain.name and domain.name not in values:
        values[domain.name] = [w + rnd.choice(["", " XL", " 2", " mini", " pro"]) for w in rnd.sample(THINGS, 9)]
    columns = list(domain.texts) + list(domain.numbers) + ([domain.date] if domain.date else [])
    columns += [domain.name] if domain.name and domain.name not in columns else []
    if rnd.random() < 0.5:
        rnd.shuffle(columns)
    if rnd.random() < 0.4:
        columns.insert(0, "id")
    path = (
        rnd.choice(["", "", "", "data/"])
        + domain.file
        + rnd.choice(["", "", "_2025", "-q2", "2026"])
        + "."
        + rnd.choice(["csv", "csv", "csv", "tsv", "json"])
    )
    table = Made(domain, path, columns, sqlite3.connect(":memory:"), values)
    kinds = {c: "REAL" if c in domain.numbers else "TEXT" for c in columns}
    table.db.execute(f"CREATE TABLE t ({', '.join(f'{c} {kinds[c]}' for c in columns)})")
    table.count = rnd.randint(9, 60)
    for at in range(table.count):
        table.db.execute(
            f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", [_cell(rnd, table, c, at) for c in columns]
        )
    return table


def _cell(rnd: random.Random, table: Made, column: str, at: int) -> object:
    if column in table.domain.numbers:
        low, high, places = table.domain.numbers[column]
        return round(rnd.uniform(low, high), places)
    if column == table.domain.date:
        return f"{rnd.choice([2024, 2025, 2025, 2026])}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
    return str(at + 1) if column == "id" else rnd.choice(table.values[column])


def look(table: Made) -> str:
    """The columns and first rows, as `table` without sql shows them."""
    kinds = {name: "number" if places else "whole number" for name, (_, _, places) in table.domain.numbers.items()}
    kinds[table.domain.date] = "date"
    columns = ", ".join(f"{column} ({kinds.get(column, 'text')})" for column in table.columns)
    first = table.run("SELECT * FROM t LIMIT 5")
    shown_rows = "\n".join(" | ".join(map(str, row)) for row in first)
    head = f"{table.count} rows and {len(table.columns)} columns in {table.path}\ncolumns: {columns}"
    return f"{head}\nfirst 5 rows:\n{' | '.join(table.columns)}\n{shown_rows}{_listed(table, kinds)}"


def _listed(table: Made, kinds: dict[str, str]) -> str:
    """The values of text columns that hold few, as `table` lists them."""
    lines: list[str] = []
    for column in [name for name in table.columns if kinds.get(name, "text") == "text"]:
        texts = [str(row[0]) for row in table.run(f"SELECT DISTINCT {column} FROM t ORDER BY 1 LIMIT 21")]
        if column != "id" and len(lines) < 6 and len(texts) <= 20 and not any(len(t) > 30 or "," in t for t in texts):
            lines.append(f"\nvalues of {column}: {', '.join(texts)}")
    return "".join(lines)


Ask = tuple[str, str, str]  # goal with {f} for the file, SQL, answer template with {v}


def _word(column: str) -> str:
    return column.replace("_", " ")


def total(rnd: random.Random, t: Made) -> Ask:
    n = rnd.choice(list(t.domain.numbers))
    f, words = rnd.choice([("SUM", ["total {n}", "sum of {n}", "what do the {n} values add up to", "overall {n}"]), ("AVG", ["average {n}", "mean {n}", "the average of the {n} column"]),
                           ("MAX", ["highest {n}", "maximum {n}", "largest {n}", "biggest {n}"]), ("MIN", ["lowest {n}", "smallest {n}", "minimum {n}"])])  # fmt: skip
    phrase = one(rnd, words, n=_word(n))
    where, says = _where(rnd, t) if rnd.random() < 0.5 else ("", "")
    goal = one(rnd, "tables.total.1", p=phrase, w=says, f="{f}")
    return goal, f"SELECT {f}({n}) FROM t{where}", f"The {phrase}{says} is {{v}}."


def _where(rnd: random.Random, t: Made, two: bool = True) -> tuple[str, str]:
    """(" WHERE …", how it is said)."""
    kind = rnd.random()
    if kind < 0.55:
        c, v = _pair(rnd, t)
        says = one(rnd, "tables.where.1", c=_word(c), v=v)
        clause = f"{c} = '{v}'"
    elif kind < 0.85 or not t.domain.date:
        c = rnd.choice(list(t.domain.numbers))
        low, high, _ = t.domain.numbers[c]
        v = str(round(rnd.uniform(low, high)))
        sign, how = rnd.choice(
            [
                (">", ["over", "above", "more than", "greater than", "higher than"]),
                ("<", ["under", "below", "less than", "lower than"]),
                (">=", ["at least", "not less than"]),
                ("<=", ["at most", "no more than", "up to"]),
            ]
        )
        says = one(rnd, "tables.where.2", c=_word(c), h=rnd.choice(how), v=v)
        clause = f"{c} {sign} {v}"
    else:
        says, clause = _period(rnd, t.domain.date)
    if two and rnd.random() < 0.25:
        more, also = _where(rnd, t, False)
        if more.removeprefix(" WHERE ").split()[0] not in clause:
            return f" WHERE {clause} AND {more.removeprefix(' WHERE ')}", f"{says} and{also}"
    return f" WHERE {clause}", says


def _period(rnd: random.Random, date: str) -> tuple[str, str]:
    year = rnd.choice([2024, 2025, 2026])
    month = rnd.randint(1, 12)
    name = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ][month - 1]
    low, high = sorted([f"{year}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}" for _ in range(2)])
    return rnd.choice([
        (one(rnd, "tables.period.1", y=year), f"{date} LIKE '{year}%'"),
        (one(rnd, "tables.period.2", m=name, y=year), f"{date} LIKE '{year}-{month:02}%'"),
        (one(rnd, "tables.period.3", d=low), f"{date} > '{low}'"),
        (one(rnd, "tables.period.4", d=low), f"{date} < '{low}'"),
        (one(rnd, "tables.period.5", a=low, b=high), f"{date} BETWEEN '{low}' AND '{high}'"),
    ])  # fmt: skip


def _pair(rnd: random.Random, t: Made) -> tuple[str, str]:
    c = rnd.choice([c for c in t.values if c in t.columns])
    return c, rnd.choice(t.values[c])


def count(rnd: random.Random, t: Made) -> Ask:
    if rnd.random() < 0.25:
        return (one(rnd, "tables.count.1", r=t.domain.thing, f="{f}"), "SELECT COUNT(*) FROM t", "There are {v}.")
    where, says = _where(rnd, t)
    if " = '" in where and " AND " not in where and rnd.random() < 0.4:
        v = where.split("'")[1]
        goal = one(rnd, "tables.count.2", v=v, r=t.domain.thing, f="{f}")
    else:
        goal = one(rnd, "tables.count.3", w=says, r=t.domain.thing, f="{f}")
    return goal, f"SELECT COUNT(*) FROM t{where}", "There are {v}."


def group(rnd: random.Random, t: Made) -> Ask:
    c, n = rnd.choice([c for c in t.domain.texts if c != t.domain.name]), rnd.choice(list(t.domain.numbers))
    kind = rnd.randrange(4)
    if kind == 0:
        f, w = rnd.choice(
            [("SUM", "total"), ("AVG", "average"), ("MAX", "highest"), ("MIN", "lowest"), ("SUM", "sum of")]
        )
        goal = one(rnd, "tables.group.1", w=w, n=_word(n), c=_word(c), f="{f}")
        return goal, f"SELECT {c}, {f}({n}) FROM t GROUP BY {c}", "{v}"
    if kind == 1:
        goal = one(rnd, "tables.group.2", r=t.domain.thing, c=_word(c), f="{f}")
        return goal, f"SELECT {c}, COUNT(*) FROM t GROUP BY {c}", "{v}"
    down = rnd.random() < 0.7
    order = "DESC" if down else "ASC"
    if kind == 2:
        goal = one(
            rnd,
            "tables.group.3",
            c=_word(c),
            n=_word(n),
            h="highest" if down else "lowest",
            m="most" if down else "least",
            f="{f}",
        )
        return goal, f"SELECT {c}, SUM({n}) FROM t GROUP BY {c} ORDER BY SUM({n}) {order} LIMIT 1", "It is {v}."
    goal = one(
        rnd,
        "tables.group.4",
        c=_word(c),
        r=t.domain.thing,
        m="most" if down else "fewest",
        q="most" if down else "least",
        f="{f}",
    )
    return goal, f"SELECT {c}, COUNT(*) FROM t GROUP BY {c} ORDER BY COUNT(*) {order} LIMIT 1", "It is {v}."


def top(rnd: random.Random, t: Made) -> Ask:
    n = rnd.choice(list(t.domain.numbers))
    c = t.domain.name or rnd.choice(list(t.domain.texts))
    down = rnd.random() < 0.65
    order, k = ("DESC" if down else "ASC"), rnd.randint(2, 5)
    h = rnd.choice(["highest", "largest", "biggest"] if down else ["lowest", "smallest"])
    if rnd.random() < 0.45:
        goal = one(
            rnd,
            [
                "the {k} {r} with the {h} {n} in {f}",
                "top {k} {r} by {n} in {f}" if down else "bottom {k} {r} by {n} in {f}",
                "which {k} {r} have the {h} {n}? ({f})",
                "list the {k} {h} {n} {r} from {f}",
            ],
            k=k,
            r=t.domain.thing,
            h=h,
            n=_word(n),
            f="{f}",
        )
        return goal, f"SELECT {c}, {n} FROM t ORDER BY {n} {order} LIMIT {k}", "{v}"
    where, says = _where(rnd, t, False) if rnd.random() < 0.3 else ("", "")
    goal = one(rnd, "tables.top.1", c=_word(c), h=h, n=_word(n), w=says, f="{f}")
    return goal, f"SELECT {c}, {n} FROM t{where} ORDER BY {n} {order} LIMIT 1", "It is {v}."


def select(rnd: random.Random, t: Made) -> Ask:
    kind = rnd.randrange(4)
    if kind == 0:
        c = rnd.choice(list(t.domain.texts))
        if rnd.random() < 0.5:
            return (
                one(rnd, "tables.select.1", c=_word(c), f="{f}"),
                f"SELECT COUNT(DISTINCT {c}) FROM t",
                "There are {v}.",
            )
        return (one(rnd, "tables.select.2", c=_word(c), f="{f}"), f"SELECT DISTINCT {c} FROM t", "{v}")
    name = t.domain.name or rnd.choice(list(t.domain.texts))
    if kind == 1 and t.domain.name:
        who, n = rnd.choice(t.values[name]), rnd.choice(list(t.domain.numbers))
        return (
            one(rnd, "tables.select.3", n=_word(n), w=who, f="{f}"),
            f"SELECT {n} FROM t WHERE {name} = '{who}'",
            "It is {v}.",
        )
    where, says = _where(rnd, t)
    return (
        one(rnd, "tables.select.4", r=t.domain.thing, c=_word(name), w=says, f="{f}"),
        f"SELECT {name} FROM t{where}",
        "{v}",
    )


def shown(rows: list[Row], names: list[str]) -> str:
    """A result as `table` writes it: `name: value` for one row, else a line a row under a header."""
    cells = [[plain_number(v) if isinstance(v, float) else str(v) for v in row] for row in rows]
    if not cells:
        return "no match: 0 rows"
    if len(cells) == 1:
        return "\n".join(f"{name}: {cell}" for name, cell in zip(names, cells[0], strict=True))
    lines = [" | ".join(row) for row in cells[:8]]
    return f"{len(cells)} rows:\n{' | '.join(names)}\n" + "\n".join(lines)


def _headers(sql: str) -> list[str]:
    names = sql.split("SELECT ")[1].split(" FROM")[0].replace("COUNT(*)", "count_star()").split(", ")
    return [re.sub(r"^(DISTINCT )", "", re.sub(r"^[A-Z]+\(", lambda m: m[0].lower(), name)) for name in names]


def _told(rows: list[Row]) -> str:
    """The rows in an answer: "Oslo: 3; Lima: 4"."""
    return "; ".join(": ".join(plain_number(v) if isinstance(v, float) else str(v) for v in row) for row in rows[:8])


KINDS: list[tuple[int, Callable[[random.Random, Made], Ask]]] = [
    (4, total),
    (5, count),
    (4, group),
    (3, top),
    (3, select),
]


def question(rnd: random.Random, t: Made) -> tuple[str, Step, str]:
    """(goal, the call that answers it, the answer)."""
    while True:
        make = rnd.choices([m for _, m in KINDS], [w for w, _ in KINDS])[0]
        goal, sql, answer = make(rnd, t)
        if "{w}" not in goal and set(_named(sql, t)) <= set(t.columns):
            break
    rows = t.run(sql)
    empty = not rows or rows == [(None,)]
    seen = "sum: NULL" if rows == [(None,)] else shown(rows, _headers(sql))
    said_so = f"Not found: no row of {t.path} fits." if empty else answer.format(v=_told(rows))
    return goal.format(f=t.path), Step("table", {"path": t.path, "sql": sql}, seen), said_so


def _named(sql: str, t: Made) -> list[str]:
    return [
        c for c in [*t.domain.texts, *t.domain.numbers, t.domain.date, t.domain.name] if c and f" {c} " in f" {sql} "
    ]


def tables(rnd: random.Random) -> Example:
    """A table question: look, then ask."""
    t = made(rnd)
    goal, step, answer = question(rnd, t)
    first = Step("table", {"path": t.path}, look(t))
    if rnd.random() < 0.06:  # what the columns are is the question
        goal = one(rnd, "tables.tables.1", f=t.path)
        return Example("tables", said(rnd, goal), [first], f"The columns of {t.path} are {', '.join(t.columns)}.")
    return Example("tables", said(rnd, goal[0].upper() + goal[1:]), [first, step], answer)


def _tables_line(name: str, t: Made) -> str:
    columns = ", ".join(f"{c} {'REAL' if c in t.domain.numbers else 'TEXT'}" for c in t.columns)
    return f"1 table in the file:\n{name}: {t.count} rows; {columns}"


def databases(rnd: random.Random) -> Example:
    """The same over an SQLite file with one table."""
    t = made(rnd)
    goal, step, answer = question(rnd, t)
    name, file = t.domain.file, rnd.choice(["shop", "main", "app", "club", "store"]) + rnd.choice([".db", ".sqlite"])
    sql = str(step.arguments["sql"]).replace(" FROM t", f" FROM {name}")
    goal = goal.replace(t.path, file)
    first = Step("sql_query", {"database": file}, _tables_line(name, t))
    second = Step("sql_query", {"database": file, "sql": sql}, step.seen)
    return Example("databases", said(rnd, goal[0].upper() + goal[1:]), [first, second], answer.replace(t.path, file))
