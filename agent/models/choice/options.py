"""Where the options of small-model mode come from: which tools can be offered, and what each argument may be.

What it is: the small model's grammar, built per step from the tool's schema, the goal and the last observation.
Tools whose code or flags a tiny model cannot write (`python`, `text_stats`, `table` …) get a simpler form (forms.py).
What it may touch: nothing. What it does not promise: that the right value is among the options; then it cannot be chosen.
Start reading at `options_for`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from outrider.agent.models.choice import form_rules, tool_forms
from outrider.agent.models.choice.spans import Span, exact, listed, spans
from outrider.agent.models.choice.words import pieces, stem, stems

SAME, IS, THEN, OF_TOOL = "<|same|>", "<|is|>", "<|then|>", "<|tool|>"
SKIP = object()
Chosen = dict[str, Any]
FALLBACK = (
    -10.0
)  # logits, for the web and the like while the goal names a custom tool: measured, docs/decisions/0006-starter.md
UNRELATED = (
    -2.0
)  # logits, for a custom tool that shares no word with the goal: measured, docs/decisions/0006-starter.md
MAX_OPTIONS, MAX_GOAL_WORDS = 40, 48


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be chosen: its value and the words that describe it to the model.

    `bias` is added to the model's score of it (in logits).
    """

    value: Any
    words: tuple[str, ...]
    bias: float = 0.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool, read off its JSON schema. kind: string, integer, number, boolean, enum, array or other."""

    name: str
    kind: str
    required: bool
    about: str = ""
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class ToolCard:
    """A tool as small-model mode sees it."""

    name: str
    description: str
    schema: dict[str, Any]
    beside: frozenset[str] = frozenset()  # names of the other live tools

    def form(self) -> tool_forms.ToolForm | None:
        """The simpler form of this tool, if it has one and the live tool still fits it."""
        form = tool_forms.form_of(self.name)
        return form if form is not None and form.fits(self.schema) else None

    def parameters(self) -> list[Parameter]:
        """What to ask for, in order: the form's parameters if the tool has one, else the schema's."""
        form = self.form()
        return read_parameters(self.schema) if form is None else [Parameter(**one) for one in form.parameters]

    def option(self, goal: str) -> Option:
        """This tool as an option of "which tool comes next?"."""
        words = self.words(goal)
        return Option(self.name, words, UNRELATED if self.form() is None and SAME not in words else 0.0)

    def is_named(self, goal: str) -> bool:
        """Whether the goal holds every telling word of this custom tool's name, or two words of what it says of itself."""
        if self.form() is not None:
            return False
        name = stems(pieces(self.name, 5))
        whole = bool(name) and name <= stems(pieces(plainly(goal), MAX_GOAL_WORDS))
        return whole or self.words(goal).count(SAME) > 1

    def own_stems(self) -> frozenset[str]:
        """The words of its name and first sentence: an argument's value is seldom one of them."""
        form = self.form()
        about = form.gloss if form is not None else first_sentence(self.description)
        return stems(pieces(f"{self.name} {about}", 40))

    def words(self, goal: str) -> tuple[str, ...]:
        """Name, first sentence and parameter names, in few words; of a form, its words that are in the goal."""
        form = self.form()
        if form is not None:
            return (*pieces(self.name, 5), *glossed(form.gloss, goal))
        marks = stems(pieces(plainly(goal), MAX_GOAL_WORDS))
        names = [word for one in self.parameters()[:4] for word in pieces(one.name, 2)]
        about = (*pieces(self.name, 5), ":", *pieces(first_sentence(self.description), 9), ";", *names)
        return marked(about, marks)


def first_sentence(text: str) -> str:
    """`text` up to its first full stop or line end."""
    return re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0]


def read_parameters(schema: dict[str, Any]) -> list[Parameter]:
    """The parameters of a JSON-schema object, required ones first as they stand."""
    required = set(schema.get("required") or ())
    properties = schema.get("properties") or {}
    return [
        _parameter(name, one if isinstance(one, dict) else {}, name in required, schema)
        for name, one in properties.items()
    ]


