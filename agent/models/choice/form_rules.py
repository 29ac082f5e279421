"""Rules of the forms: what an argument of a built-in tool may be, read off the goal without a model.

What it is: file names, licences, tasks, sizes, conditions, letters, and the code templates of `python`. Each rule takes
(goal, what was chosen before, the last observation, the other live tools) and gives values; None leaves it to the
schema, an empty list leaves the argument out. What it may touch: nothing. Used by forms.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from outrider.agent.models.choice.arithmetic import expressions
from outrider.agent.models.choice.spans import exact, spans
from outrider.agent.models.choice.words import pieces, stem

Chosen = dict[str, Any]


Values = list[Any] | None  # None: as the schema says; []: leave it out


def files(goal: str, observed: str = "", *endings: str) -> list[str]:
    found = [span.text for text in (goal, observed) for span in exact(text, "file")]
    fits = [name for name in found if not endings or name.lower().endswith(endings)]
    return list(dict.fromkeys(fits))[:20]


TEXT_OPS = {
    "characters": "print(len({text!r}))",
    "words": "print(len({text!r}.split()))",
    "count": "print({text!r}.lower().count({of!r}.lower()))",
    "reverse": "print({text!r}[::-1])",
    "upper": "print({text!r}.upper())",
    "lower": "print({text!r}.lower())",
}


FILE_OPS = {
    "file lines": "print(len(open({path!r}).read().splitlines()))",
    "file words": "print(len(open({path!r}).read().split()))",
    "file characters": "print(len(open({path!r}).read()))",
}


CSV = "import csv\nrows = list(csv.DictReader(open({path!r}, newline='')))\n"


COLUMN = CSV + "values = [float(row[{column!r}]) for row in rows if row[{column!r}]]\n"


TABLE_OPS = {
    "rows": CSV + "print(len(rows))",
    "sum": COLUMN + "print(round(sum(values), 10))",
    "mean": COLUMN + "print(sum(values) / len(values))",
    "max": COLUMN + "print(max(values))",
    "min": COLUMN + "print(min(values))",
}


JSON_OP = "import json\nprint(len(json.load(open({path!r}))))"


PRIME = "n = {number}\nprint(n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1)))"


def python_operations(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    words = {stem(word) for word in pieces(goal, 48)}
    out = ["calculate"] if bool(expressions(goal)) else []
    if "prime" in words or "prim" in words:
        out += ["prime"] if exact(goal, "number") else []
    if words & {stem("date"), "weekda"} or {stem("day"), stem("today")} <= words:
        out.append("date")
    tables = files(goal, "", ".csv", ".tsv")
    if files(goal) and "text_stats" not in beside:
        out += list(FILE_OPS)
    if tables and "table" not in beside:
        out += list(TABLE_OPS)
    if files(goal, "", ".json") and "table" not in beside:
        out.append("items")
    if not files(goal) and "text_stats" not in beside:
        out += [name for name in TEXT_OPS if name != "count" or letters(goal)]
    return out


def letters(goal: str) -> list[str]:
    short = [span.text for span in exact(goal, "letter", "quote") if len(span.text) == 1]
    return list(dict.fromkeys(short)) or [s.text for s in exact(goal, "quote")]


def python_arguments(chosen: Chosen) -> dict[str, Any]:
    operation = str(chosen.get("operation"))
    if operation == "calculate":
        expression = str(chosen["expression"])
        return {"code": ("import math\n" if "math." in expression else "") + f"print({expression})"}
    shapes = {
        **TEXT_OPS,
        **FILE_OPS,
        **TABLE_OPS,
        "items": JSON_OP,
        "prime": PRIME,
        "date": "import datetime\nprint(datetime.date.today().strftime('%A %Y-%m-%d'))",
    }
    return {"code": shapes[operation].format(**chosen)}


def when(*operations: str) -> Callable[[Chosen], bool]:
    return lambda chosen: chosen.get("operation") in operations


def python_rules() -> dict[str, Callable[[str, Chosen, str, frozenset[str]], Values]]:
    table_columns = when("sum", "mean", "max", "min")
    return {
        "operation": python_operations,
        "expression": lambda g, c, o, b: expressions(g) if c.get("operation") == "calculate" else [],
        "path": lambda g, c, o, b: files(g) if c.get("operation") in {*FILE_OPS, *TABLE_OPS, "items"} else [],
        "text": lambda g, c, o, b: texts(g) if c.get("operation") in TEXT_OPS else [],
        "of": lambda g, c, o, b: letters(g) if c.get("operation") == "count" else [],
        "column": lambda g, c, o, b: None if table_columns(c) else [],
        "number": lambda g, c, o, b: [s.text for s in exact(g, "number")] if c.get("operation") == "prime" else [],
    }


def texts(goal: str) -> Values:
    """What is in quotation marks, if anything longer than a letter is; else any span."""
    return [span.text for span in exact(goal, "quote") if len(span.text) > 1] or None


TABLE_FILES = (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet")


NEEDS_COLUMN = {"sum", "mean", "min", "max", "unique", "count"}


COMPARED = re.compile(
    r"\b(?:where|with|whose|when|if|having)\s+(?:the\s+)?(\w+)\s*(?:is\s+|are\s+|equals?\s+|of\s+)?"
    r"(=+|>=?|<=?|!=|not|above|over|greater than|more than|below|under|less than|at least|at most)?\s*"
    r"[\"']?([\w.-]+(?: [A-Z]\w*)*)[\"']?",
    re.IGNORECASE,
)


SYMBOLS = {
    "above": ">",
    "over": ">",
    "greater than": ">",
    "more than": ">",
    "below": "<",
    "under": "<",
    "less than": "<",
    "at least": ">=",
    "at most": "<=",
    "not": "!=",
    "==": "=",
}


def where(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = COMPARED.search(goal)
    if not match:
        return []
    sign = (match[2] or "=").lower()
    return [f"{match[1]} {SYMBOLS.get(sign, sign)} {match[3].rstrip('.?')}"]


def needs_column(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return None if chosen.get("operation") in NEEDS_COLUMN else []


TABLE_SQL = {
    "rows": "SELECT count(*) AS rows FROM t{where}",
    "sum": "SELECT sum({column}) AS {label} FROM t{where}",
    "mean": "SELECT avg({column}) AS {label} FROM t{where}",
    "min": "SELECT min({column}) AS {label} FROM t{where}",
    "max": "SELECT max({column}) AS {label} FROM t{where}",
    "count": "SELECT count({column}) AS {label} FROM t{where}",
    "unique": "SELECT {column}, count(*) AS rows FROM t{where} GROUP BY 1 ORDER BY 2 DESC, 1",
    "head": "SELECT * FROM t{where} LIMIT 5",
}


def table_arguments(chosen: Chosen) -> dict[str, Any]:
    """The SQL of an operation, a column and a condition; the columns of a table are what `table` says without SQL."""
    operation, path = str(chosen.get("operation")), chosen.get("path")
    if operation not in TABLE_SQL:
        return {"path": path}
    column = str(chosen.get("column", ""))
    told = _sql_name(f"{operation} of {column}")
    sql = TABLE_SQL[operation].format(column=_sql_name(column), label=told, where=_sql_where(chosen.get("where")))
    return {"path": path, "sql": sql}


def table_told(arguments: Chosen) -> Chosen:
    """What a small model is shown of SQL of ours: the choices it was made of."""
    sql = str(arguments.get("sql", ""))
    where = re.search(r"""FROM t WHERE "(.+)" (\S+) '(.*?)'(?: GROUP BY.*| LIMIT 5)?$""", sql, re.DOTALL)
    column = re.match(r'SELECT (?:\w+\()?"(.+?)"(?:\)|,)', sql)
    label = re.search(r'AS "(\w+) of .*" FROM t', sql)
    if sql and not re.match(r"SELECT (\*|count\(\*\) AS rows) FROM t", sql) and column is None:
        return arguments
    operation = label[1] if label else "unique" if "GROUP BY" in sql else "rows" if "AS rows" in sql else "head"
    said = {"path": arguments.get("path"), "operation": operation if sql else "columns"}
    said |= {"column": column[1]} if column else {}
    value = where[3].replace("''", "'") if where else ""
    return said | ({"where": f"{where[1]} {where[2]} {value}"} if where else {})


def _sql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_where(condition: object) -> str:
    """` WHERE "city" = 'Oslo'`; a number in quotes still compares as a number with a column of numbers."""
    match = re.fullmatch(r"(\S+) (=|!=|<=|>=|<|>) (.*)", str(condition or ""), re.DOTALL)
    if not match:
        return ""
    value = match[3].replace("'", "''")
    return f" WHERE {_sql_name(match[1])} {match[2]} '{value}'"


def stats_of(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    if chosen.get("operation") != "count":
        return []
    return letters(goal) or None


OPERATION_GLOSS = {
    "calculate": "calculate compute plus minus times divided sum evaluate",
    "date": "date today day weekday time",
    "prime": "prime",
    "rows": "row rows record records entry entries item items long many number line lines size big data count",
    "items": "items entries elements long many number length",
    "columns": "column columns field fields header headers names",
    "sum": "sum total add up together overall altogether",
    "mean": "mean average",
    "min": "minimum min lowest smallest least cheapest shortest youngest",
    "max": "maximum max highest largest biggest greatest top most longest oldest expensive",
    "count": "count times often letter occur appear filled values",
    "unique": "unique different distinct which",
    "head": "head first beginning preview top start",
    "characters": "character characters letter letters length long",
    "words": "word words",
    "lines": "line lines",
    "reverse": "reverse reversed backwards backward around",
    "upper": "upper uppercase capital capitals big",
    "lower": "lower lowercase small",
}


TABLE_OPERATIONS = ["rows", "columns", "sum", "mean", "min", "max", "count", "unique", "head"]


TEXT_OPERATIONS = ["characters", "words", "lines", "count", "reverse", "upper", "lower"]


TASKS = [
    "text-classification", "token-classification", "question-answering", "zero-shot-classification", "translation",
    "summarization", "feature-extraction", "text-generation", "fill-mask", "sentence-similarity", "text-to-image",
    "image-to-text", "image-classification", "object-detection", "image-segmentation", "text-to-speech",
    "automatic-speech-recognition", "audio-classification", "depth-estimation", "text-to-video", "image-to-image",
    "tabular-classification", "tabular-regression", "table-question-answering", "video-classification",
    "visual-question-answering", "document-question-answering", "text-ranking",
]  # fmt: skip


TASK_WORDS = {
    "speech recognition": "automatic-speech-recognition",
    "transcription": "automatic-speech-recognition",
    "summary": "summarization",
    "summarisation": "summarization",
    "summarising": "summarization",
    "summarizing": "summarization",
    "translating": "translation",
    "embedding": "feature-extraction",
    "sentiment": "text-classification",
    "named entity": "token-classification",
    "captioning": "image-to-text",
    "chat": "text-generation",
    "language model": "text-generation",
    "text to speech": "text-to-speech",
    "speech synthesis": "text-to-speech",
}


LICENCES = {
    "apache": "apache-2.0",
    "mit": "mit",
    "bsd": "bsd-3-clause",
    "gpl": "gpl-3.0",
    "lgpl": "lgpl-3.0",
    "agpl": "agpl-3.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
    "cc0": "cc0-1.0",
    "openrail": "openrail",
    "unlicense": "unlicense",
    "mpl": "mpl-2.0",
    "llama3": "llama3",
    "gemma": "gemma",
}


def task(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    plain = " ".join(re.findall(r"[a-z]+", goal.lower()))
    named = [task for task in TASKS if task.replace("-", " ") in plain]
    named = [task for task in named if not any(task != other and task in other for other in named)]
    return named or [task for words, task in TASK_WORDS.items() if words in plain][:1]


def licence(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    lowered = goal.lower()
    written = [full for full in LICENCES.values() if re.search(rf"(?<![\w-]){re.escape(full)}(?![\w])", lowered)]
    short = [full for word, full in LICENCES.items() if re.search(rf"(?<![\w-]){word}(?![a-z])", lowered)]
    return (written or short)[:1]


def max_parameters(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = re.search(r"(\d+(?:\.\d+)?)\s*(k|thousand|m|million|b|billion)\b", goal.lower())
    if match:
        return [f"{match[1]}{match[2][0].upper()}" if match[2] != "thousand" else f"{match[1]}K"]
    return ["100M"] if re.search(r"\b(small|tiny|little|light(weight)?)\b", goal.lower()) else []


def hub_query(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return [] if chosen.get("task") else None


def models(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    named = [span.text for span in exact(goal, "id")]
    if not named and not task(goal, {}, "", frozenset()):  # gpt2, bert-base-uncased
        shape = r"[A-Za-z][\w.]*(?:-[\w.]+)+|[A-Za-z]+\d[\w.-]*"
        kinds = {"code", "word", "quote"}
        named = [span.text for span in spans(goal) if span.kind in kinds and re.fullmatch(shape, span.text)]
    return list(dict.fromkeys(named or [span.text for span in exact(observed, "id")]))[:20]


FILE_WORDS = {
    "python": "py",
    "text": "txt",
    "markdown": "md",
    "javascript": "js",
    "image": "png",
    "excel": "xlsx",
    "notebook": "ipynb",
    **{
        end: end
        for end in ["csv", "tsv", "json", "jsonl", "txt", "md", "py", "log", "yaml", "xml", "html", "pdf", "sql"]
    },
}


def glob(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    written = re.findall(r"(?<!\S)[\w./-]*\*[\w.*/-]*", goal)
    ending = re.search(r"\.?(\w+) files?\b", goal.lower())
    if written or ending is None:
        return written[:1]
    return [f"*.{FILE_WORDS[ending[1]]}"] if ending[1] in FILE_WORDS else []


def folder(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = re.search(
        r"(?:in|of|under|inside)\s+(?:the\s+)?[\"'`]?([\w./-]+)[\"'`]?\s+(?:folder|directory|dir)\b|"
        r"(?:folder|directory)\s+(?:called\s+|named\s+)?[\"'`]?([\w./-]+)|\s([\w.-]+(?:/[\w.-]+)*)/(?!\w)",
        goal,
    )
    found = next((group for group in match.groups() if group), "") if match else ""
    return [found] if found and found.lower() not in {"this", "current", "working", "my", "here", "is"} else []


def path_in_goal(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return files(goal)[:1]


def replaces(goal: str, observed: str, beside: frozenset[str]) -> bool:
    return bool(re.search(r"\b(replace|change|swap|rename|edit|fix)\b", goal.lower()) and files(goal))


def quoted_only(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return [span.text for span in exact(goal, "quote")]
