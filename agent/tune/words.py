"""How people write: openings, endings, typos, casing. Pure; every choice comes from the generator it is handed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

OPENINGS = [
    "please ",
    "can you ",
    "could you ",
    "hey, ",
    "hi! ",
    "I need you to ",
    "quick one: ",
    "ok so ",
    "would you ",
    "help me out: ",
    "I want to know: ",
]
ENDINGS = ["", "", " please", ", thanks", " thx", " Thank you!", ", please."]
CONTEXT = ["I'm preparing a report. ", "My boss is asking. ", "This is for tomorrow's meeting. ", "I was wondering about something. ",
           "We had a long discussion about this. ", "Sorry to bother you. ", "I just got back from lunch. "]  # fmt: skip
FIRST = [
    "Ana",
    "Ben",
    "Carla",
    "Dev",
    "Emma",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mona",
    "Nils",
    "Olga",
    "Pavel",
    "Rosa",
    "Sam",
    "Tara",
    "Umar",
    "Vera",
    "Wim",
    "Yara",
    "Zoe",
]
LAST = [
    "Alder",
    "Brook",
    "Castell",
    "Dorn",
    "Ellis",
    "Frost",
    "Grant",
    "Hale",
    "Ito",
    "Juarez",
    "Kessler",
    "Lund",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Quinn",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Weiss",
]
CITIES = [
    "Oslo",
    "Lima",
    "Cairo",
    "Kyoto",
    "Porto",
    "Ghent",
    "Turin",
    "Malmo",
    "Dakar",
    "Perth",
    "Quito",
    "Leeds",
    "Graz",
    "Hanoi",
    "Accra",
    "Bergen",
    "Lyon",
    "Austin",
    "Riga",
    "Seville",
]
THINGS = [
    "lamp",
    "chair",
    "kettle",
    "notebook",
    "backpack",
    "bottle",
    "keyboard",
    "blanket",
    "bicycle",
    "helmet",
    "mirror",
    "carpet",
    "printer",
    "monitor",
    "jacket",
    "teapot",
    "drill",
    "ladder",
    "pillow",
    "radio",
    "camera",
    "basket",
]
NOUNS = [
    "garden",
    "budget",
    "release",
    "server",
    "invoice",
    "printer",
    "contract",
    "parking",
    "holiday",
    "meeting",
    "project",
    "training",
    "delivery",
    "warehouse",
    "newsletter",
    "password",
    "backup",
    "license",
    "festival",
    "kitchen",
]
CODE = [
    "falcon",
    "amber",
    "delta",
    "orchid",
    "quartz",
    "nimbus",
    "saffron",
    "cobalt",
    "walnut",
    "ember",
    "lotus",
    "pepper",
    "marble",
    "raven",
    "cedar",
]
FILES = [
    "notes",
    "report",
    "draft",
    "todo",
    "summary",
    "config",
    "data",
    "readme",
    "plan",
    "list",
    "log",
    "minutes",
    "agenda",
    "ideas",
    "recipe",
    "journal",
    "letter",
    "budget",
    "inventory",
    "contacts",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@cache
def wordings() -> dict[str, list[str]]:
    """All wordings by the place that uses them: wordings.json."""
    read: dict[str, list[str]] = json.loads(Path(__file__).with_name("wordings.json").read_text("utf-8"))
    return read


def one(rnd: random.Random, choices: str | Sequence[str], **slots: object) -> str:
    """One of the wordings (a key of wordings.json, or a list), its {slots} filled."""
    return rnd.choice(wordings()[choices] if isinstance(choices, str) else choices).format(**slots)


def person(rnd: random.Random) -> str:
    """A made-up full name."""
    return f"{rnd.choice(FIRST)} {rnd.choice(LAST)}"


def file_name(rnd: random.Random, *endings: str) -> str:
    """A made-up file name, sometimes in a folder."""
    stem = rnd.choice(FILES) + rnd.choice(["", "", "", "_old", "-2", "2026", "_final", "_" + rnd.choice(CODE)])
    folder = rnd.choice(["", "", "", "", "docs/", "src/", "data/", "archive/"])
    return f"{folder}{stem}.{rnd.choice(endings or ('txt', 'md', 'log', 'py', 'json', 'ini', 'yaml'))}"


def said(rnd: random.Random, goal: str) -> str:
    """The goal as a person might type it: polite, in context, lower case, with a typo; names and numbers stay as they are."""
    if rnd.random() < 0.16:
        goal = rnd.choice(OPENINGS) + goal[0].lower() + goal[1:]
    if rnd.random() < 0.08:
        goal = rnd.choice(CONTEXT) + goal[0].upper() + goal[1:]
    if rnd.random() < 0.12:
        goal = goal.rstrip(".?") + rnd.choice(ENDINGS)
    if rnd.random() < 0.3:
        goal = goal.rstrip("?.") + rnd.choice(["", "?", "."])
    if rnd.random() < 0.25:
        goal = goal[0].lower() + goal[1:]
    if rnd.random() < 0.08:
        goal = _typo(rnd, goal)
    return goal


def _typo(rnd: random.Random, goal: str) -> str:
    words = list(re.finditer(r"(?<![\w./'\"-])[a-z]{5,9}(?![\w./'\"-])", goal))
    if not words:
        return goal
    at = rnd.choice(words)
    i = at.start() + rnd.randint(1, len(at[0]) - 3)
    return goal[:i] + goal[i + 1] + goal[i] + goal[i + 2 :]


def plain_number(value: float) -> str:
    """A number as a calculator prints it."""
    return f"{value:.10g}"
