"""Made-up tools by the hundred: things people keep, and what can be done with them; neighbours alike on purpose.

What it is: 36 nouns, 12 actions, so over 400 tools, each with its wordings, typed, optional and enum arguments, and
results. What it may touch: nothing. Does not promise: to resemble anybody's real tools; that is the point.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.brain.lines import Card
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, FIRST, one, person, said


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of thing. key: how one is named ("#" digit, "@" letter, "?" a name, or a list). facts: attribute → values."""

    name: str
    key: str
    facts: dict[str, list[str]]
    also: str = ""  # another word for it


NOUNS = [
    Noun("order", "####", {"status": ["packed", "on its way", "cancelled"], "owner": [], "total": ["84.50 EUR", "120 EUR"]}, "purchase"),
    Noun("parcel", "@@####", {"location": CITIES, "weight": ["2.4 kg", "11 kg"], "status": ["at customs", "delivered"]}, "package"),
    Noun("invoice", "INV-###", {"amount": ["310 EUR", "72.20 EUR"], "status": ["paid", "overdue"], "due date": ["3 May", "1 June"]}, "bill"),
    Noun("flight", "@@###", {"gate": ["B12", "A4"], "status": ["delayed", "on time"], "departure": ["8:40", "17:05"]}, "plane"),
    Noun("train", "@@##", {"platform": ["3", "11"], "delay": ["5 minutes", "none"], "departure": ["9:14", "21:30"]}),
    Noun("room", "###", {"capacity": ["12 people", "40 people"], "occupant": [], "temperature": ["21 C", "18 C"]}, "meeting room"),
    Noun("employee", "?", {"manager": [], "phone": ["555-2211", "555-9034"], "holidays": ["12 days", "4 days"]}, "colleague"),
    Noun("customer", "?", {"balance": ["40 EUR", "-12 EUR"], "email": ["x@example.org"], "level": ["gold", "silver"]}, "client"),
    Noun("server", "@@-##", {"load": ["71%", "12%"], "uptime": ["14 days", "3 hours"], "version": ["4.2", "5.0"]}, "machine"),
    Noun("sensor", "s##", {"reading": ["18.4", "77"], "battery": ["80%", "9%"], "location": CITIES}, "probe"),
    Noun("book", "?title", {"author": [], "shelf": ["C4", "K2"], "availability": ["lent out", "available"]}),
    Noun("recipe", "?dish", {"calories": ["450", "720"], "cooking time": ["25 minutes", "2 hours"], "ingredients": ["flour, eggs", "rice, beans"]}, "dish"),
    Noun("contract", "C-####", {"end": ["2027-01-31", "2026-12-01"], "partner": ["Acme", "Borealis"], "status": ["signed", "draft"]}, "agreement"),
    Noun("patient", "P###", {"doctor": [], "ward": ["3B", "1A"], "appointment": ["Monday 9:00"]}),
    Noun("student", "?", {"grade": ["B+", "A"], "class": ["4A", "2C"], "absences": ["3", "0"]}, "pupil"),
    Noun("course", "?subject", {"teacher": [], "places": ["4 left", "full"], "start": ["1 October"]}, "class"),
    Noun("vehicle", "@@@-###", {"mileage": ["84,000 km"], "driver": [], "inspection": ["due in May"]}, "car"),
    Noun("printer", "?floor", {"toner": ["35%", "empty"], "queue": ["3 jobs"], "status": ["ready", "jammed"]}),
    Noun("case", "####", {"assignee": [], "status": ["open", "solved"], "priority": ["high", "low"]}, "issue"),
    Noun("project", "?name", {"deadline": ["14 June"], "lead": [], "progress": ["60%", "95%"]}),
    Noun("task", "T-##", {"assignee": [], "status": ["done", "blocked"], "due date": ["Friday"]}, "job"),
    Noun("event", "?name", {"venue": ["town hall", "main stage"], "tickets": ["120 left"], "start": ["19:30"]}, "concert"),
    Noun("hotel", "?city", {"price": ["95 EUR", "140 EUR"], "rating": ["4.2", "3.8"], "rooms": ["3 free"]}),
    Noun("restaurant", "?place", {"menu": ["soup, pasta"], "phone": ["555-1044"], "rating": ["4.6"]}),
    Noun("shop", "?city", {"hours": ["9 to 18", "10 to 20"], "address": ["12 Mill Road"], "manager": []}, "store"),
    Noun("product", "@@###", {"price": ["19.90 EUR", "240 EUR"], "stock": ["14", "0"], "supplier": ["Delmar"]}, "item"),
    Noun("playlist", "?mood", {"length": ["48 minutes"], "songs": ["17"], "owner": []}),
    Noun("machine", "M##", {"output": ["310 parts"], "temperature": ["64 C"], "status": ["running", "stopped"]}, "device"),
    Noun("meter", "#####", {"reading": ["4821 kWh"], "tenant": [], "location": ["cellar"]}),
    Noun("account", "####", {"balance": ["1,204.10 EUR"], "owner": [], "limit": ["500 EUR"]}),
    Noun("garden bed", "?letter", {"plants": ["tomatoes", "beans"], "moisture": ["31%", "55%"], "gardener": []}),
    Noun("lamp", "?roomname", {"brightness": ["40%"], "color": ["warm white"], "state": ["on", "off"]}, "light"),
    Noun("bus line", "##", {"next bus": ["in 6 minutes"], "route": ["station to harbour"], "delay": ["none", "4 minutes"]}, "bus"),
    Noun("warehouse", "?city", {"free space": ["320 m2"], "stock": ["5,100 boxes"], "manager": []}, "depot"),
    Noun("campaign", "?name", {"clicks": ["1,830"], "budget": ["900 EUR"], "owner": []}),
    Noun("pet", "?first", {"weight": ["7.1 kg"], "vaccination": ["due in July"], "owner": []}, "animal"),
]  # fmt: skip
NAMED = {
    "title": ["Silent River", "The Glass Garden", "Northern Lights", "Paper Moon"], "dish": ["lentil soup", "apple pie", "paella", "goulash"],
    "subject": ["Spanish", "pottery", "statistics", "first aid"], "floor": ["second floor", "lobby", "basement"], "name": ["Aurora", "Bluebird", "Compass", "Meridian", "Tulip"],
    "city": CITIES, "place": ["Luigi's", "Blue Door", "Sakura", "El Molino"], "mood": ["calm", "workout", "focus", "party"], "letter": ["A", "B", "D", "F"],
    "roomname": ["kitchen", "bedroom", "office", "hall"], "first": FIRST,
}  # fmt: skip
SYSTEMS = ["", "", "", "crm_", "acme_", "my_", "hq_", "lib_", "api_"]
Kit = tuple[Card, str, dict[str, Any], str, str]  # card, goal, arguments, observation, answer


