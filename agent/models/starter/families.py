"""The families of goals the starter model is taught: what is asked, and which moves are right.

Each function takes (rng, test) and returns a `Scenario`; `FAMILIES` gives each its weight. Adding a skill to the starter
is one function and one line here. May touch: nothing. Start reading at `FAMILIES`.
"""

# ruff: noqa: SIM905 — as in words.py
from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from outrider.agent.models.candidates import ToolCard
from outrider.agent.models.faces import FACES
from outrider.agent.models.spans import pieces, stems
from outrider.agent.models.starter import words as w
from outrider.agent.models.starter.archetypes import choose, sample


@dataclass(slots=True)
class Move:
    """A call that is right, with its arguments as the small model's face of the tool names them, and what it returns."""

    tool: str
    arguments: dict[str, Any]
    observation: str
    ok: bool = True


@dataclass(slots=True)
class Scenario:
    """A goal, the tools it is about, the right moves, and the parts of an observation that are a right answer.

    `answers` empty: nothing was found. `without`: tools that must not be in the list, for they would do as well.
    """

    goal: str
    tools: list[ToolCard]
    moves: list[Move]
    answers: list[str] = field(default_factory=list)
    without: frozenset[str] = frozenset()
    exact_goal: bool = False
    family: str = ""

    def rivals(self, other: ToolCard) -> bool:
        """Whether `other` would do as well as what is meant: it shares its main words."""
        mine = stems(word for tool in self.tools for word in pieces(f"{tool.name} {tool.description}", 20))
        theirs = stems(pieces(f"{other.name} {other.description}", 20))
        goal = stems(pieces(self.goal, 48))
        return bool(theirs & mine & goal) or len(theirs & goal) > 1


def _card(name: str) -> ToolCard:
    text = {"type": "string"}
    face = FACES[name]
    return ToolCard(
        name,
        face.gloss,
        {"type": "object", "properties": dict.fromkeys(face.needs, text), "required": list(face.needs)},
    )


BUILT_IN = {name: _card(name) for name in FACES}


def built(*names: str) -> list[ToolCard]:
    """The cards of these built-in tools."""
    return [BUILT_IN[name] for name in names]


_BEFORE = ("", "", "", "", "", "", "please ", "Please ", "Can you tell me: ", "I need to know: ", "Hey, ", "Question: ")
_AFTER = ("", "", "", "", "", " please", ", please", ". Thanks!", " now")


def dressed(rng: random.Random, goal: str, *, plain: bool = False) -> str:
    """`goal` as people type it: with a please, in lower case, without its question mark."""
    if plain:
        return goal
    goal = rng.choice(_BEFORE) + goal + (rng.choice(_AFTER) if rng.random() < 0.5 else "")
    if rng.random() < 0.2:
        goal = goal.replace("?", "")
    return goal[0].lower() + goal[1:] if rng.random() < 0.15 else goal


def _test(test: str) -> bool | None:
    return test == "wording"


_FAILURES = (
    "The file does not exist.",
    "No such file. Why: it is not in the workspace. To fix: list the files first",
    "The call failed. Why: the service did not answer. To fix: try again later",
    "Timed out after 60 seconds",
    "Not found",
    "The host could not be reached. Why: no network. To fix: check the connection",
    "the arguments do not fit. Why: unknown value. To fix: call it with other arguments",
    "Access denied",
    "there is no column of that name. Why: the table has other columns. To fix: use one of them",
)


def _maybe_fails(rng: random.Random, made: Scenario, share: float = 0.08) -> Scenario:
    """Now and then the last call fails, and the right answer is that nothing was found."""
    if rng.random() < share:
        last = made.moves[-1]
        last.observation, last.ok, made.answers = rng.choice(_FAILURES), False, []
    return made


# ---- arithmetic -----------------------------------------------------------------------------------------------------

_SUMS = (
    "What is {e}?",
    "what's {e}",
    "Compute {e}",
    "Calculate {e}.",
    "How much is {e}?",
    "{e}",
    "{e} = ?",
    "Evaluate {e}",
    "Work out {e}",
    "What does {e} equal?",
    "What do you get for {e}?",
    "Solve {e}",
    "Tell me what {e} is",
    "What is the result of {e}?",
    "What is the value of {e}?",
    "I need {e}",
    "Use python to compute {e}",
    "can you do {e} for me?",
    "find {e}",
    "Give me the result of {e}",
    "How many {n} are {e}?",
    "If I have {e} {n}, how many is that?",
    "How much do {e} {n} cost?",
    "How many seconds are in a day if it has {e}?",
    "Multiply out {e}",
    "Run the numbers: {e}",
)
_WORDED = (
    "{a} plus {b}",
    "{a} times {b}",
    "{a} minus {b}",
    "{a} divided by {b}",
    "{a} multiplied by {b} plus {c}",
    "{a}% of {b}",
    "{a} percent of {b}",
    "the sum of {a}, {b} and {c}",
    "the product of {a} and {b}",
    "the square root of {a}",
    "{a} squared",
    "{a} to the power of 3",
    "the average of {a}, {b} and {c}",
    "the difference between {a} and {b}",
    "{a} times {b} minus {c}",
    "half of {a}",
    "the remainder of {a} divided by {b}",
    "{a} modulo {b}",
    "the factorial of {n}",
    "the largest of {a}, {b} and {c}",
    "{a} x {b}",
    "{a} cubed",
    "double {a}",
    "2^{n}",
)