def _parameter(name: str, node: dict[str, Any], required: bool, schema: dict[str, Any]) -> Parameter:
    about = str(node.get("description") or "")
    node = _resolved(node, schema)
    values = node.get("enum") or ([node["const"]] if "const" in node else [])
    kind = "enum" if values else _kind(node)
    return Parameter(
        name,
        kind,
        required,
        about,
        tuple(values),
        _number(node, "minimum"),
        _number(node, "maximum"),
        str(node.get("format") or ""),
    )


def _resolved(node: dict[str, Any], schema: dict[str, Any], depth: int = 4) -> dict[str, Any]:
    """`node` with one `$ref` followed and `X | None` read as X."""
    if depth and isinstance(node.get("$ref"), str):
        target: Any = schema
        for key in node["$ref"].lstrip("#/").split("/"):
            target = target.get(key, {}) if isinstance(target, dict) else {}
        return _resolved(target, schema, depth - 1) if isinstance(target, dict) else {}
    for union in ("anyOf", "oneOf", "allOf"):
        options = [one for one in node.get(union) or () if isinstance(one, dict) and one.get("type") != "null"]
        if options and depth:
            return _resolved(options[0], schema, depth - 1)
    return node


def _kind(node: dict[str, Any]) -> str:
    kind = node.get("type", "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "string")
    if kind == "array":
        items = node.get("items")
        inner = _kind(items) if isinstance(items, dict) else "string"
        return f"array of {inner}" if inner in {"string", "number", "integer"} else "other"
    return kind if kind in {"string", "integer", "number", "boolean"} else "other"


def _number(node: dict[str, Any], key: str) -> float | None:
    value = node.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def offerable(tool: ToolCard, goal: str, observed: str) -> bool:
    """Whether every required argument has a candidate. A tool that would have to be guessed at is not offered."""
    form = tool.form()
    if form is not None and not form.offered(goal, observed, tool.beside):
        return False
    needed = [one for one in tool.parameters() if one.required and (form is None or one.name in form.needs)]
    return all(options_for(tool, one, goal, {}, observed) for one in needed)


def options_for(tool: ToolCard, one: Parameter, goal: str, chosen: Chosen, observed: str) -> list[Option]:
    """What `one` may be, given what was chosen before it. Empty: leave it out. One: no question needed."""
    form = tool.form()
    if form is not None:
        ready = form.values(one.name, goal, chosen, observed, tool.beside)
        if ready is not None:
            return [_value_option(value, goal) for value in ready]
    found = _typed(tool, one, goal, chosen, observed)
    if one.kind in {"integer", "number"} and (named := _named_numbers(one, goal, found)):
        return named
    if not found or (not one.required and one.kind == "string" and not _mentioned(one, goal)):
        return []
    return found if one.required else [*found, Option(SKIP, ("skip",))]


def _mentioned(one: Parameter, goal: str) -> bool:
    """Whether a goal of several spans might name an optional string: its name or a word of its description occurs."""
    return bool(stems(pieces(f"{one.name} {one.about}", 24)) & stems(pieces(goal, 48)))


def _typed(tool: ToolCard, one: Parameter, goal: str, chosen: Chosen, observed: str) -> list[Option]:
    if one.kind == "enum":
        used = [value for value in chosen.values() if value in one.values]  # "from km to miles": not the same one twice
        return [_value_option(value, goal, one) for value in one.values[:MAX_OPTIONS] if value not in used]
    if one.kind == "boolean":
        return [Option(True, ("yes",)), Option(False, ("no",))]
    if one.kind in {"integer", "number"}:
        return _numbers(tool, one, goal, chosen, observed)
    if one.kind.startswith("array of"):
        return _lists(one, goal)
    if one.kind == "other":
        return []
    return _strings(tool, one, goal, chosen, observed)


def _value_option(value: Any, goal: str, one: Parameter | None = None) -> Option:
    """A value of a list, with the words before it where the goal names it, and words that mean it."""
    said = {stem(word) for word in pieces(goal, MAX_GOAL_WORDS)}  # small words too: "on" and "off" are values
    words = marked(pieces(str(value), 6), frozenset(said))
    at = re.search(rf"(?<!\w){re.escape(str(value))}(?!\w)", goal, re.IGNORECASE) if one else None
    marks = stems(pieces(f"{one.name} {one.about}", 24)) | ({stem(one.name)} if one else set()) if one else frozenset()
    before = marked(pieces(goal[max(0, at.start() - 30) : at.start()], 9)[-2:], frozenset(marks)) if at else ()
    gloss = form_rules.OPERATION_GLOSS.get(str(value).split()[-1], "") if str(value) else ""
    return Option(value, ("value", *before, IS, *words, *glossed(gloss, goal, words)))


@lru_cache(maxsize=256)
def plainly(goal: str) -> str:
    """The goal without its file names, addresses, ids and quoted texts: their words say nothing about what to do."""
    for span in exact(goal, "quote", "url", "file", "id"):
        goal = goal.replace(span.text, " ")
    return goal


# Words that would wake a built-in tool they do not mean: "the word stressed", "the capital of France".
_ASIDE = re.compile(r"\b(?:the|a) (?:word|text|string|phrase)\b|\bcapital (?:city )?of\b")


def glossed(gloss: str, goal: str, beside: Iterable[str] = ()) -> tuple[str, ...]:
    """The words of `gloss` that occur in the goal, three at most, each with its mark; none that is in `beside`."""
    said = {stem(word) for word in pieces(_ASIDE.sub(" ", plainly(goal)), MAX_GOAL_WORDS)}
    found: dict[str, str] = {}  # one form of a word is enough: "row" and "rows" are not two signs
    for word in gloss.split():
        if stem(word) in said and word not in beside:
            found.setdefault(stem(word), word)
    return tuple(part for word in list(found.values())[:3] for part in (SAME, word))


def _numbers(tool: ToolCard, one: Parameter, goal: str, chosen: Chosen, observed: str) -> list[Option]:
    out, used = [], {value for value in chosen.values() if isinstance(value, int | float)}
    for span in [*exact(goal, "number"), *_from_observed(observed, "number")]:
        value = float(span.text)
        whole = value.is_integer()
        if (one.kind == "integer" and not whole) or not _within(value, one) or value in used:
            continue
        out.append(Option(int(value) if whole else value, _described(span, tool, one)))
    return _unique(out)


def _named_numbers(one: Parameter, goal: str, options: Sequence[Option]) -> list[Option]:
    """The numbers that stand beside the parameter's own name: `for 7 days` names `days` beyond doubt."""
    beside = [
        span
        for span in exact(goal, "number")
        if stem(one.name.lower()) in {stem(word.lower()) for word in (*span.before[-1:], *span.after)}
    ]
    values = {float(span.text) for span in beside}
    return [option for option in options if float(option.value) in values]


def _within(value: float, one: Parameter) -> bool:
    return (one.low is None or value >= one.low) and (one.high is None or value <= one.high)


def _lists(one: Parameter, goal: str) -> list[Option]:
    if one.kind != "array of string":
        numbers = [float(span.text) for span in exact(goal, "number")]
        values = [int(value) if value.is_integer() else value for value in numbers]
        return [Option(values, ("list", IS, "#"))] if values else []
    return [Option(items, ("list", IS, *pieces(" ".join(items), 6))) for items in listed(goal)]


# What the name or format of a string parameter says it must be, and the kinds of span that can be that.
_EXACT_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(^|_)(path|file|filename|file_name)$|^filepath$", ("file",)),
    (r"(^|_)(url|uri|link|href)$|^website$", ("url",)),
    (r"(^|_)e?mail(_address)?$|^recipient_email$", ("email",)),
)


