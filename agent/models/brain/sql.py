"""One SELECT over the real columns: the grammar of a table question, and small repairs that keep its meaning.

What it is: `look` reads the columns out of what `table` or `sql_query` showed, `arguments` makes the grammar of the next
call (first a look, then a SELECT), `made_right` makes text comparisons ignore case and lets LIKE work on dates.
What it may touch: nothing. Does not promise: the right columns. Used by grammar.py.
"""

from __future__ import annotations

import json
import re
from typing import Any

from outrider.agent.models.brain.values import Sources, alternatives
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.words import stem

FILES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
DATABASES = (".db", ".sqlite", ".sqlite3")
Looked = tuple[str, list[tuple[str, str]]]  # the table's name, its columns with their kinds


def look(tool: str, seen: str) -> Looked | None:
    """The columns that a look showed; None if it showed none."""
    if tool == "table":
        match = re.search(r"^columns: (.+)$", seen, re.MULTILINE)
        return (
            ("t", [(n.strip(), k) for n, k in re.findall(r"([^,(]+?) \((\w+)[^)]*\)(?:, |$)", match[1])])
            if match
            else None
        )
    match = re.search(r"^(\w+): [\d,]+ rows?; (.+)$", seen, re.MULTILINE)
    if not match:
        return None
    pairs = [part.rsplit(" ", 1) for part in match[2].split(", ") if " " in part]
    numeric = ("INT", "REAL", "NUM", "DOUB", "FLOA", "DEC")
    return match[1], [(name, "number" if kind.upper().startswith(numeric) else "text") for name, kind in pairs]


def arguments(tool: str, sources: Sources) -> str | None:
    """The arguments of the next call of `table` or `sql_query`: a look at a file, or a SELECT where one was looked at."""
    if tool not in ("table", "sql_query"):
        return None
    key, endings = ("path", FILES) if tool == "table" else ("database", DATABASES)
    names = [name for name in sources.files if name.lower().endswith(endings)]
    ways = []
    for name in names:
        looked = sources.looked.get(name)
        start = _lit(f'"{key}": {json.dumps(name)}')
        ways.append(
            f"{start} {_lit(', ' + chr(34) + 'sql' + chr(34) + ': ' + chr(34))} {select(looked, sources)} {_lit(chr(34))}"
            if looked
            else start
        )
    return "(" + " | ".join(ways) + ")" if ways else ""


def select(looked: Looked, sources: Sources) -> str:
    """A SELECT over one table: an aggregate, columns, different values, or an aggregate of each group."""
    table, columns = looked
    names = [_name(name) for name, _ in columns]
    numeric = alternatives([_name(name) for name, kind in columns if kind in NUMERIC]) or alternatives(names)
    conditions = _conditions(columns, sources)
    where = f'(" WHERE " {conditions} ((" AND " | " OR ") {conditions}){{0,2}})?' if conditions else ""
    start = f"{_lit(' FROM ' + table)} {where}"
    limit = f'(" LIMIT " {alternatives([*[n for n in sources.own_numbers if n.isdigit() and len(n) < 4], "1"])})?'
    aggregate = _aggregate(names, numeric, columns, sources.goal)
    direction = '(" ASC" | " DESC")?'
    grouped = _groups(names, sources.goal)
    of_each = " | ".join(
        f'{_lit(f"{name}, ")} {aggregate} {start} {_lit(f" GROUP BY {name}")} (" ORDER BY " {aggregate} {direction} {limit})?'
        for name in (grouped or names)
    )
    if grouped:
        return f'"SELECT " ({of_each})'
    several = f'{alternatives(names)} (", " {alternatives(names)}){{0,2}} {start} (" ORDER BY " {alternatives(names)} {direction})? {limit}'
    different = f'"DISTINCT " {alternatives(names)} {start}'
    plain = "" if _counts(sources.goal) else f" | {several} | {different}"
    return f'"SELECT " ({aggregate} {start} | {of_each}{plain})'


NUMERIC = ("number", "integer")


def _counts(goal: str) -> bool:
    return re.search(r"\bhow many\b|\bnumber of\b", goal, re.IGNORECASE) is not None