def arithmetic(rng: random.Random, test: str) -> Scenario:
    """A sum, in symbols or in words: python calculates it."""
    numbers = {key: w.number(rng) for key in "abc"} | {"n": str(rng.randint(2, 20))}
    if rng.random() < 0.55:
        signs = [rng.choice("+-*/") for _ in range(rng.randint(1, 3))]
        shown = w.number(rng) + "".join(f" {sign} {w.number(rng)}" for sign in signs)
        shown = f"({shown}) * {w.number(rng)}" if rng.random() < 0.2 else shown
        shown = shown.replace(" ", "") if rng.random() < 0.15 else shown
    else:
        shown = choose(rng, list(_WORDED), _test(test)).format(**numbers)
    value = w.number(rng)
    goal = choose(rng, list(_SUMS), _test(test)).format(e=shown, n=rng.choice(w.NOUNS) + "s")
    from outrider.agent.models.expressions import expressions

    found = expressions(goal)
    move = Move("python", {"operation": "calculate", "expression": found[0] if found else "?"}, value)
    return Scenario(goal, built("python"), [move], [value])


# ---- tables and texts -------------------------------------------------------------------------------------------------

_TABLE_GOALS: dict[str, tuple[str, ...]] = {
    "rows": (
        "How many rows are in {f}?",
        "How many rows does {f} have?",
        "Count the rows of {f}",
        "number of rows in {f}",
        "How many records are in {f}?",
        "How many entries does {f} contain?",
        "row count of {f}",
        "How long is the table {f}?",
        "Count the records in {f}",
        "How many data rows are there in the file {f}?",
        "How many {n} are in {f}?",
        "how many lines of data has {f}",
        "What is the number of rows in {f}?",
        "How many items does {f} have?",
        "How big is the table in {f}?",
        "Tell me how many rows {f} has",
        "How many {n} does {f} list?",
    ),
    "columns": (
        "What columns does {f} have?",
        "Which columns are in {f}?",
        "List the columns of {f}",
        "column names of {f}",
        "What are the fields in {f}?",
        "Show me the header of {f}",
        "What are the column names in {f}?",
        "How many columns does {f} have?",
        "which fields has {f}",
        "headers of {f}",
    ),
    "sum": (
        "What is the sum of {c} in {f}?",
        "What is the total {c} in {f}?",
        "Sum the {c} column of {f}",
        "Add up {c} in {f}",
        "sum of the column {c} in {f}",
        "How much {c} is there in total in {f}?",
        "total of {c} in {f}",
        "What do the {c} in {f} add up to?",
        "Total {c} in {f}?",
        "What is the overall {c} in {f}?",
        "sum up the {c} values of {f}",
    ),
    "mean": (
        "What is the average {c} in {f}?",
        "What is the mean {c} in {f}?",
        "average of {c} in {f}",
        "mean of the column {c} in {f}",
        "Compute the average of the {c} column in {f}",
        "How high is the {c} on average in {f}?",
        "Average {c} of {f}",
        "What's the mean of {c} in the file {f}?",
        "On average, what is the {c} in {f}?",
    ),
    "max": (
        "What is the highest {c} in {f}?",
        "What is the maximum {c} in {f}?",
        "largest {c} in {f}",
        "max of {c} in {f}",
        "What is the biggest {c} in {f}?",
        "Find the maximum of the column {c} in {f}",
        "What is the greatest {c} in {f}?",
        "highest value of {c} in {f}",
        "top {c} in {f}",
    ),
    "min": (
        "What is the lowest {c} in {f}?",
        "What is the minimum {c} in {f}?",
        "smallest {c} in {f}",
        "min of {c} in {f}",
        "What is the least {c} in {f}?",
        "Find the minimum of the column {c} in {f}",
        "lowest value of {c} in {f}",
    ),
    "unique": (
        "What are the different values of {c} in {f}?",
        "Which {c} values are in {f}?",
        "unique values of {c} in {f}",
        "How many different {c} are in {f}?",
        "List the distinct {c} in {f}",
        "Which distinct {c} occur in {f}?",
    ),
    "count": (
        "How many values does the column {c} of {f} have?",
        "Count the values of {c} in {f}",
        "How many {c} values are filled in {f}?",
        "count {c} in {f}",
        "number of values in the column {c} of {f}",
    ),
    "head": (
        "Show the first rows of {f}",
        "head of {f}",
        "What does the beginning of the table {f} look like?",
        "Show me the first lines of the table {f}",
        "preview {f}",
        "give me a preview of the table {f}",
        "top rows of {f}",
    ),
}
_WHERE = (" where {g} is {v}", " with {g} {v}", " where {g} = {v}", " whose {g} is {v}")


