"""Examples about files: facts out of text, search, list, write, append, replace, rename, copy, delete; and results saved."""

from __future__ import annotations

import random
from collections.abc import Callable

from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, CODE, NOUNS, THINGS, file_name, one, person, said

FACTS: list[tuple[str, list[str], str]] = [  # line in the file, questions, answer
    ("The meeting with {p} is on {d} at {t} in room {n}.", ["when is the meeting with {p}?", "which room is the meeting with {p} in?"], "The meeting with {p} is on {d} at {t} in room {n}."),
    ("{x} budget: {n} euros", ["what is the {x} budget?", "how much money is planned for the {x}?", "how big is the {x} budget"], "The {x} budget is {n} euros."),
    ("{x} owner: {p}", ["who owns the {x}?", "who is responsible for the {x}?", "who is the owner of the {x}"], "The {x} owner is {p}."),
    ("The {x} deadline is {d}.", ["when is the {x} deadline?", "what is the deadline of the {x}?", "by when must the {x} be done?"], "The {x} deadline is {d}."),
    ("{x}_port = {n}", ["what is the {x} port?", "which port does the {x} use?", "what value has {x}_port"], "The {x} port is {n}."),
    ("{x}_timeout: {n}", ["what is the {x} timeout?", "what is {x}_timeout set to?"], "The {x} timeout is {n}."),
    ("Our office in {c} is led by {p}.", ["who leads the office in {c}?", "who is the head of the {c} office?"], "The office in {c} is led by {p}."),
    ("Shipping to {c} takes {n} days.", ["how long does shipping to {c} take?", "how many days is delivery to {c}?"], "Shipping to {c} takes {n} days."),
    ("phone of {p}: 555-{n}", ["what is the phone number of {p}?", "how can I call {p}?"], "The phone number of {p} is 555-{n}."),
    ("{p} lives in {c} and was born in 19{y}.", ["where does {p} live?", "when was {p} born?"], "{p} lives in {c} and was born in 19{y}."),
    ("wifi code: {k}-{n}", ["what is the wifi code?", "tell me the wifi code"], "The wifi code is {k}-{n}."),
    ("Total due: {n}.50 EUR", ["what is the total?", "how much is due?", "what must be paid?"], "The total due is {n}.50 EUR."),
    ("version = \"{y}.{m}\"", ["which version is it?", "what version is set?"], "The version is {y}.{m}."),
    ("The {k} {thing} weighs {n} grams.", ["how heavy is the {k} {thing}?", "what does the {k} {thing} weigh?"], "The {k} {thing} weighs {n} grams."),
    ("{p} voted for {c}, {p2} was against it.", ["who was against {c}?", "who voted for {c}?"], "{p} voted for {c}, {p2} was against it."),
]  # fmt: skip


def _slots(rnd: random.Random) -> dict[str, object]:
    return {"p": person(rnd), "p2": person(rnd), "x": rnd.choice(NOUNS), "n": rnd.randint(11, 9999), "c": rnd.choice(CITIES), "k": rnd.choice(CODE), "y": rnd.randint(10, 99), "m": rnd.randint(0, 20),
            "d": rnd.choice(["12 May", "3 June", "Friday", "2026-09-14", "1 March 2026", "Tuesday"]), "t": rnd.choice(["10:00", "9:30", "14:15", "noon"]), "thing": rnd.choice(THINGS)}  # fmt: skip


def lines(rnd: random.Random, most: int = 4) -> list[tuple[str, list[str], str]]:
    """Some lines of a file with what could be asked of each."""
    out = []
    for line, asks, answer in rnd.sample(FACTS, rnd.randint(1, most)):
        slots = _slots(rnd)
        out.append((line.format(**slots), [ask.format(**slots) for ask in asks], answer.format(**slots)))
    return out


def fact(rnd: random.Random) -> Example:
    """A fact out of a file that is named."""
    path, found = file_name(rnd), lines(rnd)
    at = rnd.randrange(len(found))
    ask = rnd.choice(found[at][1]).rstrip("?")
    goal = one(rnd, "files.fact.1", a=ask, f=path)
    text = "\n".join(line for line, _, _ in found)
    answer = found[at][2]
    if rnd.random() < 0.14:  # it is not there
        text = "\n".join(line for i, (line, _, _) in enumerate(found) if i != at) or "nothing here yet"
        answer = f"Not found: {path} does not say it."
    return Example("facts", said(rnd, goal[0].upper() + goal[1:]), [Step("read_file", {"path": path}, text)], answer)


