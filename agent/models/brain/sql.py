"""One SELECT over the real columns: the grammar of a table question, and small repairs that keep its meaning.

What it is: `look` reads the columns out of what `table` or `sql_query` showed, `arguments` makes the grammar of the next
call (first a look, then a SELECT), `made_right` makes text comparisons ignore case and lets LIKE work on dates.
What it may touch: nothing. Does not promise: the right columns. Used by grammar.py.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.brain import certain, conditions
from outrider.agent.models.brain.figures import DATES, NUMERIC, figures, is_named, literal, product_of, quoted
from outrider.agent.models.brain.values import Sources, alternatives
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import numbers_in_digits
from outrider.agent.models.choice.words import BREAKS, stem

FILES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
DATABASES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look showed: the table's name, its columns with their kinds, text cells by column."""

    table: str
    columns: list[tuple[str, str]]
    cells: dict[str, list[str]]


def look(tool: str, seen: str) -> Looked | None:
    """The columns that a look showed; None if it showed none."""
    if tool == "table":
        shown = re.search(r"^columns: (.+)$", seen, re.MULTILINE)
        if not shown:
            return None
        found = re.findall(r"([^,(]+?) \(([\w ]+)[^)]*\)(?:, |$)", shown[1])
        columns = [(name.strip(), "number" if kind.endswith("number") else kind) for name, kind in found]
        return Looked("t", columns, conditions.cells_of(seen))
    match = re.search(r"^(\w+): [\d,]+ rows?; (.+)$", seen, re.MULTILINE)
    if not match:
        return None
    pairs = [part.rsplit(" ", 1) for part in match[2].split(", ") if " " in part]
    numeric = ("INT", "REAL", "NUM", "DOUB", "FLOA", "DEC")
    columns = [(name, "number" if kind.upper().startswith(numeric) else "text") for name, kind in pairs]
    return Looked(match[1], columns, {})


def arguments(tool: str, sources: Sources) -> str | None:
    """The arguments of the next call of `table` or `sql_query`: a look at a file, or a SELECT where one was looked at."""
    if tool not in ("table", "sql_query"):
        return None
    key, endings = ("path", FILES) if tool == "table" else ("database", DATABASES)
    names = [name for name in sources.files if name.lower().endswith(endings)]
    ways = []
    for name in names:
        looked = sources.looked.get(name)
        start = literal(f'"{key}": {json.dumps(name)}')
        ways.append(
            f"{start} {literal(', ' + chr(34) + 'sql' + chr(34) + ': ' + chr(34))} {select(looked, sources)} {literal(chr(34))}"
            if looked
            else start
        )
    return "(" + " | ".join(ways) + ")" if ways else ""


def select(looked: Looked, sources: Sources) -> str:
    """A SELECT over one table: an aggregate, columns, different values, or an aggregate of each group."""
    table, columns, goal = looked.table, looked.columns, sources.goal
    where = _where(looked, sources)
    if end := _end_of_time(columns, goal):
        return f'"SELECT " {literal(end + " FROM " + table)} {where}'
    start = f"{literal(' FROM ' + table)} {where}"
    names = [quoted(name) for name, _ in columns]
    wants = _Wants(goal, names, columns)
    if wants.count and not wants.how_many:
        wants.how_many = _pieces(looked, goal)
    product = product_of(columns, goal)
    by_age = _by_age(columns, goal)
    numeric, direction = by_age or (product or figures(columns, goal), _direction(goal))
    limit = _limit(goal)
    ranked = [quoted(n) for n, kind in columns if kind in NUMERIC and direction and _ranked_by(n, goal)]
    aggregate = f'"SUM({ranked[0]})"' if ranked and not wants.average else _aggregate(wants, names, numeric)
    order = f'" ORDER BY " {aggregate} {direction} {limit}' if direction else ""
    grouped = [name for name in _groups(names, goal) if name not in ranked]
    groups = _people(columns, goal) or [quoted(n) for n, kind in columns if kind not in NUMERIC] or names
    of_each = " | ".join(
        f"{literal(f'{name}, ')} {aggregate} {start} {literal(f' GROUP BY {name}')} {order}"
        for name in (grouped or groups)
    )
    if grouped or (wants.rows and wants.overall and direction):
        return f'"SELECT " ({of_each})'
    either = f" | {of_each}" if direction and not by_age and _is_grouped(columns, goal) else ""
    if wants.count or wants.figure or (product and not direction):
        return f'"SELECT " ({aggregate} {start}{f" | {of_each}" if direction else ""})'
    ordered = f'" ORDER BY " {numeric} {direction} {limit}' if direction else ""
    rows = _rows(columns, goal, f"{start} {ordered}")
    rows += f' | "DISTINCT " {alternatives(_people(columns, goal) or names)} {start}' if not direction else ""
    if wants.rows:
        return f'"SELECT " ({rows}{either})'
    if direction:
        return f'"SELECT " ({aggregate} {start} | {rows}{either})'
    return f'"SELECT " ({aggregate} {start} | {of_each} | {rows})'