def table(rng: random.Random, test: str) -> Scenario:
    """A question on a CSV or JSON table: the table tool, or python where there is none."""
    operation = rng.choice(("rows", "rows", "rows", *_TABLE_GOALS))
    path = w.file(rng, "csv", "csv", "csv", "tsv", "json", "jsonl")
    column = rng.choice(
        (rng.choice(w.COLUMNS), rng.choice(w.COLUMNS), w.made_up(rng), f"{rng.choice(w.NOUNS)}_{rng.choice(w.COLUMNS)}")
    )
    goal = choose(rng, list(_TABLE_GOALS[operation]), _test(test)).format(f=path, c=column, n=rng.choice(w.NOUNS) + "s")
    if operation in {"rows", "sum", "mean", "max"} and rng.random() < 0.15:
        mark = "?" * goal.endswith("?")
        goal = goal.rstrip("?") + rng.choice(_WHERE).format(g=rng.choice(w.GROUPS), v=w.name(rng).split()[0]) + mark
    observation, answers = _table_result(rng, operation, column)
    with_table = (
        rng.random() < 0.8
        or operation not in {"rows", "sum", "mean", "max", "min"}
        or not path.endswith("csv")
        or " is " in goal[20:]
    )
    tool = "table" if with_table else "python"
    arguments = {"operation": operation, "path": path, "column": column}
    made = Scenario(
        goal,
        built(tool),
        [Move(tool, arguments, observation)],
        answers,
        without=frozenset() if with_table else frozenset({"table"}),
    )
    if tool == "python" and rng.random() < 0.5:
        made.without |= {"text_stats"}
    return _maybe_fails(rng, made)


def _table_result(rng: random.Random, operation: str, column: str) -> tuple[str, list[str]]:
    value = w.number(rng)
    if operation in {"columns", "unique"}:
        value = ", ".join(rng.choice(w.COLUMNS + w.GROUPS) for _ in range(rng.randint(2, 7)))
    if operation == "head":
        value = "\n".join(",".join(w.word(rng) for _ in range(3)) for _ in range(4))
        return value, [value]
    n, path = rng.randint(1, 9999), w.file(rng, "csv", "json")
    as_told = {
        "rows": f"{n} rows in {path}",
        "columns": f"{rng.randint(2, 9)} columns in {path}: {value}",
        "unique": f"{rng.randint(2, 20)} different values of {column} in {path}: {value}",
        "count": f"{n} of {n} rows in {path} have a value in {column}",
    }.get(operation, f"{value} is the {operation} of {column} in {path} ({n} numbers)")
    shape = rng.choice(("{v}", "{o}: {v}", "{o} of {c}: {v}", "{v} {o}", "{o} = {v}"))
    text = as_told if rng.random() < 0.7 else shape.format(v=value, o=operation, c=column)
    return text, [text]


_STAT_GOALS: dict[str, tuple[str, ...]] = {
    "count": (
        "How many {l}'s are in {t}?",
        "How many times does the letter {l} appear in {t}?",
        "Count the letter {l} in {t}",
        "how often does {l} occur in {q}?",
        "How many {l}s are there in {q}?",
        "number of {l}'s in {t}",
        "How many letters {l} does {t} have?",
        "count how many times '{l}' is in {q}",
        "How often is the letter {l} in {t}?",
        "Tell me the number of times the letter {l} occurs in the word {t}",
        "How many {l}'s in {t}?",
    ),
    "characters": (
        "How long is {q}?",
        "How many characters are in {q}?",
        "How many letters does {t} have?",
        "length of {q}",
        "What is the length of {q}?",
        "How many letters are in the word {t}?",
        "Count the characters of {q}",
        "how many letters in {t}",
        "number of characters in {q}",
        "What is the length of the word {t}?",
    ),
    "words": (
        "How many words are in {s}?",
        "Count the words in {s}",
        "word count of {s}",
        "How many words does {s} have?",
        "number of words in {s}",
        "How many words are there in the sentence {s}?",
        "how many words: {s}",
    ),
    "reverse": (
        "Reverse {q}",
        "Spell {t} backwards",
        "What is {q} backwards?",
        "Reverse the word {t}",
        "Write {t} in reverse",
        "reverse the string {q}",
        "What is {t} spelled backwards?",
        "turn {q} around",
        "Reverse the text {q}",
        "say {t} backwards",
    ),
    "upper": (
        "Write {q} in upper case",
        "Convert {q} to uppercase",
        "Make {q} uppercase",
        "What is {q} in capital letters?",
        "{q} in capitals",
        "put {q} in upper case",
        "uppercase {q}",
        "turn {q} into capital letters",
        "Capitalise all letters of {q}",
    ),
    "lower": (
        "Write {q} in lower case",
        "Convert {q} to lowercase",
        "Make {q} lowercase",
        "What is {q} in small letters?",
        "put {q} in lower case",
        "lowercase {q}",
        "turn {q} into small letters",
    ),
}


def text_question(rng: random.Random, test: str) -> Scenario:
    """A question on a word or a text in the goal: text_stats, or python where there is none."""
    operation = rng.choice(("count", "count", *_STAT_GOALS))
    word, sentence, letter = w.word(rng), w.text(rng, 3, 8), rng.choice("abcdefghijklmnoprstuvwyz")
    sentence = rng.choice((sentence, sentence.capitalize(), f"The {sentence} is {w.word(rng)}"))
    word = rng.choice((word, word, word.capitalize(), word.upper()))
    quoted = rng.choice(('"{}"', "'{}'", '"{}"', "“{}”"))
    wording = choose(rng, list(_STAT_GOALS[operation]), _test(test))
    text = word
    if "{s}" in wording or ("{q}" in wording and rng.random() < 0.35):
        text = sentence
    shown = quoted.format(text) if text is sentence or rng.random() < 0.5 else text
    goal = wording.format(
        t=quoted.format(word) if rng.random() < 0.25 else word, q=shown, s=quoted.format(text), l=letter
    )
    if "{t}" in wording:
        text = word
    python = rng.random() < 0.25
    value = {"reverse": text[::-1], "upper": text.upper(), "lower": text.lower()}.get(operation)
    if value is None:
        n = rng.randint(0, 60)
        value = rng.choice((str(n), f"{n} {operation} in the text", f'{n} times "{letter}" occurs in the text'))
    move = Move("python" if python else "text_stats", {"operation": operation, "text": text, "of": letter}, value)
    return Scenario(
        goal,
        built(move.tool),
        [move],
        [value],
        frozenset({"text_stats"}) if python else frozenset(),
        "words" in operation,
    )


