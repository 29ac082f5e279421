"""Examples of what no tool can do, of values that are missing, of errors, of two questions in one goal, and of plain talk."""

from __future__ import annotations

import random
from dataclasses import replace

from outrider.agent.models.brain.prompt import CANNOT, MISSING
from outrider.agent.tune import files, nouns, singles, sums, tables, times
from outrider.agent.tune.nouns import Kit
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, NOUNS, THINGS, file_name, one, person, plain_number, said

BEYOND = [
    "book me a flight to {c}", "order a pizza for {p}", "send an email to {p}", "call {p} and say I am late", "turn off the lights in the kitchen", "play some music", "pay my electricity bill",
    "water the plants", "what did I eat yesterday?", "print {f} on paper", "take a photo of the {t}", "post this on my blog", "buy a {t} on credit", "unlock the front door", "what is my blood pressure?",
    "wake me at seven", "translate this into Klingon", "who will win the next election?", "draw a picture of a {t}", "how is {p} feeling today?", "transfer 200 euros to {p}", "reserve a table in {c}",
    "record a video of the {n}", "what does {p} think about me?", "predict the lottery numbers", "install a new printer", "make me a coffee", "restart the router", "scan the {n} on my desk", "invite {p} to the party",
    "turn up the heating", "open the garage", "find my keys", "drive me to {c}", "hire a plumber", "cancel my gym membership", "message {p} on chat", "how warm is it in my bedroom?", "charge my phone", "add {p} to my contacts",
    "which song is playing?", "start the washing machine", "sell my {t}", "sign the {n} contract for me", "guess my age", "what is in my fridge?", "mute the television", "rent a car in {c}", "feed the cat", "set an alarm for 6:30",
]  # fmt: skip
TALK = [
    (["hello", "hi there", "good morning", "hey"], "Hello! What can I do for you?"), (["thank you", "thanks a lot", "great, thanks"], "You are welcome."), (["who are you?", "what are you?"], "I am Outrider's small built-in model. I use tools for you."),
    (["what can you do?", "how can you help me?", "help"], "I can calculate, work with dates, units, tables and files, search, and use the tools you give me."), (["how are you?", "how's it going"], "I am fine, thank you. What can I do for you?"),
    (["goodbye", "bye", "see you"], "Goodbye!"), (["are you a person?", "are you human"], "No, I am a language model."), (["tell me a joke"], "Why did the table sit down? It was tired of standing on its legs."), (["say something nice"], "It is good that you are here."),
    (["say hello to {p}"], "Hello, {p}!"), (["write a sentence about a {t}"], "The {t} stands by the window and waits for the morning."), (["what is a {t}?"], "A {t} is a thing that people use at home or at work."), (["name three colors"], "Red, green and blue."),
    (["which is bigger, a house or a {t}?"], "A house is bigger than a {t}."), (["is a {t} alive?"], "No, a {t} is not alive."), (["give me a name for a cat"], "How about Milo?"), (["what is the opposite of hot?"], "The opposite of hot is cold."), (["good night"], "Good night!"),
]  # fmt: skip
NEVER = frozenset(["web_search", "read_page", "python", "recall", "note"])


def impossible(rnd: random.Random) -> Example:
    """Nothing on offer can do it: a wish beyond the tools, or one for a tool that is not among those offered."""
    if rnd.random() < 0.5:
        goal = one(
            rnd,
            BEYOND,
            c=rnd.choice(CITIES),
            p=person(rnd),
            f=file_name(rnd),
            t=rnd.choice(THINGS),
            n=rnd.choice(NOUNS),
        )
        cards = singles.beside(rnd, [], 4) if rnd.random() < 0.5 else []
        lacking = {
            "order": "taxi",
            "heat": "heating",
            "play": "play",
            "turn": "switch",
            "table": "reserve_table",
            "message": "message",
            "email": "message",
            "alarm": "start_timer",
            "wake": "start_timer",
            "charge": "charge",
            "water": "water",
            "party": "meeting",
            "room": "heating",
            "taxi": "taxi",
        }
        cards = [c for c in cards if not any(w in goal.lower() and tool in c.name for w, tool in lacking.items())]
    else:
        card, goal, *_ = singles.single(rnd) if rnd.random() < 0.5 else nouns.kit(rnd)
        others = singles.beside(rnd, [], 5)
        cards = [
            c for c in others if c.description != card.description and c.name.split("_")[-1] != card.name.split("_")[-1]
        ]
    return Example("impossible", said(rnd, goal[0].upper() + goal[1:]), [], f"{CANNOT}.", cards, NEVER)