def _rows(columns: list[tuple[str, str]], goal: str, rest: str) -> str:
    """One to three columns; of "which is the highest" first what it is called, never the number alone."""
    names = [quoted(name) for name, _ in columns]
    first = _people(columns, goal) or [quoted(n) for n, kind in columns if kind not in NUMERIC or _is_asked(n, goal)]
    called = "ORDER BY" in rest and re.search(r"\b(?:which|who|whose|what)\b", goal, re.I)
    texts = [quoted(n) for n, kind in columns if kind not in NUMERIC and is_named(n, goal)]
    listed = texts if re.search(r"\b(?:which|list|show)\b", goal, re.I) else []
    starts = first if called and first else _people(columns, goal) or listed or names
    return f'{alternatives(starts)} (", " {alternatives(names)}){{0,2}} {rest}'


_PIECES = re.compile(r"^(?:units?|quantity|qty|pieces|copies|number_sold|units_sold|sold)$", re.I)


_ROWS = r"(?:orders|rows|entries|sales|records|transactions|invoices|bookings|deals|customers|clients|people|persons|days|times)"


def _pieces(looked: Looked, goal: str) -> list[str]:
    """The column of pieces, where a goal asks how many of a thing that stands in a cell: "how many lamps" are no rows."""
    found = re.search(r"\bhow many (?:of the )?(.{2,60})", asked.FILE.sub(" ", goal).lower(), re.S)
    things = [value.lower() for values in looked.cells.values() for value in values]
    named = found and any(
        re.match(rf"{re.escape(one)}{'' if one.endswith('s') else 'e?s'}\b", found[1]) for one in things
    )
    return (
        [quoted(name) for name, kind in looked.columns if kind in NUMERIC and _PIECES.search(name)][:1] if named else []
    )


class _Wants:
    """What a goal wants of a table, as far as its words say: a count, a figure, or rows."""

    def __init__(self, goal: str, names: list[str], columns: list[tuple[str, str]]) -> None:
        text = asked.FILE.sub(" ", goal).lower()
        own = {name.strip('"').lower() for name in names}
        numeric = [name for name, kind in columns if kind in NUMERIC]
        words = set(re.findall(r"\w+", text))
        self.of_number = any(set(re.findall(r"[a-z]+", name.lower())) <= words for name in numeric)
        self.how_many = [
            quoted(name)
            for name in numeric
            if re.search(
                rf"\b(?:how many|number of|count of) (?:\w+ )?{re.escape(name.lower().replace('_', ' '))}\b", text
            )
        ]
        if not self.how_many and re.search(
            rf"\bhow many (?!{_ROWS}\b)\w+(?: \w+){{0,3}} (?:sold|bought|used|shipped|produced)\b", text
        ):
            self.how_many = [quoted(name) for name in numeric if _PIECES.search(name)][:1]
        self.different = re.search(r"\b(?:different|distinct|unique)\b", text) is not None
        counts = r"\bhow many\b|\bnumber of\b" if "count" in own else r"\bhow many\b|\bnumber of\b|\bcount\b"
        self.count = re.search(counts, text) is not None
        self.average = re.search(r"\b(?:average|mean(?! (?:the|that|country|only))|avg)\b", text) is not None
        self.sum = (
            re.search(
                r"\b(?:sum(?: up)?|overall|altogether|together|combined|add up|total (?!over|above|under|below|of over))\b|\btotal\b",
                text,
            )
            is not None
        )
        self.figure = self.average or (
            self.sum and not re.match(r"\W*(?:which|who)\b", text) and ("total" not in own or "sum" in words)
        )
        self.end = bool(_direction(goal))
        # "sold the most" is the largest sum; "has the most orders" and "appears most often" are counts
        self.often = (
            re.search(r"\b(?:most|fewest|least) (?:often|common|frequent\w*|[a-z]+s)\b|\bhow often\b", text) is not None
        )
        self.overall = re.search(r"\b(?:overall|altogether|combined|in total|all together|in sum)\b", text) is not None
        asks = re.match(r"^.{0,40}?\b(?:which|who|list|show|find|whose|what are)\b", text) is not None
        self.rows = asks and not self.figure and not self.count