def _strings(tool: ToolCard, one: Parameter, goal: str, chosen: Chosen, observed: str) -> list[Option]:
    for pattern, kinds in _EXACT_KINDS:
        if re.search(pattern, one.name.lower()) or (one.format in {"uri", "email"} and one.format[:3] in kinds[0]):
            found = [*exact(goal, *kinds), *_from_observed(observed, *kinds)]
            if found or kinds != ("file",):
                return _unique([Option(span.text, _described(span, tool, one)) for span in found])
    used = {str(value) for value in chosen.values()}
    letters = "letter" in f"{one.name} {one.about}"
    seen = _from_observed(observed, "url", "id", "file", "number", "code") if observed else []
    if observed and len(observed) <= 2000:
        seen.append(Span(observed.strip(), "whole"))
    found = [span for span in [*spans(goal), *seen] if span.text not in used and (letters or span.kind != "letter")]
    if tool.form() is None:  # "the secret number of bob": `secret_number(user)` is not asked about a user "secret"
        own = stems(pieces(f"{tool.name} {one.name}", 12))
        found = [span for span in found if span.kind not in _LOOSE or not _only(span.text, own)]
    if one.name == "column" and "operation" in chosen:  # "the average of the units column": average is not the column
        gloss = {
            stem(word) for word in form_rules.OPERATION_GLOSS.get(str(chosen["operation"]).split()[-1], "").split()
        }
        found = [span for span in found if not {stem(word) for word in pieces(span.text, 8)} <= gloss]
    return _unique([Option(span.text, _described(span, tool, one)) for span in found])


