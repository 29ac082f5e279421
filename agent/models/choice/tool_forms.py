"""Simpler forms for built-in tools a tiny model cannot drive as they are.

What it is: `python(code)` becomes a choice of operation plus spans, and the code is written here from a template;
`table`, `text_stats` and the hub tools get the arguments that a rule can read off the goal (file names, licences,
"under 100M parameters"). A form only applies while the live tool still takes the arguments it would write.
What it may touch: nothing. What it does not promise: every use of a tool; a form covers what simple goals ask for.
Start reading at `TOOL_FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.choice import form_rules as rules
from outrider.agent.models.choice.arithmetic import expressions
from outrider.agent.models.choice.form_rules import Chosen, Values


def _always(goal: str, observed: str, beside: frozenset[str]) -> bool:
    return True


def _as_chosen(chosen: Chosen) -> dict[str, Any]:
    return chosen


@dataclass(frozen=True, slots=True)
class ToolForm:
    """How one tool looks to a small model. `rules` give an argument's values; `needs` must be in the live schema.

    gloss: words people use when they mean this tool; only those that occur in the goal are shown to the model.
    """

    gloss: str
    needs: tuple[str, ...]
    parameters: tuple[dict[str, Any], ...]
    rules: dict[str, Callable[[str, Chosen, str, frozenset[str]], Values]]
    offered: Callable[[str, str, frozenset[str]], bool] = _always
    arguments: Callable[[Chosen], dict[str, Any]] = _as_chosen
    told: Callable[[dict[str, Any]], Chosen] = _as_chosen  # the way back: what the model is shown of a past call

    def fits(self, schema: dict[str, Any]) -> bool:
        """Whether the live tool takes what this form writes."""
        return set(self.needs) <= set(schema.get("properties") or {})

    def values(self, name: str, goal: str, chosen: Chosen, observed: str, beside: frozenset[str]) -> Values:
        """The values a rule allows for parameter `name`."""
        rule = self.rules.get(name)
        return rule(goal, chosen, observed, beside) if rule else None


def form_of(name: str) -> ToolForm | None:
    """The form of the built-in tool `name`, if it has one."""
    return TOOL_FORMS.get(name)


def told(tool: str, arguments: dict[str, Any]) -> Chosen:
    """What a small model is shown of a call in its history."""
    form = form_of(tool)
    return form.told(arguments) if form else arguments


def has_expression(goal: str) -> bool:
    """Whether the goal holds something to calculate."""
    return bool(expressions(goal))


def _p(name: str, about: str = "", kind: str = "string", required: bool = True) -> dict[str, Any]:
    return {"name": name, "kind": kind, "required": required, "about": about}


TOOL_FORMS: dict[str, ToolForm] = {
    "python": ToolForm(
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
        rules.python_rules(),
        lambda g, o, b: bool(rules.python_operations(g, {}, o, b)),
        rules.python_arguments,
    ),
    "table": ToolForm(
        "row rows records entries items data table columns column fields header headers sum total add average mean highest "
        "maximum max largest biggest greatest top lowest minimum min smallest least unique different distinct values first "
        "preview head count many",
        ("path", "sql"),
        (
            _p("path", "file"),
            _p("operation", "what to work out"),
            _p("column", "name of the column"),
            _p("where", "", required=False),
        ),
        {
            "path": lambda g, c, o, b: rules.files(g, o, *rules.TABLE_FILES),
            "operation": lambda g, c, o, b: rules.TABLE_OPERATIONS,
            "column": rules.needs_column,
            "where": rules.where,
        },
        arguments=rules.table_arguments,
        told=rules.table_told,
    ),
    "text_stats": ToolForm(
        "letter letters character characters word words line lines length long times often reverse backwards spell upper "
        "uppercase capitals lower lowercase count many occur appear",
        ("operation",),
        (
            _p("operation", "what to do"),
            _p("path", "file", required=False),
            _p("text", "the text to work on"),
            _p("of", "letter or word to count"),
        ),
        {
            "operation": lambda g, c, o, b: rules.TEXT_OPERATIONS,
            "path": rules.path_in_goal,
            "of": rules.stats_of,
            "text": lambda g, c, o, b: [] if c.get("path") else rules.texts(g),
        },
    ),
    "hub_search": ToolForm(
        "model models hub find search recommend suggest recommendation",
        ("task", "query"),
        (
            _p("task", required=False),
            _p("licence", required=False),
            _p("max_parameters", required=False),
            _p("query", "words of the model's name"),
        ),
        {
            "task": rules.task,
            "licence": rules.licence,
            "max_parameters": rules.max_parameters,
            "query": rules.hub_query,
        },
    ),
    "hub_model": ToolForm(
        "licence parameters size downloads task model commercially use free about hub gated",
        ("model",),
        (_p("model", "id of the model"),),
        {"model": rules.models},
    ),
    "web_search": ToolForm(
        "web internet online google search look find information news who when where wrote invented born",
        ("query",),
        (_p("query", "what to look up"),),
        {},
    ),
    "read_page": ToolForm(
        "page read open fetch website site address link summarise", ("url",), (_p("url", "address"),), {}
    ),
    "read_file": ToolForm(
        "read show open print content contents say says written inside display cat tell according set",
        ("path",),
        (_p("path", "file"),),
        {"path": lambda g, c, o, b: rules.files(g, o)},
    ),
    "write_file": ToolForm(
        "write save create store put make containing saying new note",
        ("path", "content"),
        (_p("path", "file"), _p("content", "the text to write")),
        {"path": lambda g, c, o, b: rules.files(g)},
    ),
    "edit_file": ToolForm(
        "replace change edit swap",
        ("path", "old", "new"),
        (_p("path", "file"), _p("old", "the text to replace"), _p("new", "the text to put there, with")),
        {"path": lambda g, c, o, b: rules.files(g)},
        rules.replaces,
    ),
    "list_files": ToolForm(
        "list files folder workspace ls here there which all any",
        (),
        (_p("path", "folder", required=False), _p("pattern", required=False)),
        {"path": rules.folder, "pattern": rules.glob},
    ),
    "search_files": ToolForm(
        "search find grep files mention contains contain contains appear where used",
        ("pattern",),
        (_p("pattern", "text to search for"), _p("path", "file", required=False)),
        {"path": rules.path_in_goal},
    ),
    "recall": ToolForm(
        "remember recall earlier before memory past said runs", ("query",), (_p("query", "what to recall"),), {}
    ),
    "note": ToolForm("remember note mind keep", ("text",), (_p("text", "what to remember"),), {}),
    "shell": ToolForm(
        "run shell command execute terminal",
        ("command",),
        (_p("command", "the command"),),
        {"command": rules.quoted_only},
    ),
}


HIDDEN = frozenset({
    "ask_user", "delegate", "plan", "http_request", "sql_query", "hub_run",
    "calculate", "dates", "units", "move_file", "copy_file", "delete_file",  # the weights have not learned these yet
})  # fmt: skip