_FILE_STATS: dict[str, tuple[str, ...]] = {
    "lines": (
        "How many lines are in {f}?",
        "Count the lines of {f}",
        "line count of {f}",
        "How many lines does the file {f} have?",
        "number of lines in {f}",
        "How many lines of text has {f}?",
        "How long is {f} in lines?",
    ),
    "words": (
        "How many words are in {f}?",
        "Count the words in {f}",
        "word count of {f}",
        "How many words does the file {f} contain?",
        "number of words in {f}",
        "How many words has {f}?",
        "what is the word count for {f}",
    ),
    "characters": (
        "How many characters are in {f}?",
        "Count the characters of {f}",
        "number of characters in {f}",
        "How many characters does {f} have?",
        "How many letters does the file {f} contain?",
    ),
}


def file_stats(rng: random.Random, test: str) -> Scenario:
    """How many lines, words or characters a file has."""
    operation = rng.choice(list(_FILE_STATS))
    path = w.file(rng, "txt", "md", "log", "py", "txt", "csv" if operation == "lines" else "txt")
    goal = choose(rng, list(_FILE_STATS[operation]), _test(test)).format(f=path)
    value = rng.choice(("{n}", "{n} {o} in {f}", "{n} {o} in {f}", "{o}: {n}")).format(
        n=rng.randint(0, 99999), o=operation, f=path
    )
    python = rng.random() < 0.25
    arguments = {"operation": f"file {operation}" if python else operation, "path": path}
    move = Move("python" if python else "text_stats", arguments, value)
    made = Scenario(goal, built(move.tool), [move], [value], frozenset({"text_stats"}) if python else frozenset())
    return _maybe_fails(rng, made)


# ---- files ------------------------------------------------------------------------------------------------------------

_READS = (
    "What does {f} say?",
    "Read {f}",
    "Show me {f}",
    "What is in {f}?",
    "Print the contents of {f}",
    "open {f}",
    "Show the content of the file {f}",
    "What is written in {f}?",
    "cat {f}",
    "Read the file {f} and tell me what it says",
    "What's inside {f}?",
    "Display {f}",
)
_READ_FIELD = (
    "What is the {k} in {f}?",
    "Find the {k} in {f}",
    "Which {k} does {f} give?",
    "Read {f} and tell me the {k}",
    "Look into {f}: what is the {k}?",
    "According to {f}, what is the {k}?",
    "What {k} is set in {f}?",
    "tell me the {k} from {f}",
)


def read(rng: random.Random, test: str) -> Scenario:
    """Read a file: the whole, or one thing in it."""
    if rng.random() < 0.45:
        path = w.file(rng, "txt", "md", "log", "py", "yaml", "toml", "json")
        goal = choose(rng, list(_READS), _test(test)).format(f=path)
        text = rng.choice((w.text(rng, 2, 9), "\n".join(w.text(rng, 2, 7) for _ in range(rng.randint(2, 5)))))
        return _maybe_fails(rng, Scenario(goal, built("read_file"), [Move("read_file", {"path": path}, text)], [text]))
    path = w.file(rng, "txt", "md", "yaml", "toml", "ini", "json", "log")
    keys = rng.sample([*w.PROPERTIES, "password", "host", "port", "mode", "theme", "debug"], rng.randint(2, 5))
    values = {key: rng.choice((w.word(rng), w.number(rng), w.person(rng), w.code(rng))) for key in keys}
    key = rng.choice(keys)
    goal = choose(rng, list(_READ_FIELD), _test(test)).format(k=key, f=path)
    text = (
        json.dumps(values, indent=rng.choice((None, 2)))
        if path.endswith("json")
        else "\n".join(f"{k}{rng.choice((': ', ' = '))}{v}" for k, v in values.items())
    )
    return _maybe_fails(
        rng, Scenario(goal, built("read_file"), [Move("read_file", {"path": path}, text)], [values[key]])
    )


_WRITES = (
    "write {t} to {f}",
    "Write {t} into {f}",
    "Save {t} in {f}",
    "Create a file {f} with the text {q}",
    "Create {f} containing {q}",
    "Put {t} in the file {f}",
    "Make a file called {f} that says {q}",
    "Store {t} in {f}",
    "Write the text {q} to the file {f}",
    "create a new file named {f} with the content {q}",
    "save the words {q} as {f}",
    "write a file {f} saying {q}",
    "Please note {q} in {f}",
)
_WROTE = (
    "wrote {n} bytes to {f} (new file)",
    "wrote {n} bytes to {f} (it had {n} bytes)",
    "Wrote {n} bytes to {f}",
    "wrote {f} ({n} bytes)",
    "{f}: {n} characters written",
    "Written: {f}",
    "Created {f}, {n} bytes",
)