def missing(rnd: random.Random) -> Example:
    """A required value that the goal does not give."""
    card, goal, args, *_ = _kit(rnd)
    texts = {
        key: str(value) for key, value in args.items() if str(value) in goal and key in card.parameters["required"]
    }
    if not texts:
        return impossible(rnd)
    key, value = rnd.choice(list(texts.items()))
    cut = goal.replace(value, rnd.choice(["it", "my", "", "one"])).replace("  ", " ").replace(" ?", "?").strip()
    cut = cut if len(cut) > 4 else f"use {card.name}"
    return Example(
        "missing",
        cut[0].upper() + cut[1:],
        [],
        f"{MISSING} the {key.replace('_', ' ')}.",
        singles.beside(rnd, [card], 4),
    )


def _kit(rnd: random.Random) -> Kit:
    return singles.single(rnd) if rnd.random() < 0.55 else nouns.kit(rnd)


def broken(rnd: random.Random) -> Example:
    """A tool that fails: the failure is told, or the call is made right and repeated."""
    if rnd.random() < 0.5:
        card, goal, args, *_ = _kit(rnd)
        error = rnd.choice(
            ["the service does not answer", "no connection", "not found", "internal error", "permission denied"]
        )
        first = Step(card.name, args, error, False)
        goal = said(rnd, goal[0].upper() + goal[1:])
        return Example(
            "broken", goal, [first], f"Not found: {card.name} failed: {error}.", singles.beside(rnd, [card], 4)
        )
    made = tables.tables(rnd)
    if len(made.steps) < 2 or rnd.random() > 0.3:
        return made
    column = str(made.steps[1].arguments["sql"]).split("SELECT ")[1].split(" ")[0]
    path = made.steps[0].arguments["path"]
    wrong = Step("table", {"path": path, "sql": f"SELECT {column}s FROM t"}, f"no such column: {column}s", False)
    return Example("broken", made.goal, [made.steps[0], wrong, made.steps[1]], made.answer)


def both(rnd: random.Random) -> Example:
    """Two questions in one goal."""
    makers = [
        sums.sums,
        times.dates,
        times.units,
        tables.tables,
        files.fact,
        nouns.custom,
        singles.customs,
        files.write,
        times.texts,
    ]
    a, b = (rnd.choice(makers)(rnd) for _ in range(2))
    if any(part.startswith(("Not found", "There are 0")) for part in (a.answer, b.answer)) or "\n" in a.answer:
        return a
    joint = rnd.choice([", and ", " and ", ". Also, ", "? And ", "; ", ". Then ", " Also: ", ", then "])
    first, second = a.goal.rstrip("?.! "), b.goal.rstrip("?.! ")
    second = second if "." in joint or ":" in joint or "?" in joint else second[0].lower() + second[1:]
    cards = {card.name: card for card in [*a.cards, *b.cards]}
    answer = f"{a.answer} {b.answer}" if a.answer != b.answer else a.answer
    return Example(
        "both", first + joint + second, [*a.steps, *b.steps], answer, list(cards.values()), a.without | b.without
    )


