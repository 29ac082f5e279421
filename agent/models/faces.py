"""Simpler faces for built-in tools a tiny model cannot drive as they are.

What it is: `python(code)` becomes a choice of operation plus spans, and the code is written here from a template;
`table`, `text_stats` and the hub tools get the arguments that a rule can read off the goal (file names, licences,
"under 100M parameters"). A face only applies while the live tool still takes the arguments it would write.
What it may touch: nothing. What it does not promise: every use of a tool; a face covers what simple goals ask for.
Start reading at `FACES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.expressions import expressions
from outrider.agent.models.spans import exact, pieces, spans, stem

Chosen = dict[str, Any]
Values = list[Any] | None  # None: as the schema says; []: leave it out


def _always(goal: str, observed: str, beside: frozenset[str]) -> bool:
    return True


def _as_chosen(chosen: Chosen) -> dict[str, Any]:
    return chosen


@dataclass(frozen=True, slots=True)
class Face:
    """How one tool looks to a small model. `rules` give an argument's values; `needs` must be in the live schema.

    gloss: words people use when they mean this tool; only those that occur in the goal are shown to the model.
    """

    gloss: str
    needs: tuple[str, ...]
    parameters: tuple[dict[str, Any], ...]
    rules: dict[str, Callable[[str, Chosen, str, frozenset[str]], Values]]
    offered: Callable[[str, str, frozenset[str]], bool] = _always
    arguments: Callable[[Chosen], dict[str, Any]] = _as_chosen

    def fits(self, schema: dict[str, Any]) -> bool:
        """Whether the live tool takes what this face writes."""
        return set(self.needs) <= set(schema.get("properties") or {})

    def values(self, name: str, goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
        """The values a rule allows for parameter `name`."""
        rule = self.rules.get(name)
        return rule(goal, chosen, observed, beside) if rule else None


def face_of(name: str) -> Face | None:
    """The face of the built-in tool `name`, if it has one."""
    return FACES.get(name)


def has_expression(goal: str) -> bool:
    """Whether the goal holds something to calculate."""
    return bool(expressions(goal))


def _p(name: str, about: str = "", kind: str = "string", required: bool = True) -> dict[str, Any]:
    return {"name": name, "kind": kind, "required": required, "about": about}


def _files(goal: str, observed: str = "", *endings: str) -> list[str]:
    found = [span.text for text in (goal, observed) for span in exact(text, "file")]
    fits = [name for name in found if not endings or name.lower().endswith(endings)]
    return list(dict.fromkeys(fits))[:20]


# ---- python -------------------------------------------------------------------------------------------------------

_TEXT_OPS = {
    "characters": "print(len({text!r}))",
    "words": "print(len({text!r}.split()))",
    "count": "print({text!r}.lower().count({of!r}.lower()))",
    "reverse": "print({text!r}[::-1])",
    "upper": "print({text!r}.upper())",
    "lower": "print({text!r}.lower())",
}
_FILE_OPS = {
    "file lines": "print(len(open({path!r}).read().splitlines()))",
    "file words": "print(len(open({path!r}).read().split()))",
    "file characters": "print(len(open({path!r}).read()))",
}
_CSV = "import csv\nrows = list(csv.DictReader(open({path!r}, newline='')))\n"
_COLUMN = _CSV + "values = [float(row[{column!r}]) for row in rows if row[{column!r}]]\n"
_TABLE_OPS = {
    "rows": _CSV + "print(len(rows))",
    "sum": _COLUMN + "print(round(sum(values), 10))",
    "mean": _COLUMN + "print(sum(values) / len(values))",
    "max": _COLUMN + "print(max(values))",
    "min": _COLUMN + "print(min(values))",
}
_JSON_OP = "import json\nprint(len(json.load(open({path!r}))))"
_PRIME = "n = {number}\nprint(n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1)))"


def _python_operations(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    words = {stem(word) for word in pieces(goal, 48)}
    out = ["calculate"] if has_expression(goal) else []
    if "prime" in words or "prim" in words:
        out += ["prime"] if exact(goal, "number") else []
    if words & {stem("date"), stem("today"), "time"}:
        out.append("date")
    tables = _files(goal, "", ".csv", ".tsv")
    if _files(goal) and "text_stats" not in beside:
        out += list(_FILE_OPS)
    if tables and "table" not in beside:
        out += list(_TABLE_OPS)
    if _files(goal, "", ".json") and "table" not in beside:
        out.append("items")
    if not _files(goal) and "text_stats" not in beside:
        out += [name for name in _TEXT_OPS if name != "count" or _letters(goal)]
    return out


def _letters(goal: str) -> list[str]:
    short = [span.text for span in exact(goal, "letter", "quote") if len(span.text) == 1]
    return list(dict.fromkeys(short)) or [s.text for s in exact(goal, "quote")]


def _python_arguments(chosen: Chosen) -> dict[str, Any]:
    operation = str(chosen.get("operation"))
    if operation == "calculate":
        expression = str(chosen["expression"])
        return {"code": ("import math\n" if "math." in expression else "") + f"print({expression})"}
    shapes = {
        **_TEXT_OPS,
        **_FILE_OPS,
        **_TABLE_OPS,
        "items": _JSON_OP,
        "prime": _PRIME,
        "date": "import datetime\nprint(datetime.date.today().strftime('%A %Y-%m-%d'))",
    }
    return {"code": shapes[operation].format(**chosen)}


def _when(*operations: str) -> Callable[[Chosen], bool]:
    return lambda chosen: chosen.get("operation") in operations


def _python_rules() -> dict[str, Callable[[str, Chosen, str, frozenset[str]], Values]]:
    table_columns = _when("sum", "mean", "max", "min")
    return {
        "operation": _python_operations,
        "expression": lambda g, c, o, b: expressions(g) if c.get("operation") == "calculate" else [],
        "path": lambda g, c, o, b: _files(g) if c.get("operation") in {*_FILE_OPS, *_TABLE_OPS, "items"} else [],
        "text": lambda g, c, o, b: _texts(g) if c.get("operation") in _TEXT_OPS else [],
        "of": lambda g, c, o, b: _letters(g) if c.get("operation") == "count" else [],
        "column": lambda g, c, o, b: None if table_columns(c) else [],
        "number": lambda g, c, o, b: [s.text for s in exact(g, "number")] if c.get("operation") == "prime" else [],
    }


def _texts(goal: str) -> Values:
    """What is in quotation marks, if anything longer than a letter is; else any span."""
    return [span.text for span in exact(goal, "quote") if len(span.text) > 1] or None


# ---- table and text_stats -----------------------------------------------------------------------------------------

_TABLE_FILES = (".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet")
_NEEDS_COLUMN = {"sum", "mean", "min", "max", "unique", "count"}
_COMPARED = re.compile(
    r"\b(?:where|with|whose|when|if|having)\s+(?:the\s+)?(\w+)\s*(?:is\s+|are\s+|equals?\s+|of\s+)?"
    r"(=+|>=?|<=?|!=|not|above|over|greater than|more than|below|under|less than|at least|at most)?\s*"
    r"[\"']?([\w.-]+(?: [A-Z]\w*)*)[\"']?",
    re.IGNORECASE,
)
_SYMBOLS = {
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


def _where(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = _COMPARED.search(goal)
    if not match:
        return []
    sign = (match[2] or "=").lower()
    return [f"{match[1]} {_SYMBOLS.get(sign, sign)} {match[3].rstrip('.?')}"]


def _needs_column(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return None if chosen.get("operation") in _NEEDS_COLUMN else []


def _stats_of(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    if chosen.get("operation") != "count":
        return []
    return _letters(goal) or None


# Words people use for an operation; those in the goal are shown to the model beside it.
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
    "max": "maximum max highest largest biggest greatest top most longest oldest",
    "count": "count times often letter occur appear many filled",
    "unique": "unique different distinct which",
    "head": "head first beginning preview top start",
    "characters": "character characters letter letters length long",
    "words": "word words",
    "lines": "line lines",
    "reverse": "reverse reversed backwards backward around",
    "upper": "upper uppercase capital capitals big",
    "lower": "lower lowercase small",
}
_TABLE_OPERATIONS = ["rows", "columns", "sum", "mean", "min", "max", "count", "unique", "head"]
_TEXT_OPERATIONS = ["characters", "words", "lines", "count", "reverse", "upper", "lower"]


# ---- the hub and the files ------------------------------------------------------------------------------------------

_TASKS = [
    "text-classification",
    "token-classification",
    "question-answering",
    "zero-shot-classification",
    "translation",
    "summarization",
    "feature-extraction",
    "text-generation",
    "fill-mask",
    "sentence-similarity",
    "text-to-image",
    "image-to-text",
    "image-classification",
    "object-detection",
    "image-segmentation",
    "text-to-speech",
    "automatic-speech-recognition",
    "audio-classification",
    "depth-estimation",
    "text-to-video",
    "image-to-image",
    "tabular-classification",
    "tabular-regression",
    "table-question-answering",
    "video-classification",
    "visual-question-answering",
    "document-question-answering",
    "text-ranking",
]
_TASK_WORDS = {
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
_LICENCES = {
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


def _task(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    plain = " ".join(re.findall(r"[a-z]+", goal.lower()))
    named = [task for task in _TASKS if task.replace("-", " ") in plain]
    named = [task for task in named if not any(task != other and task in other for other in named)]
    return named or [task for words, task in _TASK_WORDS.items() if words in plain][:1]


def _licence(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    lowered = goal.lower()
    written = [full for full in _LICENCES.values() if re.search(rf"(?<![\w-]){re.escape(full)}(?![\w])", lowered)]
    short = [full for word, full in _LICENCES.items() if re.search(rf"(?<![\w-]){word}(?![a-z])", lowered)]
    return (written or short)[:1]


def _max_parameters(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = re.search(r"(\d+(?:\.\d+)?)\s*(k|thousand|m|million|b|billion)\b", goal.lower())
    if match:
        return [f"{match[1]}{match[2][0].upper()}" if match[2] != "thousand" else f"{match[1]}K"]
    return ["100M"] if re.search(r"\b(small|tiny|little|light(weight)?)\b", goal.lower()) else []


def _hub_query(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return [] if chosen.get("task") else None


def _models(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    named = [span.text for span in exact(goal, "id")]
    bare = (
        []
        if _task(goal, {}, "", frozenset())
        else [
            span.text
            for span in spans(goal)
            if span.kind in {"code", "word", "quote"}
            and re.fullmatch(r"[A-Za-z][\w.]*(?:-[\w.]+)+|[A-Za-z]+\d[\w.-]*", span.text)
        ]
    )
    seen = [span.text for span in exact(observed, "id")]
    return list(dict.fromkeys([*named, *bare, *seen]))[:20]


_FILE_WORDS = {
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


def _glob(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    written = re.findall(r"(?<!\S)[\w./-]*\*[\w.*/-]*", goal)
    ending = re.search(r"\.?(\w+) files?\b", goal.lower())
    if written or ending is None:
        return written[:1]
    return [f"*.{_FILE_WORDS[ending[1]]}"] if ending[1] in _FILE_WORDS else []


def _folder(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    match = re.search(
        r"(?:in|of|under|inside)\s+(?:the\s+)?[\"'`]?([\w./-]+)[\"'`]?\s+(?:folder|directory|dir)\b|"
        r"(?:folder|directory)\s+(?:called\s+|named\s+)?[\"'`]?([\w./-]+)|\s([\w.-]+(?:/[\w.-]+)*)/(?!\w)",
        goal,
    )
    found = next((group for group in match.groups() if group), "") if match else ""
    return [found] if found and found.lower() not in {"this", "current", "working", "my", "here", "is"} else []


def _path_in_goal(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return _files(goal)[:1]


def _replaces(goal: str, observed: str, beside: frozenset[str]) -> bool:
    return bool(re.search(r"\b(replace|change|swap|rename|edit|fix)\b", goal.lower()) and _files(goal))


def _quoted_only(goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
    return [span.text for span in exact(goal, "quote")]


FACES: dict[str, Face] = {
    "python": Face(
        "calculate compute sum plus minus times divided multiplied percent square root power average product difference "
        "remainder factorial prime date today day weekday evaluate solve",
        ("code",),
        (
            _p("operation", "what to do"),
            _p("expression", "what to calculate"),
            _p("path", "file"),
            _p("text", "the text to work on"),
            _p("of", "letter to count"),
            _p("column", "column of the table"),
            _p("number", "the number"),
        ),
        _python_rules(),
        lambda g, o, b: bool(_python_operations(g, {}, o, b)),
        _python_arguments,
    ),
    "table": Face(
        "row rows records entries items data table columns column fields header headers sum total add average mean highest "
        "maximum max largest biggest greatest top lowest minimum min smallest least unique different distinct values first "
        "preview head count many",
        ("path", "operation"),
        (
            _p("path", "file"),
            _p("operation", "what to work out"),
            _p("column", "name of the column"),
            _p("where", "", required=False),
        ),
        {
            "path": lambda g, c, o, b: _files(g, o, *_TABLE_FILES),
            "operation": lambda g, c, o, b: _TABLE_OPERATIONS,
            "column": _needs_column,
            "where": _where,
        },
    ),
    "text_stats": Face(
        "letter letters character characters word words line lines length long times often reverse backwards spell upper "
        "capital capitals uppercase lower small lowercase count many occur appear",
        ("operation",),
        (
            _p("operation", "what to do"),
            _p("path", "file", required=False),
            _p("text", "the text to work on"),
            _p("of", "letter or word to count"),
        ),
        {
            "operation": lambda g, c, o, b: _TEXT_OPERATIONS,
            "path": _path_in_goal,
            "of": _stats_of,
            "text": lambda g, c, o, b: [] if c.get("path") else _texts(g),
        },
    ),
    "hub_search": Face(
        "model models hub find search recommend suggest recommendation",
        ("task", "query"),
        (
            _p("task", required=False),
            _p("licence", required=False),
            _p("max_parameters", required=False),
            _p("query", "words of the model's name"),
        ),
        {"task": _task, "licence": _licence, "max_parameters": _max_parameters, "query": _hub_query},
    ),
    "hub_model": Face(
        "licence parameters size downloads task model commercially use free about hub gated",
        ("model",),
        (_p("model", "id of the model"),),
        {"model": _models},
    ),
    "web_search": Face(
        "web internet online google search look find information news who when where wrote invented born",
        ("query",),
        (_p("query", "what to look up"),),
        {},
    ),
    "read_page": Face(
        "page read open fetch website site address link summarise", ("url",), (_p("url", "address"),), {}
    ),
    "read_file": Face(
        "read show open print content contents say says written inside display cat tell according set",
        ("path",),
        (_p("path", "file"),),
        {"path": lambda g, c, o, b: _files(g, o)},
    ),
    "write_file": Face(
        "write save create store put make containing saying new note",
        ("path", "content"),
        (_p("path", "file"), _p("content", "the text to write")),
        {"path": lambda g, c, o, b: _files(g)},
    ),
    "edit_file": Face(
        "replace change edit swap",
        ("path", "old", "new"),
        (_p("path", "file"), _p("old", "the text to replace"), _p("new", "the text to put there, with")),
        {"path": lambda g, c, o, b: _files(g)},
        _replaces,
    ),
    "list_files": Face(
        "list files folder workspace ls here which all",
        (),
        (_p("path", "folder", required=False), _p("pattern", required=False)),
        {"path": _folder, "pattern": _glob},
    ),
    "search_files": Face(
        "search find grep files mention contains contain contains appear where used",
        ("pattern",),
        (_p("pattern", "text to search for"), _p("path", "file", required=False)),
        {"path": _path_in_goal},
    ),
    "recall": Face(
        "remember recall earlier before memory past said runs", ("query",), (_p("query", "what to recall"),), {}
    ),
    "note": Face("remember note mind keep", ("text",), (_p("text", "what to remember"),), {}),
    "shell": Face(
        "run shell command execute terminal", ("command",), (_p("command", "the command"),), {"command": _quoted_only}
    ),
}
# Built-in tools a small model is not shown: they need a plan, a person, or arguments nobody can copy from a goal.
HIDDEN = frozenset(["ask_user", "delegate", "plan", "http_request", "sql_query", "hub_run"])