_MORE = re.compile(
    r"\b(?:highest|most|largest|biggest|top|maximum|max|longest|oldest|best|greatest|dearest|priciest|newest|latest|heaviest|tallest"
    r"|warmest|hottest|wettest|fastest|strongest|richest|busiest|deepest|widest|farthest|furthest|costliest|steepest|loudest)\b",
    re.I,
)
_LESS = re.compile(
    r"\b(?:lowest|least|smallest|cheapest|fewest|minimum|min|shortest|youngest|worst|bottom|earliest|lightest"
    r"|coldest|coolest|driest|slowest|weakest|poorest|quietest|nearest|closest|thinnest|narrowest|shallowest)\b",
    re.I,
)


def _direction(goal: str) -> str:
    """ORDER BY's direction where the goal says which end it wants, else "": then nothing is ordered."""
    text = re.sub(r"\bat (?:most|least)\b", " ", asked.FILE.sub(" ", goal))
    return '" DESC"' if _MORE.search(text) else '" ASC"' if _LESS.search(text) else ""


def _limit(goal: str) -> str:
    """How many are wanted: "top 3", "the two cheapest"; one where none is said."""
    text = numbers_in_digits(asked.FILE.sub(" ", goal).lower())
    if re.search(r"\b(?:sort(?:ed)?|ordered|ranked|ranking)\b", text):
        return '""'
    match = re.search(r"\b(?:top|bottom|first|last|the|which|list|show)\s+(\d{1,2})\b(?!\s*(?:%|percent))", text)
    return literal(f" LIMIT {match[1] if match else 1}")


def _aggregate(wants: _Wants, names: list[str], numeric: str) -> str:
    """The figures a goal may mean: AVG only where it says so, COUNT alone where it asks "how many" of no numeric column."""
    different = f'"COUNT(DISTINCT " {alternatives(names)} ")"'
    if wants.average:
        return f'"AVG(" {numeric} ")"'
    if wants.count:
        if wants.different:
            return different
        if wants.how_many:
            return alternatives([f"SUM({name})" for name in wants.how_many])
        return f'("COUNT(*)" | "SUM(" {numeric} ")")' if wants.of_number else '"COUNT(*)"'
    if wants.overall or (wants.sum and not wants.end):
        return f'"SUM(" {numeric} ")"'
    if not wants.end:
        return f'("SUM(" {numeric} ")" | "COUNT(*)")' if wants.often else f'"SUM(" {numeric} ")"'
    figures = f'("SUM(" | "MAX(" | "MIN(") {numeric} ")"'
    return f'({figures} | "COUNT(*)")' if wants.often else figures


def _groups(names: list[str], goal: str) -> list[str]:
    """The columns that the goal names after "by", "per" or "each"."""
    found = asked.read(goal).groups
    return [
        name
        for name in names
        if any(stem(word) == stem(name.strip('"').lower()) for word in found) and not _sorted_by(name, goal)
    ]


def _is_grouped(columns: list[tuple[str, str]], goal: str) -> bool:
    """Whether rows of one kind may be meant together: a text column is named, or persons are asked for."""
    texts = [name for name, kind in columns if kind not in (*NUMERIC, *DATES)]
    return bool(_people(columns, goal)) or any(is_named(name, goal) for name in texts)