def key(rnd: random.Random, noun: Noun) -> str:
    """The name or number of one such thing."""
    if noun.key == "?":
        return person(rnd)
    if noun.key.startswith("?"):
        return rnd.choice(NAMED[noun.key[1:]])
    return "".join(
        str(rnd.randint(1, 9)) if c == "#" else rnd.choice("ABCDEFGHKLMNPRSTX") if c == "@" else c for c in noun.key
    )


def _schema(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


TEXT, INT, NUMBER, BOOL = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}


def _slug(text: str) -> str:
    return text.replace(" ", "_")


def _key_name(rnd: random.Random, noun: Noun) -> tuple[str, dict[str, Any]]:
    if noun.key.startswith("?"):
        return rnd.choice(["name", _slug(noun.name), f"{_slug(noun.name)}_name"]), TEXT
    digits = set(noun.key) == {"#"}
    return rnd.choice([f"{_slug(noun.name)}_id", "id", "number", _slug(noun.name)]), (
        INT if digits and rnd.random() < 0.5 else TEXT
    )


def _value(schema: dict[str, Any], text: str) -> Any:
    return int(text) if schema is INT else text


def fact(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """Read one attribute of one thing."""
    attribute = rnd.choice(list(noun.facts))
    k, (arg, schema) = key(rnd, noun), _key_name(rnd, noun)
    found = rnd.choice(noun.facts[attribute] or [person(rnd)])
    name = system + one(rnd, "nouns.fact.1", n=_slug(noun.name), a=_slug(attribute))
    about = one(rnd, "nouns.fact.2", a=attribute, n=noun.name, k=arg.replace("_", " "))
    thing = f"{rnd.choice([noun.name, noun.name, noun.also or noun.name])} {k}"
    who = "who is the {a} of {t}?" if not noun.facts[attribute] else "what {a} does {t} have?"
    goal = one(
        rnd,
        [
            "what is the {a} of {t}?",
            who,
            "{a} of {t}",
            "tell me the {a} of {t}",
            "I need the {a} for {t}",
            "look up the {a} of {t}",
            "{t}: {a}?",
            "get me {t}'s {a}",
        ],
        a=attribute,
        t=thing,
    )
    return (
        Card(name, about, _schema([arg], **{arg: schema})),
        goal,
        {arg: _value(schema, k)},
        _wrapped(rnd, attribute, found),
        f"The {attribute} of {thing} is {found}.",
    )


def _wrapped(rnd: random.Random, attribute: str, found: str) -> str:
    return rnd.choice([found, found, f"{attribute}: {found}", f'{{"{_slug(attribute)}": "{found}"}}'])


def act(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """Do something to one thing: cancel, open, close, restart, archive …"""
    verb, words, past = rnd.choice(
        [
            ("cancel", ["cancel", "call off", "stop"], "cancelled"),
            ("archive", ["archive", "file away"], "archived"),
            ("approve", ["approve", "sign off", "accept"], "approved"),
            ("restart", ["restart", "reboot"], "restarted"),
            ("lock", ["lock", "freeze"], "locked"),
            ("reserve", ["reserve", "hold", "book"], "reserved"),
            ("remind", ["send a reminder about", "remind me of"], "reminded"),
            ("close", ["close", "finish"], "closed"),
        ]
    )
    k, (arg, schema) = key(rnd, noun), _key_name(rnd, noun)
    properties, required, args = {arg: schema}, [arg], {arg: _value(schema, k)}
    tail = ""
    if rnd.random() < 0.45:
        reason = rnd.choice(["damaged", "too late", "double", "holiday", "on request"])
        properties["reason"] = TEXT
        if rnd.random() < 0.6:
            args["reason"], tail = reason, one(rnd, "nouns.act.1", r=reason)
    card = Card(
        f"{system}{verb}_{_slug(noun.name)}",
        one(rnd, "nouns.act.2", v=verb.capitalize(), n=noun.name, k=arg.replace("_", " ")),
        _schema(required, **properties),
    )
    goal = (
        f"{rnd.choice(words)} {rnd.choice(['', '', 'the '])}{rnd.choice([noun.name, noun.also or noun.name])} {k}{tail}"
    )
    return card, goal, args, rnd.choice([f"{past}", f"{noun.name} {k} {past}", "ok"]), f"The {noun.name} {k} is {past}."


def change(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """Set an enum or a number of one thing."""
    k, (arg, schema) = key(rnd, noun), _key_name(rnd, noun)
    if rnd.random() < 0.6:
        field, values = rnd.choice(
            [
                ("priority", ["low", "normal", "high", "urgent"]),
                ("mode", ["auto", "manual", "eco"]),
                ("state", ["open", "paused", "closed"]),
                ("size", ["small", "medium", "large"]),
                ("color", ["red", "green", "blue", "white"]),
                ("level", ["basic", "plus", "premium"]),
            ]
        )
        value: Any = rnd.choice(values)
        second: dict[str, Any] = {"type": "string", "enum": values}
    else:
        field, value = rnd.choice(
            [
                ("quantity", rnd.randint(1, 400)),
                ("limit", rnd.randint(10, 5000)),
                ("temperature", rnd.randint(5, 40)),
                ("discount", rnd.randint(1, 60)),
                ("price", round(rnd.uniform(1, 300), 2)),
            ]
        )
        second = INT if isinstance(value, int) else NUMBER
    card = Card(
        f"{system}{rnd.choice(['set', 'change', 'update'])}_{_slug(noun.name)}_{field}",
        one(rnd, "nouns.change.1", f=field, n=noun.name),
        _schema([arg, field], **{arg: schema, field: second}),
    )
    goal = one(rnd, "nouns.change.2", f=field, n=rnd.choice([noun.name, noun.also or noun.name]), k=k, v=value)
    return (
        card,
        goal,
        {arg: _value(schema, k), field: value},
        rnd.choice(["ok", f"{field} is now {value}"]),
        f"The {field} of {noun.name} {k} is now {value}.",
    )


def create(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """Make a new one: for whom, how many, when, with options."""
    who, count, day = (
        person(rnd),
        rnd.randint(2, 30),
        rnd.choice(["Monday", "2026-05-14", "Friday", "2026-11-02", "tomorrow"]),
    )
    kind = rnd.randrange(3)
    props: dict[str, Any]
    args: dict[str, Any]
    if kind == 0:
        props, args = {"person": TEXT, "day": TEXT}, {"person": who, "day": day}
        says = one(rnd, "nouns.create.1", w=who, d=day)
    elif kind == 1:
        props, args = {"count": INT, "city": TEXT}, {"count": count, "city": rnd.choice(CITIES)}
        says = one(rnd, "nouns.create.2", c=count, t=args["city"])
    else:
        flag = rnd.choice(["express", "insured", "urgent", "private"])
        props, args = {"customer": TEXT, flag: BOOL}, {"customer": who}
        says = f" for {who}"
        if rnd.random() < 0.6:
            args[flag] = True
            says += one(rnd, "nouns.create.3", f=flag)
    required = [p for p, s in props.items() if s is not BOOL]
    card = Card(
        f"{system}{rnd.choice(['create', 'new', 'add', 'book'])}_{_slug(noun.name)}",
        one(rnd, "nouns.create.4", n=noun.name),
        _schema(required, **props),
    )
    number = rnd.randint(100, 999)
    goal = f"{rnd.choice(['create a new', 'make a', 'add a', 'book a', 'I need a new', 'set up a'])} {noun.name}{says}"
    return (
        card,
        goal,
        args,
        rnd.choice([f"created {number}", f"{noun.name} {number} created", f'{{"id": {number}}}']),
        f"I created {noun.name} {number}.",
    )


def count(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """How many there are, with an optional filter."""
    n, city = rnd.randint(0, 240), rnd.choice(CITIES)
    args: dict[str, Any] = {"city": city} if rnd.random() < 0.7 else {}
    where = f" in {city}" if args else ""
    card = Card(
        f"{system}count_{_slug(noun.name)}s",
        f"How many {noun.name}s there are, in one city or in all",
        _schema([], city=TEXT),
    )
    goal = one(rnd, "nouns.count.1", n=noun.name, w=where)
    return card, goal, args, str(n), f"There are {n} {noun.name}s{where}."


def search(rnd: random.Random, noun: Noun, system: str) -> Kit:
    """Find some by a person, a city, or a limit."""
    who, city, most = person(rnd), rnd.choice(CITIES), rnd.randint(2, 9)
    by, value = rnd.choice([("person", who), ("city", city)])
    args: dict[str, Any] = {by: value}
    limit = ""
    if rnd.random() < 0.5:
        args["limit"] = most
        limit = f" {most}"
    card = Card(
        f"{system}{rnd.choice(['find', 'list', 'search'])}_{_slug(noun.name)}s",
        one(rnd, "nouns.search.1", n=noun.name, b=by),
        _schema([by], **{by: TEXT, "limit": INT}),
    )
    goal = one(rnd, "nouns.search.2", l=limit, n=noun.name, p="of" if by == "person" else "in", v=value)
    found = ", ".join(dict.fromkeys(key(rnd, noun) for _ in range(rnd.randint(1, 3))))
    return card, goal, args, found, f"The {noun.name}s are {found}."


ACTIONS: list[tuple[int, Callable[[random.Random, Noun, str], Kit]]] = [
    (6, fact),
    (3, act),
    (3, change),
    (3, create),
    (2, count),
    (2, search),
]


def kit(rnd: random.Random, noun: Noun | None = None) -> Kit:
    """A made-up tool and a goal for it."""
    make = rnd.choices([m for _, m in ACTIONS], [w for w, _ in ACTIONS])[0]
    return make(rnd, noun or rnd.choice(NOUNS), rnd.choice(SYSTEMS))


def neighbours(rnd: random.Random, noun: Noun, card: Card) -> list[Card]:
    """Other tools beside it: some of the same noun, some of others."""
    near = [kit(rnd, noun)[0] for _ in range(rnd.randint(1, 4))] + [kit(rnd)[0] for _ in range(rnd.randint(1, 5))]
    unique = {one.name: one for one in near if one.name != card.name and one.description != card.description}
    cards = [*unique.values(), card]
    rnd.shuffle(cards)
    return cards


def custom(rnd: random.Random) -> Example:
    """One call of a made-up tool among its neighbours."""
    noun = rnd.choice(NOUNS)
    card, goal, args, seen, answer = kit(rnd, noun)
    goal = said(rnd, goal[0].upper() + goal[1:])
    return Example("custom", goal, [Step(card.name, args, seen)], answer, neighbours(rnd, noun, card))