def carried(rnd: random.Random) -> Example:
    """A result that goes into a sum: what a tool or a table says, times or plus something."""
    t = tables.made(rnd)
    number, n = rnd.randint(2, 4000), rnd.randint(2, 60)
    words, op = rnd.choice(
        [
            ("multiplied by {n}", "* {n}"),
            ("divided by {n}", "/ {n}"),
            ("plus {n}", "+ {n}"),
            ("minus {n}", "- {n}"),
            ("plus {n}%", "* (1 + {n} / 100)"),
            ("less {n} percent", "* (1 - {n} / 100)"),
        ]
    )
    words, op = words.format(n=n), op.format(n=n)
    if rnd.random() < 0.5:
        (goal, sql, _) = tables.total(rnd, t)
        value = t.run(sql)[0][0]
        if value is None:
            return tables.tables(rnd)
        text = plain_number(float(str(value)))
        steps = [
            Step("table", {"path": t.path}, tables.look(t)),
            Step("table", {"path": t.path, "sql": sql}, text),
        ]
        goal = f"{goal.format(f=t.path).rstrip('?.')}, {words}?"
    else:
        path, fact = file_name(rnd, "txt", "md"), f"{rnd.choice(NOUNS)} price"
        text = str(number)
        steps = [Step("read_file", {"path": path}, f"{fact}: {number} EUR")]
        goal = one(rnd, "honest.carried.1", a=fact, f=path, w=words)
    expression = f"{text} {op}"
    result = sums.value_of(expression)
    return Example(
        "carried",
        said(rnd, goal[0].upper() + goal[1:]),
        [*steps, Step("calculate", {"expression": expression}, sums.seen_as(expression, result))],
        f"The result is {result}.",
    )


def web(rnd: random.Random) -> Example:
    """A question for the web: answered from the results, or said to be not found."""
    p, c, n = person(rnd), rnd.choice(CITIES), rnd.randint(1800, 2025)
    ask, query, found, answer = rnd.choice([
        ("who designed the {c} bridge?", "who designed the {c} bridge", "The {c} bridge was designed by {p} in {n}.", "The {c} bridge was designed by {p}."), ("when was the {c} museum opened?", "{c} museum opened", "The {c} museum opened in {n}.", "It opened in {n}."),
        ("search the web for {p}", "{p}", "{p} is a painter from {c}.", "{p} is a painter from {c}."), ("latest news about {c}", "latest news {c}", "{c} opens a new tram line.", "{c} opens a new tram line."), ("what is the population of {c}?", "population of {c}", "{c} has {n},000 people.", "{c} has {n},000 people."),
    ])  # fmt: skip
    slots = {"p": p, "c": c, "n": n}
    goal = said(rnd, ask.format(**slots))
    if rnd.random() < 0.35:
        return Example(
            "web",
            goal,
            [
                Step(
                    "web_search",
                    {"query": query.format(**slots)},
                    rnd.choice(["the search did not answer", "no connection to the network"]),
                    False,
                )
            ],
            "Not found: the web could not be searched.",
        )
    return Example(
        "web",
        goal,
        [Step("web_search", {"query": query.format(**slots)}, f"1. {found.format(**slots)} https://example.org/{n}")],
        answer.format(**slots),
    )


def pages(rnd: random.Random) -> Example:
    """A page that is named."""
    url = f"https://{rnd.choice(NOUNS)}.example.{rnd.choice(['com', 'org'])}/{rnd.choice(THINGS)}"
    (line, asks, answer) = files.lines(rnd, 1)[0]
    goal = one(rnd, "honest.pages.1", u=url, a=rnd.choice(asks).rstrip("?"))
    return Example("web", said(rnd, goal), [Step("read_page", {"url": url}, line)], answer)


def talk(rnd: random.Random) -> Example:
    """Plain chat: no tool is needed."""
    asks, answer = rnd.choice(TALK)
    slots = {"p": person(rnd), "t": rnd.choice(THINGS)}
    return Example(
        "talk",
        said(rnd, rnd.choice(asks).format(**slots)),
        [],
        answer.format(**slots),
        singles.beside(rnd, [], 3) if rnd.random() < 0.5 else [],
    )


def kept(rnd: random.Random) -> Example:
    """A result written to a file."""
    inner = rnd.choice([sums.sums, tables.tables, files.fact, times.units, nouns.custom])
    example = files.saved(rnd, inner)
    return replace(example, goal=example.goal[0].upper() + example.goal[1:])
