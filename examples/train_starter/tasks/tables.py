"""Families: questions on tables, on words and sentences, and on text files. May touch: nothing."""

from __future__ import annotations

import random

from examples.train_starter import words as w
from examples.train_starter.fake_tools import choose
from examples.train_starter.scenario import Move, Scenario, built, maybe_fails, side

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
        "What are the unique {c} in {f}?",
        "How many unique {c} are in {f}?",
        "list the unique {c} of {f}",
        "Which {c} are there in {f}?",
        "all different {c} in {f}",
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
    goal = choose(rng, list(_TABLE_GOALS[operation]), side(test)).format(f=path, c=column, n=rng.choice(w.NOUNS) + "s")
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
    return maybe_fails(rng, made)


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
        "How many {l}'s are in the word {t}?",
        "How many {l} in the word {q}?",
        "how many times does {l} occur in the word {t}",
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
        "How long is the word {t}?",
        "how long is the text {q}",
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
    wording = choose(rng, list(_STAT_GOALS[operation]), side(test))
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
    goal = choose(rng, list(_FILE_STATS[operation]), side(test)).format(f=path)
    value = rng.choice(("{n}", "{n} {o} in {f}", "{n} {o} in {f}", "{o}: {n}")).format(
        n=rng.randint(0, 99999), o=operation, f=path
    )
    python = rng.random() < 0.25
    arguments = {"operation": f"file {operation}" if python else operation, "path": path}
    move = Move("python" if python else "text_stats", arguments, value)
    made = Scenario(goal, built(move.tool), [move], [value], frozenset({"text_stats"}) if python else frozenset())
    return maybe_fails(rng, made)
