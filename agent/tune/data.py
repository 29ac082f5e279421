"""The training data of the built-in language model: a seed in, the same examples out; a digest and a datasheet.

What it is: families with their shares, `examples(seed, count)` and `write`. What it may touch: the file it is told to
write. Does not promise: real people's wordings; docs/builtin.md says what is in it. Start reading at `examples`.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from outrider.agent.models.brain.lines import FORMS, Card
from outrider.agent.tune import files, honest, nouns, singles, sums, tables, times
from outrider.agent.tune.trace import Example, offer, segments

FAMILIES: list[tuple[int, Callable[[random.Random], Example]]] = [
    (34, sums.sums),
    (5, times.dates),
    (4, times.units),
    (2, times.texts),
    (24, tables.tables),
    (4, tables.databases),
    (10, files.files),
    (16, nouns.custom),
    (26, singles.customs),
    (12, honest.impossible),
    (4, honest.missing),
    (3, honest.broken),
    (5, honest.both),
    (3, honest.carried),
    (4, honest.kept),
    (2, honest.web),
    (1, honest.pages),
    (2, honest.talk),
]  # what code decides (decide.py) is there to be recognised; what the model decides is most of it
BESIDE = 0.6  # share of the examples of built-in tools that have somebody's own tools on offer as well
LONGEST = 2600  # characters of a whole run; a longer one is drawn again


def built_in() -> list[Card]:
    """The product's own tools, as the short forms of brain/lines.py describe them."""
    out = []
    for name, (signature, about, _, _) in FORMS.items():
        parts = [part.split(": ", 1) for part in signature.split(", ")]
        properties = {key.rstrip("?"): {"type": "string"} for key, *_ in parts}
        out.append(Card(name, about, {"type": "object", "properties": properties, "required": []}))
    return out


def examples(seed: int, count: int) -> Iterator[tuple[Example, list[tuple[str, bool]]]]:
    """`count` examples with their text in pieces; the same for the same seed."""
    rnd = random.Random(seed)
    cards = built_in()
    weights, makers = [w for w, _ in FAMILIES], [m for _, m in FAMILIES]
    made = 0
    while made < count:
        example = rnd.choices(makers, weights)[0](rnd)
        if not example.cards and example.steps and rnd.random() < BESIDE:
            example = replace(example, cards=singles.beside(rnd, [], 8))
        text = segments(example, offer(rnd, example, cards))
        if sum(len(part) for part, _ in text) <= LONGEST:
            made += 1
            yield example, text


def write(path: Path, seed: int, count: int) -> dict[str, object]:
    """Write `count` examples as JSON lines; returns the datasheet: seed, digest, families, characters, tools."""
    digest, families, tools, characters = hashlib.sha256(), Counter[str](), set[str](), 0
    with path.open("w", encoding="utf-8") as out:
        for example, text in examples(seed, count):
            line = json.dumps({"family": example.family, "text": text}, ensure_ascii=False)
            digest.update(line.encode())
            families[example.family] += 1
            tools |= {card.name for card in example.cards}
            characters += sum(len(part) for part, _ in text)
            out.write(line + "\n")
    return {
        "seed": seed,
        "examples": count,
        "sha256": digest.hexdigest(),
        "families": dict(families),
        "made_up_tools": len(tools),
        "characters": characters,
    }