def _end_of_time(columns: list[tuple[str, str]], goal: str) -> str:
    """ "when was the first order", "date of the latest": the first or last day; "" for any other question."""
    text = asked.FILE.sub(" ", goal)
    match = re.search(
        r"\b(?:when (?:was|is|did|were)|on which (?:day|date)|(?:which|what) (?:day|date)|dates? of)\b.{0,30}?\b(?:(first|earliest|oldest)|(last|latest|newest|most recent))\b",
        text,
        re.I,
    )
    dates = [name for name, kind in columns if kind in DATES]
    return f"{'MIN' if match[1] else 'MAX'}({quoted(dates[0])})" if match and dates else ""


_PERSON = re.compile(r"name|person|people|employee|customer|client|seller|sales(?:man|person|rep)|^reps?$|author|user|member|owner|agent|staff|student|player|driver|patient|contact|assignee|manager|guest|buyer|teacher|worker|winner", re.I)  # fmt: skip


def _people(columns: list[tuple[str, str]], goal: str) -> list[str]:
    """The columns of persons, where the goal asks who."""
    if not re.search(r"\bwho(?:m|se)?\b", goal, re.I):
        return []
    return [quoted(name) for name, kind in columns if kind not in (*NUMERIC, *DATES) and _PERSON.search(name)]


def _is_asked(name: str, goal: str) -> bool:
    """Whether the goal asks for a column itself: "which order_id", "what price"."""
    return (
        re.search(
            rf"\b(?:which|what|whose|what is the|what's the) {re.escape(name.replace('_', ' '))}\b|\b{re.escape(name)}\b",
            goal,
            re.I,
        )
        is not None
    )


_FIRST = re.compile(
    r"\b(?:who|which|what|whose)\b(?=.*\b(?:first|last|recently)\b).*?\b(?:(first)|(last|most recently))\b(?! (?:name|\d|two|three|five|ten))",
    re.I | re.S,
)


def _by_age(columns: list[tuple[str, str]], goal: str) -> tuple[str, str] | None:
    """What "oldest", "newest", "latest" order by, and which way; None where the goal says none or no column is of time."""
    text = asked.FILE.sub(" ", goal)
    match = re.search(
        r"\b(?:(oldest|earliest|eldest|first published|longest ago)|(youngest|newest|latest|most recent))\b", text, re.I
    )
    ends = _FIRST.search(text)
    if not match and not ends:
        return None
    ages = [name for name, kind in columns if kind in NUMERIC and re.search(r"\bage\b|^age", name, re.I)]
    times = [
        n
        for n, kind in columns
        if kind in DATES or re.search(r"year|date|born|founded|built|joined|published", n, re.I)
    ]
    if not match:  # "was hired first": by a day, of which there is one
        times = [name for name, kind in columns if kind in DATES]
        ages = []
    found = ages[:1] or times[:1]
    early = bool(match[1]) if match else bool(ends and ends[1])
    down = early == bool(ages)  # the oldest has the highest age, and the earliest year
    return (alternatives([quoted(found[0])]), '" DESC"' if down else '" ASC"') if found else None


def _ranked_by(name: str, goal: str) -> bool:
    return re.search(rf"\bby (?:the |total )?{re.escape(name)}\b", goal, re.IGNORECASE) is not None


def _sorted_by(name: str, goal: str) -> bool:
    return (
        re.search(
            rf"\b(?:top|bottom|sort\w*|order\w*|rank\w*|highest|lowest)\b.{{0,40}}\bby (?:the )?{re.escape(name)}",
            goal,
            re.IGNORECASE,
        )
        is not None
    )


def _where(looked: Looked, sources: Sources) -> str:
    """The conditions that the goal gives, in its order; where it gives none, the model may compare text with its words."""
    columns = looked.columns
    numeric = [name for name, kind in columns if kind in NUMERIC]
    texts = [name for name, kind in columns if kind not in (*NUMERIC, *DATES)]
    found = conditions.required(certain.tailless(sources.goal), columns, looked.cells)
    meant = conditions.required(sources.meant, columns, looked.cells) if sources.meant else []
    found = [*(one for one in meant if one not in found), *found]
    parts = []
    for column, rest in _together(found):
        if not column and texts and rest.startswith((" = ", " <> ")):
            parts.append(literal(_any_of(texts, rest)))
            continue
        among = (
            [column]
            if column and column not in "#@"
            else numeric
            if column == "#"
            else texts or [n for n, _ in columns]
        )
        if among:
            parts.append(f"{alternatives([quoted(name) for name in among])} {alternatives([rest])}")
    other = _other_words(certain.tailless(sources.goal), columns, " ".join(rest for _, rest in found))
    free = alternatives([_any_of(texts, f" = '{word}'") for word in other]) if texts and other else ""
    more = f'(" AND " {free})?' if free else ""
    if parts:
        return '" WHERE " ' + ' " AND " '.join(parts) + f" {more}"
    must = bool(other) and re.search(
        rf"\b(?:how many|of the|all) {re.escape(other[0])} \w+s\b", sources.goal, re.IGNORECASE
    )
    return f'(" WHERE " {free}){"" if must else "?"}' if free else ""