def _aggregate(names: list[str], numeric: str, columns: list[tuple[str, str]], goal: str) -> str:
    """COUNT alone where the goal asks "how many" of no numeric column and of nothing different."""
    total = f'("SUM(" | "AVG(" | "MAX(" | "MIN(") {numeric} ")"'
    different = f'"COUNT(DISTINCT " {alternatives(names)} ")"'
    if not _counts(goal):
        return f'("COUNT(*)" | {different} | {total})'
    if re.search(r"\b(?:different|distinct|unique)\b", goal, re.IGNORECASE):
        return f"({different})"
    words = set(re.findall(r"\w+", goal.lower()))
    own = any(kind in NUMERIC and set(re.findall(r"[a-z]+", name.lower())) <= words for name, kind in columns)
    return f'("COUNT(*)" | {total})' if own else '"COUNT(*)"'


def _groups(names: list[str], goal: str) -> list[str]:
    """The columns that the goal names after "by", "per" or "each"."""
    found = asked.read(goal).groups
    return [
        name
        for name in names
        if any(stem(word) == stem(name.strip('"').lower()) for word in found) and not _sorted_by(name, goal)
    ]


def _sorted_by(name: str, goal: str) -> bool:
    return (
        re.search(
            rf"\b(?:top|bottom|sort\w*|order\w*|rank\w*|highest|lowest)\b.{{0,40}}\bby (?:the )?{re.escape(name)}",
            goal,
            re.IGNORECASE,
        )
        is not None
    )


def _conditions(columns: list[tuple[str, str]], sources: Sources) -> str:
    numeric = alternatives([_name(name) for name, kind in columns if kind in NUMERIC])
    texts = alternatives([_name(name) for name, kind in columns if kind not in NUMERIC])
    ways = []
    if any(kind in NUMERIC for _, kind in columns) and sources.own_numbers:
        ways.append(f'{numeric} " " (">" | "<" | ">=" | "<=" | "=" | "!=") " " {alternatives(sources.own_numbers)}')
    if any(kind not in NUMERIC for _, kind in columns):
        ways.append(f"""{texts} " " ("=" | "!=") " '" span "'" """)
        if periods := _periods(sources.goal):
            ways.append(f"""{texts} " LIKE '" {alternatives(periods)} "%'" """)
        if days := _days(sources.goal):
            one = f"""" '" {alternatives(days)} "'" """
            ways.append(f"""{texts} (" >" | " <" | " >=" | " <=" | " =") {one}""")
            ways.append(f"""{texts} " BETWEEN" {one} " AND" {one}""")
    return "(" + " | ".join(ways) + ")" if ways else ""


def _periods(goal: str) -> list[str]:
    """Years and months of the goal as dates begin: 2026, 2026-03."""
    months = [
        f"{m[2]}-{asked.month_number(m[1]):02}"
        for m in re.finditer(rf"\b{asked.MONTH},? (\d{{4}})\b", goal, re.IGNORECASE)
    ]
    months += re.findall(r"\b(\d{4}-\d\d)\b(?!-)", goal)
    return [*months, *re.findall(r"(?<![\d-])((?:19|20)\d\d)(?![\d-])", goal)]


def _days(goal: str) -> list[str]:
    return [iso for _, iso in asked.read(goal).dates]


def _name(column: str) -> str:
    return column if re.fullmatch(r"[A-Za-z_]\w*", column) else '"' + column.replace('"', '""') + '"'


def _lit(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def made_right(tool: str, arguments: dict[str, Any], looked: dict[str, Looked]) -> dict[str, Any]:
    """Text is compared whatever its case; a date column is compared with LIKE as text. The meaning stays."""
    sql = arguments.get("sql")
    if not isinstance(sql, str):
        return arguments
    if tool == "table":
        sql = re.sub(r"(\w+|\"[^\"]+\") LIKE '", r"CAST(\1 AS TEXT) LIKE '", sql)
        sql = re.sub(r" = '([^'%_]*[A-Za-z][^'%_]*)'", r" ILIKE '\1'", sql)
    else:
        sql = re.sub(r" = '([^'%_]*[A-Za-z][^'%_]*)'", r" LIKE '\1'", sql)
    return {**arguments, "sql": sql}