def summary(rnd: random.Random) -> Example:
    """What a file says, in short."""
    path, found = file_name(rnd, "txt", "md", "log"), lines(rnd, 3)
    goal = one(rnd, "files.summary.1", f=path)
    text = "\n".join(line for line, _, _ in found)
    return Example(
        "facts", said(rnd, goal), [Step("read_file", {"path": path}, text)], " ".join(answer for _, _, answer in found)
    )


def search(rnd: random.Random) -> Example:
    """Which files mention a word."""
    word = rnd.choice([rnd.choice(CODE), rnd.choice(NOUNS), person(rnd), "TODO", "error 50" + str(rnd.randint(0, 9))])
    goal = one(rnd, "files.search.1", w=rnd.choice([word, word, f"'{word}'", f'"{word}"']))
    paths = list(dict.fromkeys(file_name(rnd) for _ in range(rnd.randint(1, 3))))
    if rnd.random() < 0.15:
        return Example(
            "search",
            said(rnd, goal),
            [Step("search_files", {"pattern": word}, f"no line contains '{word}' (9 files searched)")],
            f"Not found: no file mentions {word}.",
        )
    seen = f"{len(paths)} lines found (9 files searched):\n" + "\n".join(
        f"{p}:{rnd.randint(1, 90)}: {rnd.choice(['the', 'about', 'see', '#'])} {word} {rnd.choice(['was checked', 'is late', 'again', 'in ' + rnd.choice(CITIES)])}"
        for p in paths
    )
    return Example(
        "search",
        said(rnd, goal),
        [Step("search_files", {"pattern": word}, seen)],
        f"{word} is mentioned in {', '.join(paths)}.",
    )


def listing(rnd: random.Random) -> Example:
    """Which or how many files there are."""
    ending = rnd.choice(["py", "txt", "csv", "md", "json", "log"])
    paths = sorted({file_name(rnd, ending) for _ in range(rnd.randint(2, 5))})
    if rnd.random() < 0.4:
        goal = one(rnd, "files.listing.1")
        args: dict[str, object] = {}
    else:
        goal = one(rnd, "files.listing.2", e=ending)
        args = {"pattern": f"*.{ending}"}
    fits = f" that fit *.{ending}" if args else ""
    seen = f"{len(paths)} files in the workspace{fits}:\n" + "\n".join(
        f"{p}  {rnd.randint(10, 9999):,} bytes" for p in paths
    )
    return Example(
        "listing",
        said(rnd, goal),
        [Step("list_files", args, seen)],
        f"There are {len(paths)} files: {', '.join(paths)}.",
    )


def _content(rnd: random.Random) -> tuple[str, str]:
    """(as it is said in the goal, as it is written)."""
    kind = rnd.randrange(4)
    if kind == 0:
        items = rnd.sample(THINGS, rnd.randint(2, 4))
        listed = ", ".join(items[:-1]) + rnd.choice([" and ", ", ", ", and "]) + items[-1]
        return (
            f"{rnd.choice(['the lines', 'one per line', str(len(items)) + ' lines', 'these lines'])}: {listed}",
            "\n".join(items),
        )
    text = rnd.choice(
        [
            f"call {person(rnd)}",
            f"{rnd.choice(NOUNS)} is done",
            f"buy a {rnd.choice(THINGS)}",
            str(rnd.randint(1, 9999)),
            f"Hello {rnd.choice(CITIES)}",
            rnd.choice(CODE),
        ]
    )
    return one(rnd, "files.content.1", t=text), text


def write(rnd: random.Random) -> Example:
    """A new file."""
    path = file_name(rnd, "txt", "md")
    told, text = _content(rnd)
    goal = one(rnd, "files.write.1", c=told, f=path)
    return Example(
        "write",
        said(rnd, goal),
        [Step("write_file", {"path": path, "content": text}, f"wrote {len(text)} bytes to {path} (new file)")],
        f"I wrote {path}.",
    )


def append(rnd: random.Random) -> Example:
    """One line more: read, then write the whole."""
    path = file_name(rnd, "txt", "md")
    old, (_, new) = "\n".join(rnd.sample(THINGS, rnd.randint(1, 3))), _content(rnd)
    new = new.split("\n")[0]
    goal = one(rnd, "files.append.1", c=rnd.choice([new, f"'{new}'", f'"{new}"']), f=path)
    return Example(
        "append",
        said(rnd, goal),
        [
            Step("read_file", {"path": path}, old),
            Step(
                "write_file",
                {"path": path, "content": f"{old}\n{new}"},
                f"wrote {len(old) + len(new) + 1} bytes to {path}",
            ),
        ],
        f"I added {new} to {path}.",
    )