def write(rng: random.Random, test: str) -> Scenario:
    """Write a text from the goal into a file."""
    path = w.file(rng, "txt", "md", "txt", "log", "py")
    text = rng.choice((w.word(rng), w.text(rng, 2, 5), w.text(rng, 2, 5).capitalize(), w.name(rng)))
    quoted = rng.choice(('"{}"', "'{}'", "`{}`", '"{}"')).format(text)
    shown = quoted if rng.random() < 0.5 else text
    goal = choose(rng, list(_WRITES), _test(test)).format(t=shown, q=shown, f=path)
    result = rng.choice(_WROTE).format(n=len(text), f=path)
    made = Scenario(
        goal,
        built("write_file"),
        [Move("write_file", {"path": path, "content": text}, result)],
        [result],
        exact_goal=True,
    )
    return _maybe_fails(rng, made, 0.04)


def sum_and_write(rng: random.Random, test: str) -> Scenario:
    """Two steps: work something out, then write the result into a file."""
    path = w.file(rng, "txt", "md")
    a, b = rng.randint(2, 999), rng.randint(2, 999)
    sign = rng.choice("+-*")
    ask = choose(
        rng,
        [
            "Compute {e} and write the result to {f}",
            "Calculate {e} and save it in {f}",
            "What is {e}? Put the answer into {f}",
            "Work out {e}, then store the result in {f}",
            "Write the result of {e} to {f}",
            "save {e} in {f} after computing it",
        ],
        _test(test),
    )
    value = str(a * b)
    result = rng.choice(_WROTE).format(n=len(value), f=path)
    expression = f"{a} {sign} {b}"
    moves = [
        Move("python", {"operation": "calculate", "expression": expression}, value),
        Move("write_file", {"path": path, "content": value}, result),
    ]
    return Scenario(ask.format(e=expression, f=path), built("python", "write_file"), moves, [result])


_LISTS = (
    "What files are here?",
    "List the files",
    "Which files are in this folder?",
    "list all files",
    "Show me the files in the workspace",
    "ls",
    "What is in this directory?",
    "Which {x} files are there?",
    "List all {x} files",
    "show the {x} files",
    "Do I have any {x} files?",
    "What files do I have?",
    "Give me a list of the files",
    "list the files in the {d} folder",
    "Which files are in the folder {d}?",
)


def list_them(rng: random.Random, test: str) -> Scenario:
    """List the files of the workspace."""
    goal = choose(rng, list(_LISTS), _test(test)).format(
        x=rng.choice("csv json txt python markdown log".split()), d=rng.choice(w.STEMS)
    )
    text = "\n".join(
        w.file(rng) + rng.choice(("", f"  {rng.randint(1, 9999)} bytes")) for _ in range(rng.randint(1, 8))
    )
    if rng.random() < 0.1:
        return Scenario(
            goal,
            built("list_files"),
            [
                Move(
                    "list_files",
                    {},
                    rng.choice(("no files", "(empty)", "nothing matches", ". is empty", "no file fits *.csv in .")),
                )
            ],
            [],
        )
    return Scenario(goal, built("list_files"), [Move("list_files", {}, text)], [text])


_GREPS = (
    "Which files mention {q}?",
    "Search the files for {q}",
    "Find {q} in my files",
    "Where does {q} appear in the files?",
    "grep for {q}",
    "Which file contains {q}?",
    "Look for {q} in all files",
    "In which files is {q} used?",
    "search for {q} in the workspace files",
    "find the file that contains {q}",
)


def search_them(rng: random.Random, test: str) -> Scenario:
    """Search the files for a text."""
    text = rng.choice((w.word(rng), w.text(rng, 2, 3), w.code(rng), rng.choice(("TODO", "FIXME", "main", "import"))))
    shown = f'"{text}"' if " " in text or rng.random() < 0.5 else text
    goal = choose(rng, list(_GREPS), _test(test)).format(q=shown)
    found = "\n".join(
        f"{w.file(rng)}:{rng.randint(1, 400)}: {w.text(rng, 1, 3)} {text}" for _ in range(rng.randint(1, 4))
    )
    if rng.random() < 0.15:
        return Scenario(
            goal,
            built("search_files"),
            [
                Move(
                    "search_files",
                    {"pattern": text},
                    rng.choice(
                        (
                            "no matches",
                            "nothing found",
                            f"No file contains {text}",
                            f"no line contains '{text}' (3 files searched)",
                        )
                    ),
                )
            ],
            [],
        )
    return Scenario(goal, built("search_files"), [Move("search_files", {"pattern": text}, found)], [found])


_EDITS = (
    'Replace "{a}" with "{b}" in {f}',
    'In {f}, change "{a}" to "{b}"',
    "replace '{a}' by '{b}' in the file {f}",
    'Edit {f}: change "{a}" into "{b}"',
    'Change every "{a}" in {f} to "{b}"',
    'swap "{a}" for "{b}" in {f}',
    "replace {a} with {b} in {f}",
    "in {f} replace {a} by {b}",
)


def edit(rng: random.Random, test: str) -> Scenario:
    """Replace one text in a file by another."""
    a, b, path = w.word(rng), w.word(rng), w.file(rng, "txt", "md", "py", "yaml")
    if a == b:
        b += "x"
    goal = choose(rng, list(_EDITS), _test(test)).format(a=a, b=b, f=path)
    result = rng.choice((f"replaced 1 occurrence in {path}", f"{path}: 1 change", f"Edited {path}"))
    return Scenario(
        goal,
        built("edit_file"),
        [Move("edit_file", {"path": path, "old": a, "new": b}, result)],
        [result],
        exact_goal=True,
    )


