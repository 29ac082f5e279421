"""Families: tools never seen before, notes and recall, and goals that fit no tool. May touch: nothing."""

from __future__ import annotations

import json
import random

from examples.train_starter import words as w
from examples.train_starter.fake_tools import choose, sample
from examples.train_starter.scenario import Move, Scenario, built, maybe_fails, side
from outrider.agent.models.choice.words import pieces


def custom(rng: random.Random, test: str) -> Scenario:
    """A tool the model has never seen, chosen by its words."""
    made = sample(rng, test_tool=test == "tool", test_wording=None if test == "tool" else test == "wording")
    if rng.random() < 0.15:
        made = made.in_lower_case()
    text, answer = _custom_result(rng, made.goal)
    scene = Scenario(
        made.goal, [made.tool], [Move(made.tool.name, made.arguments, text)], answer, exact_goal=rng.random() < 0.5
    )
    return maybe_fails(rng, scene)


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
        goal = choose(rng, list(_NOTES), side(test)).format(t=text)
        return Scenario(goal, built("note"), [Move("note", {"text": text}, "noted")], ["noted"], exact_goal=True)
    text = rng.choice((w.word(rng), w.name(rng), w.text(rng, 2, 3)))
    goal = choose(rng, list(_RECALLS), side(test)).format(t=text)
    found = w.text(rng, 3, 8)
    return Scenario(goal, built("recall"), [Move("recall", {"query": text}, found)], [found], exact_goal=True)


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
    "Hello, who are you?",
    "What can you do?",
    "Tell me a story",
    "Write an essay on {x}",
    "Write a {n} about {x}",
    "Plan a trip to {x}",
    "What should I do today?",
    "What should I cook tonight?",
    "Give me advice about my {n}",
    "Explain {x} to a child",
    "Why is the sky blue?",
    "Write a python script that sorts a list",
    "Write a program for my {n}",
    "Draw a {n}",
    "Sing a song about {x}",
    "I am sad",
    "Thanks!",
    "How are you?",
    "Good night",
    "Help me",
    "Improve my {n}",
    "Think about {x}",
    "Invent a name for my {n}",
    "Argue that {x} is great",
    "What do you think of {x}?",
    "Make me a {n}",
    "Be creative",
    "Do my homework",
    "test",
    "Design a {n} for {x}",
    "Compare {x} and {y}",
    "Summarise the history of {x}",
)


def no_tool(rng: random.Random, test: str) -> Scenario:
    """A goal that fits none of the tools: say so at once."""
    goal = choose(rng, list(_CHAT), side(test)).format(x=w.name(rng), y=w.name(rng), n=rng.choice(w.NOUNS))
    if rng.random() < 0.7:  # all the tools there are, and still none of them fits
        return Scenario(goal, [], [], [])
    others = rng.sample(["table", "text_stats", "read_file", "write_file", "hub_model", "list_files"], 2)
    return Scenario(goal, built(*others), [], [], frozenset({"web_search", "recall", "note"}))
