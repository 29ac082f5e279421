"""Families: look things up on the web, read a page, find a model on the hub and tell about one. May touch: nothing."""

from __future__ import annotations

import json
import random

from examples.train_starter import words as w
from examples.train_starter.fake_tools import choose
from examples.train_starter.scenario import Move, Scenario, built, maybe_fails, side
from outrider.agent.models.choice.answer_parts import parts
from outrider.agent.models.choice.words import pieces, stems

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
        goal = choose(rng, list(_FACTS), side(test)).format(
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
        goal = choose(rng, list(_WEB), side(test)).format(q=f'"{query}"' if rng.random() < 0.2 else query)
    text, answer = _web_results(rng, goal)
    return maybe_fails(
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
    goal = choose(rng, list(_PAGES), side(test)).format(u=address)
    text = "\n".join(w.text(rng, 4, 9).capitalize() + "." for _ in range(rng.randint(1, 4)))
    return maybe_fails(
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
    goal = choose(rng, list(_FINDS), side(test)).format(
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
    return maybe_fails(rng, Scenario(goal, built("hub_search"), [Move("hub_search", {}, text)], [text]), 0.1)


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
    goal = choose(rng, list(_ABOUT), side(test)).format(k=rng.choice(_INFO[key]), m=model)
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
    return maybe_fails(
        rng,
        Scenario(goal, built("hub_model"), [Move("hub_model", {"model": model}, text)], [values[key] if key else text]),
        0.12,
    )