# ---- the web and the hub ------------------------------------------------------------------------------------------------

_FACTS = (
    "Who wrote {x}?",
    "When was {x} founded?",
    "Where is {x}?",
    "What is {x} known for?",
    "Who is the president of {x}?",
    "How tall is {x}?",
    "Who invented {x}?",
    "When did {x} die?",
    "Who won the {x} cup in 1998?",
    "What is the height of {x}?",
    "Why is {x} famous?",
    "When was {x} born?",
    "What is the capital of {x}?",
    "What is the population of {x}?",
    "How old is {x}?",
    "Who is the {p} of {x}?",
    "What is the {p} of {x}?",
    "How many people live in {x}?",
    "What does {x} mean?",
    "When does the {p} of {x} start?",
    "Which river flows through {x}?",
    "Who discovered {x}?",
    "Who painted {x}?",
    "How deep is {x}?",
)
_WEB = (
    "Search the web for {q}",
    "Search the web for the {q}",
    "Look up the {q} on the web",
    "Look up {q} on the web",
    "search for {q}",
    "Look up {q} online",
    "google {q}",
    "Find information about {q}",
    "web search: {q}",
    "What does the web say about {q}?",
    "Find {q} on the internet",
    "look for {q} on the web",
    "Find out about {q}",
    "search online for {q}",
)


def web(rng: random.Random, test: str) -> Scenario:
    """Look something up on the web and answer with the sentence that fits, or say that nothing was found."""
    if rng.random() < 0.55:
        goal = choose(rng, list(_FACTS), _test(test)).format(
            x=rng.choice((w.name(rng), w.place(rng), f"the {w.name(rng)}", w.name(rng), w.word(rng))),
            p=rng.choice(w.PROPERTIES),
        )
        query: str = goal.rstrip("?!. ")
    else:
        query = rng.choice(
            (
                w.text(rng, 1, 4),
                w.name(rng),
                f"{w.text(rng, 1, 2)} in {w.place(rng)}",
                f"best {w.word(rng)} {rng.choice(w.NOUNS)}",
                f"how to {rng.choice(w.VERBS)} a {rng.choice(w.NOUNS)}",
            )
        )
        goal = choose(rng, list(_WEB), _test(test)).format(q=f'"{query}"' if rng.random() < 0.2 else query)
    text, answer = _web_results(rng, goal)
    return _maybe_fails(
        rng,
        Scenario(goal, built("web_search"), [Move("web_search", {"query": query}, text)], answer, exact_goal=True),
        0.12,
    )


def _web_results(rng: random.Random, goal: str) -> tuple[str, list[str]]:
    if rng.random() < 0.15:
        return rng.choice(
            (
                "No results",
                "no results for this query",
                f"no results for {goal!r}",
                "Nothing was found.",
                "0 results",
                "The search engine returned no results.",
            )
        ), []
    keys = [word for word in pieces(goal, 30) if len(word) > 3 and word != "#"]
    answer = f"{' '.join(rng.sample(keys, len(keys)))} {w.text(rng, 1, 4)} {w.name(rng)}".capitalize().strip() + "."
    rows = [f"{w.text(rng, 3, 7).capitalize()}." for _ in range(rng.randint(1, 4))]
    rows.insert(rng.randint(0, min(1, len(rows))), answer)
    shape = rng.choice(
        (
            "{i}. {t}\n   {u}\n   {s}",
            "{i}. {t}\n   {u}\n   {s}",
            "{t} ({u})\n{s}",
            "- {t}\n  {u}\n  {s}",
            "[{i}] {s} {u}",
            "{s}",
        )
    )
    text = "\n".join(
        shape.format(i=i, t=w.text(rng, 2, 4).capitalize(), u=w.url(rng), s=s) for i, s in enumerate(rows, 1)
    )
    from outrider.agent.models.answers import parts

    ranked = parts([("web_search", {}, text, True)], stems(pieces(goal, 48)))
    return text, [part.text for part in ranked if answer.rstrip(".") in part.text and part.kind == "line"] or [
        part.text for part in ranked if answer in part.text
    ]


_PAGES = (
    "What does {u} say?",
    "Read {u}",
    "Open {u} and tell me what it is about",
    "Read the page {u}",
    "What is on {u}?",
    "fetch {u}",
    "Show me the text of {u}",
    "What is the page {u} about?",
    "summarise {u}",
)


def page(rng: random.Random, test: str) -> Scenario:
    """Read a page by its address."""
    address = w.url(rng)
    goal = choose(rng, list(_PAGES), _test(test)).format(u=address)
    text = "\n".join(w.text(rng, 4, 9).capitalize() + "." for _ in range(rng.randint(1, 4)))
    return _maybe_fails(
        rng, Scenario(goal, built("read_page"), [Move("read_page", {"url": address}, text)], [text]), 0.15
    )


_FINDS = (
    "Find a {s} {t} model{l}",
    "find a {t} model{l}",
    "Which models on the hub do {t}{l}?",
    "search the hub for a {s} {t} model{l}",
    "I need a {t} model{l}",
    "Find me a {s} model for {t}{l}",
    "Look for a {t} model{l} on the hub",
    "Give me a {t} model{l}",
    "recommend a model for {t}{l}",
    "What model can I use for {t}{l}?",
    "Find a model for {t}{l} under {n}M parameters",
    "suggest a {t} model{l} with at most {n} million parameters",
    "Search models: {t}{l}",
)
_LICENSED = (
    "",
    "",
    " with an apache licence",
    " with the apache-2.0 license",
    " under the MIT licence",
    " with an MIT license",
    " that is apache licensed",
    " with a bsd licence",
)


