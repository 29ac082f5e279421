"""Families: read, write, list, search and edit files. May touch: nothing."""
# ruff: noqa: SIM905 — as in words.py

from __future__ import annotations

import json
import random

from examples.train_starter import words as w
from examples.train_starter.fake_tools import choose
from examples.train_starter.scenario import Move, Scenario, built, maybe_fails, side

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
        goal = choose(rng, list(_READS), side(test)).format(f=path)
        text = rng.choice((w.text(rng, 2, 9), "\n".join(w.text(rng, 2, 7) for _ in range(rng.randint(2, 5)))))
        return maybe_fails(rng, Scenario(goal, built("read_file"), [Move("read_file", {"path": path}, text)], [text]))
    path = w.file(rng, "txt", "md", "yaml", "toml", "ini", "json", "log")
    keys = rng.sample([*w.PROPERTIES, "password", "host", "port", "mode", "theme", "debug"], rng.randint(2, 5))
    values = {key: rng.choice((w.word(rng), w.number(rng), w.person(rng), w.code(rng))) for key in keys}
    key = rng.choice(keys)
    goal = choose(rng, list(_READ_FIELD), side(test)).format(k=key, f=path)
    text = (
        json.dumps(values, indent=rng.choice((None, 2)))
        if path.endswith("json")
        else "\n".join(f"{k}{rng.choice((': ', ' = '))}{v}" for k, v in values.items())
    )
    return maybe_fails(
        rng, Scenario(goal, built("read_file"), [Move("read_file", {"path": path}, text)], [values[key]])
    )


_WRITES = (
    "Save the words {q} in {f}",
    "Save the text {t} to {f}",
    "put the text {q} into {f}",
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
    goal = choose(rng, list(_WRITES), side(test)).format(t=shown, q=shown, f=path)
    result = rng.choice(_WROTE).format(n=len(text), f=path)
    made = Scenario(
        goal,
        built("write_file"),
        [Move("write_file", {"path": path, "content": text}, result)],
        [result],
        exact_goal=True,
    )
    return maybe_fails(rng, made, 0.04)


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
        side(test),
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
    "Are there any {x} files?",
    "What {x} files do I have?",
    "show me all {x} files",
    "Which {x} files are here?",
    "Which files do I have?",
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
    goal = choose(rng, list(_LISTS), side(test)).format(
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
    "Find the word {q} in the files",
    "Where is the text {q} in the files?",
    "find {q} in all files",
    "Which files have the word {q}?",
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
    goal = choose(rng, list(_GREPS), side(test)).format(q=shown)
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
    goal = choose(rng, list(_EDITS), side(test)).format(a=a, b=b, f=path)
    result = rng.choice((f"replaced 1 occurrence in {path}", f"{path}: 1 change", f"Edited {path}"))
    return Scenario(
        goal,
        built("edit_file"),
        [Move("edit_file", {"path": path, "old": a, "new": b}, result)],
        [result],
        exact_goal=True,
    )