def replace(rnd: random.Random) -> Example:
    """A piece of text replaced."""
    path, (a, b) = file_name(rnd), rnd.sample(CODE + THINGS, 2)
    if rnd.random() < 0.5:
        a, b = str(rnd.randint(2, 9000)), str(rnd.randint(2, 9000))
    q = rnd.choice(["{}", "'{}'", '"{}"'])
    goal = one(rnd, "files.replace.1", a=q.format(a), b=q.format(b), f=path)
    return Example(
        "replace",
        said(rnd, goal),
        [Step("edit_file", {"path": path, "old": a, "new": b}, f"edited {path} at line {rnd.randint(1, 30)}")],
        f"I replaced {a} with {b} in {path}.",
    )


def move(rnd: random.Random) -> Example:
    """Rename, move, copy or delete."""
    a = file_name(rnd)
    b = rnd.choice(
        [rnd.choice(CODE) + "." + a.rsplit(".")[-1], "archive/" + a.split("/")[-1], file_name(rnd, a.rsplit(".")[-1])]
    )
    kind = rnd.randrange(3)
    if kind == 0:
        goal = one(rnd, "files.move.1", a=a, b=b)
        return Example(
            "move",
            said(rnd, goal),
            [Step("move_file", {"path": a, "to": b}, f"moved {a} to {b}")],
            f"I moved {a} to {b}.",
        )
    if kind == 1:
        goal = one(rnd, "files.move.2", a=a, b=b)
        return Example(
            "move",
            said(rnd, goal),
            [Step("copy_file", {"path": a, "to": b}, f"copied {a} to {b}")],
            f"I copied {a} to {b}.",
        )
    goal = one(rnd, "files.move.3", a=a)
    return Example("move", said(rnd, goal), [Step("delete_file", {"path": a}, f"deleted {a}")], f"I deleted {a}.")


def _result(base: Example) -> str:
    """What is written of a result: the value of one row, what stands after the equals sign, else the answer's words."""
    seen = base.steps[-1].seen.strip()
    if "\n" in seen:
        return base.answer.rstrip(".")
    if base.steps[-1].tool in ("table", "sql_query"):
        return seen.split("): ")[-1].split(": ")[-1]
    return seen.split(" = ")[-1].removesuffix(" (rounded)")


def saved(rnd: random.Random, inner: Callable[[random.Random], Example]) -> Example:
    """The result of another example written to a file."""
    base, path = inner(rnd), file_name(rnd, "txt", "md")
    result = _result(base)
    goal = base.goal.rstrip("?.! ") + one(rnd, "files.saved.1", f=path)
    done = Step("write_file", {"path": path, "content": result}, f"wrote {len(result)} bytes to {path} (new file)")
    if base.answer.startswith("Not found"):
        return base
    return Example(
        "saved",
        goal,
        [*base.steps, done],
        f"{base.answer.rstrip('.')}. I wrote it to {path}.",
        base.cards,
        base.without,
    )


def failed(rnd: random.Random) -> Example:
    """A file that is not there under that name: looked for, then read; or said to be missing."""
    found = lines(rnd, 1)[0]
    real = file_name(rnd, "txt", "md")
    wrong = real.rsplit("/", 1)[-1].replace(".", rnd.choice(["s.", "1.", "_."]))
    goal = one(rnd, "files.failed.1", a=rnd.choice(found[1]).rstrip("?"), f=wrong)
    error = Step(
        "read_file",
        {"path": wrong},
        rnd.choice(
            [
                f"there is no {wrong} in the workspace. Why: no such file or folder",
                f"{wrong} does not exist. To fix: list_files shows what there is",
            ]
        ),
        False,
    )
    if rnd.random() < 0.5:
        other = file_name(rnd, "csv", "py")
        return Example(
            "failed",
            said(rnd, goal),
            [error, Step("list_files", {}, other + " 120 bytes")],
            f"Not found: there is no file {wrong}.",
        )
    return Example(
        "failed",
        said(rnd, goal),
        [error, Step("list_files", {}, real + " 80 bytes"), Step("read_file", {"path": real}, found[0])],
        found[2],
    )


KINDS = [
    (5, fact),
    (2, summary),
    (3, search),
    (2, listing),
    (4, write),
    (2, append),
    (3, replace),
    (4, move),
    (1, failed),
]


def files(rnd: random.Random) -> Example:
    """One of the kinds above."""
    return rnd.choices([m for _, m in KINDS], [w for w, _ in KINDS])[0](rnd)