def hub_find(rng: random.Random, test: str) -> Scenario:
    """Find a model on the hub."""
    task = rng.choice(
        (
            "text-classification",
            "text classification",
            "translation",
            "summarization",
            "image classification",
            "object-detection",
            "question answering",
            "text-to-image",
            "speech recognition",
            "text generation",
            "sentiment analysis",
            "named entity recognition",
            "image-to-text",
            "fill-mask",
        )
    )
    goal = choose(rng, list(_FINDS), _test(test)).format(
        t=task, s=rng.choice(("small", "tiny", "good", "light")), l=rng.choice(_LICENSED), n=rng.randint(1, 900)
    )
    rows = [
        (w.model_id(rng), rng.choice(("apache-2.0", "mit", "bsd-3-clause")), rng.randint(1, 900), rng.randint(0, 10**6))
        for _ in range(rng.randint(1, 5))
    ]
    shape = rng.choice(
        (
            "{i}. {m} ({l}, {p}M parameters, {t}, {d} downloads, {p} likes)",
            "{i}. {m} ({l}, {p}M parameters, {t}, {d} downloads)",
            "{m} ({l}, {p}M parameters, {d} downloads)",
            "- {m} | {l} | {p}M | {d} downloads",
            "{m}: licence {l}, {p}M parameters",
            "{m}  {l}  {p}M  {d}",
        )
    )
    text = "\n".join(
        shape.format(i=i, t=task, m=m, l=licence, p=p, d=d) for i, (m, licence, p, d) in enumerate(rows, 1)
    )
    if rng.random() < 0.12:
        return Scenario(
            goal,
            built("hub_search"),
            [Move("hub_search", {}, rng.choice(("no models found", "no model matches", "0 models")))],
            [],
        )
    return _maybe_fails(rng, Scenario(goal, built("hub_search"), [Move("hub_search", {}, text)], [text]), 0.1)


_ABOUT = (
    "What is the {k} of {m}?",
    "Which {k} has {m}?",
    "{k} of {m}",
    "Tell me the {k} of the model {m}",
    "What {k} does {m} have?",
    "Look up the {k} of {m}",
    "What's the {k} for {m} on the hub?",
    "check the {k} of {m}",
    "Under which {k} is {m}?",
    "how is the {k} of {m}",
)
_INFO = {
    "licence": ("licence", "license"),
    "parameters": ("number of parameters", "size", "parameters"),
    "downloads": ("downloads", "number of downloads"),
    "task": ("task",),
}


def hub_about(rng: random.Random, test: str) -> Scenario:
    """Look up one thing about a model whose id is given."""
    model = w.model_id(rng)
    key = rng.choice(("licence", "licence", *_INFO))
    goal = choose(rng, list(_ABOUT), _test(test)).format(k=rng.choice(_INFO[key]), m=model)
    if rng.random() < 0.2:
        goal, key = (
            rng.choice(
                (
                    f"Can I use {model} commercially?",
                    f"Tell me about {model}",
                    f"Is {model} free to use?",
                    f"What is {model}?",
                )
            ),
            "",
        )
    values = {
        "model": model,
        "task": "text-classification",
        "licence": rng.choice(("apache-2.0", "mit", "other", "cc-by-4.0", "unknown")),
        "parameters": f"{rng.randint(1, 70)}M",
        "downloads": str(rng.randint(0, 10**7)),
        "likes": str(rng.randint(0, 9999)),
        "gated": rng.choice(("no", "yes")),
        "library": rng.choice(("transformers", "unknown")),
        "last modified": w.date(rng),
    }
    shown = rng.choice(("license", "licence"))
    items = [(shown if k == "licence" else k, v) for k, v in values.items()]
    text = json.dumps(dict(items)) if rng.random() < 0.25 else "\n".join(f"{k}: {v}" for k, v in items)
    return _maybe_fails(
        rng,
        Scenario(goal, built("hub_model"), [Move("hub_model", {"model": model}, text)], [values[key] if key else text]),
        0.12,
    )


# ---- tools from elsewhere, memory, and goals that fit no tool -----------------------------------------------------------------


def custom(rng: random.Random, test: str) -> Scenario:
    """A tool the model has never seen, chosen by its words."""
    made = sample(rng, test_tool=test == "tool", test_wording=None if test == "tool" else test == "wording")
    text, answer = _custom_result(rng, made.goal)
    scene = Scenario(
        made.goal, [made.tool], [Move(made.tool.name, made.arguments, text)], answer, exact_goal=rng.random() < 0.5
    )
    return _maybe_fails(rng, scene)