_LOOSE = frozenset(["run", "word", "rest", "all"])


def _only(text: str, own: frozenset[str]) -> bool:
    """Whether `text` is made of these stems alone (and holds no number)."""
    words = pieces(text, 8)
    said = stems(words)
    return bool(said) and said <= own and "#" not in words


def _from_observed(observed: str, *kinds: str) -> list[Span]:
    return [Span(span.text, "seen", span.before, span.after) for span in exact(observed, *kinds)[:8]]


def _unique(options: Sequence[Option]) -> list[Option]:
    first: dict[str, Option] = {}
    for option in options:
        first.setdefault(str(option.value), option)
    return list(first.values())[:MAX_OPTIONS]


def _described(span: Span, tool: ToolCard, one: Parameter) -> tuple[str, ...]:
    """Kind, words before, the span, the word after; marked where the parameter's words or the tool's own words occur."""
    marks = stems(pieces(f"{one.name} {one.about}", 24))
    before = marked([word for part in span.before for word in pieces(part, 2)][-3:], marks)
    after = marked([word for part in span.after for word in pieces(part, 1)], marks)
    inside = shortened(span.text)
    if stems(inside) & marks:
        return (span.kind, *before, IS, *marked(inside, marks), THEN, *after)
    return (span.kind, *before, IS, *marked(inside, tool.own_stems(), OF_TOOL), THEN, *after)


def describe(tool: ToolCard, one: Parameter) -> tuple[str, ...]:
    """The question about one argument: tool, parameter, kind and what its description says."""
    return (*pieces(tool.name, 4), ":", *pieces(one.name, 4), *pieces(one.kind, 3), ":", *pieces(one.about, 10))


def marked(words: Iterable[str], marks: frozenset[str], mark: str = SAME) -> tuple[str, ...]:
    """`words` with `mark` before each that also occurs in the text `marks` was made from."""
    out: list[str] = []
    for word in words:
        if len(word) > 1 and stem(word) in marks:
            out.append(mark)
        out.append(word)
    return tuple(out)


def shortened(text: str, limit: int = 7) -> list[str]:
    """The pieces of `text`; of a long one its first and last."""
    words = pieces(text, 60)
    return words if len(words) <= limit else [*words[: limit - 3], "…", *words[-2:]]


def kinds(goal: str) -> list[str]:
    """What kinds of things the goal holds, as words the model reads."""
    out = ["expression"] if tool_forms.has_expression(goal) else []
    for span in exact(goal, "quote", "file", "url", "id", "letter"):
        word = f"{span.kind} {span.text.rsplit('.', 1)[-1]}" if span.kind == "file" else span.kind
        if word not in out:
            out.append(word)
    return [part for word in out[:5] for part in pieces(word, 2)]


def arguments(tool: ToolCard, chosen: Chosen) -> dict[str, Any]:
    """The real arguments for what was chosen: a form turns its own parameters into the tool's."""
    form = tool.form()
    return chosen if form is None else form.arguments(chosen)