def _together(found: list[conditions.Condition]) -> list[conditions.Condition]:
    """Values of one column are any of them: no row has two."""
    out: list[conditions.Condition] = []
    for column, rest in found:
        same = next(
            (at for at, (other, said) in enumerate(out) if column and other == column and said.startswith(_ANY)), None
        )
        if same is not None and rest.startswith(" = '"):
            before = out[same][1]
            first = before[len(" IN (") : -1] if before.startswith(" IN (") else before.removeprefix(" = ")
            out[same] = (column, f" IN ({first}, {rest.removeprefix(' = ')})")
            continue
        out.append((column, rest))
    return out


_ANY = (" = '", " IN (")


def _any_of(texts: list[str], rest: str) -> str:
    """The condition for whichever text column holds the value, or for none: the rows that were shown need not hold it."""
    either = (" AND " if rest.startswith(" <> ") else " OR ").join(f"{quoted(name)}{rest}" for name in texts)
    return f"({either})" if len(texts) > 1 else either


_NO_VALUES = frozenset(
    ["people", "persons", "person", "staff", "them", "those", "these", "they", "file", "data", "many", "which", "what", "average", "total", "sum", "count", "number", "highest", "lowest", "most", "least", "list", "show", "give", "tell", "find", "rows", "row", "table", "different", "distinct", "still", "only", "all", "expensive", "cheap", "costly", "biggest", "largest", "smallest", "longest", "shortest", "oldest", "youngest", "newest", "latest", "best", "worst", "maximum", "minimum", "top", "bottom", "first", "last", "much", "long"]
)  # fmt: skip
_PLACE = re.compile(
    r"\b(?:is|are|was|were|the|of|all|many|any)\s+(?:still\s+|already\s+)?([a-z][\w-]{2,})(?=\s+[a-z]+s\b|\s*[?.,]|\s*$|\s+in\b)",
    re.I,
)


def _other_words(goal: str, columns: list[tuple[str, str]], used: str) -> list[str]:
    """Words where a value stands ("the pending orders", "are still open"): none of a column, none in a condition already."""
    named = {stem(part) for name, _ in columns for part in re.findall(r"[a-z]+", name.lower())}
    text = asked.FILE.sub(" ", asked.bounded(goal))
    fits = [
        w
        for w in _PLACE.findall(text)
        if not (_MORE.fullmatch(w) or _LESS.fullmatch(w))
        and w.lower() not in BREAKS | _NO_VALUES
        and stem(w.lower()) not in named
    ]
    plural = {w.lower() for w in fits if w.lower().endswith("s") and not w.lower().endswith("ss")}
    return list(dict.fromkeys(w for w in fits if w.lower() not in used.lower() and w.lower() not in plural))[:6]


def made_right(tool: str, arguments: dict[str, Any], looked: dict[str, Looked]) -> dict[str, Any]:
    """Text is compared whatever its case; a date column is compared with LIKE as text. The meaning stays."""
    sql = arguments.get("sql")
    if not isinstance(sql, str):
        return arguments
    if tool == "table":
        sql = re.sub(r"(\w+|\"[^\"]+\") LIKE '", r"CAST(\1 AS TEXT) LIKE '", sql)
        sql = re.sub(r" = '([^'%_]*[A-Za-z][^'%_]*)'", r" ILIKE '\1'", sql)
        sql = re.sub(r" <> '([^'%_]*[A-Za-z][^'%_]*)'", r" NOT ILIKE '\1'", sql)
    else:
        sql = re.sub(r" = '([^'%_]*[A-Za-z][^'%_]*)'", r" LIKE '\1'", sql)
    return {**arguments, "sql": sql}