def _custom_result(rng: random.Random, goal: str) -> tuple[str, list[str]]:
    roll = rng.random()
    if roll < 0.55:
        value = rng.choice(
            (
                w.number(rng),
                w.word(rng),
                w.text(rng, 2, 7),
                w.name(rng),
                "true",
                f"{w.number(rng)} {rng.choice(w.COLUMNS)}",
                "ok",
                f"[{w.number(rng)}, {w.number(rng)}]",
            )
        )
        return value, [value]
    if roll < 0.65:
        return rng.choice(("no results", "nothing found", "not found", "unknown", "null", "none")), []
    keys = rng.sample(w.PROPERTIES, rng.randint(2, 5))
    asked = [word for word in pieces(goal, 30) if word in w.PROPERTIES]
    if asked and rng.random() < 0.8 and asked[0] not in keys:
        keys[0] = asked[0]
    values = {key: rng.choice((w.word(rng), w.number(rng), w.name(rng), w.code(rng))) for key in keys}
    text = (
        json.dumps(values, indent=rng.choice((None, 2)))
        if rng.random() < 0.6
        else "\n".join(f"{k}: {v}" for k, v in values.items())
    )
    hits = [key for key in keys if key in asked]
    return text, [values[hits[0]]] if len(hits) == 1 else [text]


_NOTES = (
    "Remember that {t}",
    "Note that {t}",
    "Make a note: {t}",
    "keep in mind that {t}",
    'Please remember "{t}"',
    'Take a note: "{t}"',
)
_RECALLS = (
    "What did I say about {t}?",
    "What do you remember about {t}?",
    "Did we look at {t} before?",
    "recall {t}",
    "What did earlier runs find about {t}?",
    "search your memory for {t}",
)


def remember(rng: random.Random, test: str) -> Scenario:
    """Keep a note, or recall one."""
    if rng.random() < 0.5:
        text = f"the {w.word(rng)} is {w.word(rng)}"
        goal = choose(rng, list(_NOTES), _test(test)).format(t=text)
        return Scenario(goal, built("note"), [Move("note", {"text": text}, "noted")], ["noted"], exact_goal=True)
    text = rng.choice((w.word(rng), w.name(rng), w.text(rng, 2, 3)))
    goal = choose(rng, list(_RECALLS), _test(test)).format(t=text)
    found = w.text(rng, 3, 8)
    return Scenario(goal, built("recall"), [Move("recall", {"query": text}, found)], [found], exact_goal=True)


_SHELL = (
    "Run {c}",
    "Run the command {c}",
    "Execute {c} in the shell",
    "run the shell command {c}",
    "What does {c} print?",
)


def shell(rng: random.Random, test: str) -> Scenario:
    """Run a command that is written out."""
    command = rng.choice(
        ("ls -la", "git status", "uname -a", "whoami", "df -h", f"wc -l {w.file(rng)}", f"echo {w.word(rng)}", "date")
    )
    goal = choose(rng, list(_SHELL), _test(test)).format(c=rng.choice(("`{}`", '"{}"')).format(command))
    text = w.text(rng, 1, 6)
    return _maybe_fails(rng, Scenario(goal, built("shell"), [Move("shell", {"command": command}, text)], [text]))


_DATES = (
    "What is today's date?",
    "What day is it today?",
    "which date is it",
    "today's date",
    "What is the date today?",
    "What weekday is today?",
    "Tell me the current date",
)
_PRIMES = ("Is {n} a prime number?", "Is {n} prime?", "check whether {n} is prime", "Tell me if {n} is a prime")


def python_other(rng: random.Random, test: str) -> Scenario:
    """What else python does from a template: the date, and primes."""
    if rng.random() < 0.5:
        goal = choose(rng, list(_DATES), _test(test))
        value = f"{rng.choice(('Monday', 'Friday', 'Sunday'))} {w.date(rng)}"
        return Scenario(goal, built("python"), [Move("python", {"operation": "date"}, value)], [value])
    n = str(rng.randint(2, 99999))
    value = rng.choice(("True", "False"))
    goal = choose(rng, list(_PRIMES), _test(test)).format(n=n)
    return Scenario(goal, built("python"), [Move("python", {"operation": "prime", "number": n}, value)], [value])


_CHAT = (
    "Hello",
    "Hi, how are you?",
    "Write a poem about {x}",
    "Tell me a story about {x}",
    "What should I eat tonight?",
    "Do you like {x}?",
    "Who are you?",
    "Plan my holiday in {x}",
    "Prove the Riemann hypothesis",
    "Paint a picture of {x}",
    "Thanks",
    "good morning",
    "Build me a website about {x}",
    "Fix my car",
)


def no_tool(rng: random.Random, test: str) -> Scenario:
    """A goal that fits none of the tools: say so at once."""
    goal = choose(rng, list(_CHAT), _test(test)).format(x=w.name(rng))
    others = rng.sample(["table", "text_stats", "read_file", "write_file", "hub_model", "list_files"], 2)
    return Scenario(goal, built(*others), [], [], frozenset({"web_search", "recall", "note"}))


Family = Callable[[random.Random, str], Scenario]
FAMILIES: dict[str, tuple[float, Family]] = {
    "arithmetic": (8, arithmetic),
    "table": (14, table),
    "text": (10, text_question),
    "file_stats": (5, file_stats),
    "read": (7, read),
    "write": (8, write),
    "sum_and_write": (2, sum_and_write),
    "list": (3, list_them),
    "search_files": (4, search_them),
    "edit": (2, edit),
    "web": (9, web),
    "page": (3, page),
    "hub_find": (5, hub_find),
    "hub_about": (6, hub_about),
    "custom": (32, custom),
    "memory": (5, remember),
    "python_other": (2, python_other),
    "no_tool": (2, no_tool),
    "shell": (1.5, shell),
}
