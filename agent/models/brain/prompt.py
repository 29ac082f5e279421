"""The one prompt format of the built-in language model: ChatML, one line a tool, a call is one JSON line, an answer is text.

What it is: pure functions that both the product and the training data go through, so that the model is asked exactly
what it was taught. What it may touch: nothing. Does not promise: to show everything; observations are cut.
Start reading at `render`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SYSTEM = "Use one tool, or answer. Tools:"
CANNOT = "None of my tools can do this"  # begins an answer that gives up
NOT_FOUND = "Not found"  # begins an answer that looked and found nothing
MISSING = "Please tell me"  # begins a question for a missing value
OPEN, CLOSE = "<|im_start|>", "<|im_end|>"
MAX_GOAL, MAX_SEEN, MAX_ABOUT = 700, 420, 90  # characters
TYPES = {"string": "str", "integer": "int", "number": "number", "boolean": "bool", "array": "list", "object": "object"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One call and what came of it. `call` is the JSON line."""

    call: str
    seen: str
    ok: bool = True


def tool_line(name: str, description: str, parameters: dict[str, Any]) -> str:
    """`name(arg: type, opt?: a|b) what it does`: about 25 tokens."""
    required = set(parameters.get("required") or ())
    properties = parameters.get("properties") or {}
    parts = [f"{key}{'' if key in required else '?'}: {_kind(node)}" for key, node in properties.items()]
    return f"{name}({', '.join(parts)}) {_short(description)}"


def _kind(node: Any) -> str:
    if not isinstance(node, dict):
        return "any"
    if "enum" in node or "const" in node:
        values = node.get("enum", [node.get("const")])
        return "|".join(str(value) for value in values[:12])
    for union in ("anyOf", "oneOf"):
        if union in node:
            kinds = [_kind(one) for one in node[union] if one.get("type") != "null"]
            return kinds[0] if kinds else "any"
    kind = node.get("type", "any")
    return TYPES.get(str(kind), str(kind))


def _short(text: str) -> str:
    """The first sentence, cut at a word: a small model reads little."""
    text = " ".join(plain(text).split())
    first = re.split(r"(?<=[.;:])\s|\s\(", text, maxsplit=1)[0].rstrip(".;:")
    return first if len(first) <= MAX_ABOUT else first[:MAX_ABOUT].rsplit(" ", 1)[0]


def plain(text: str) -> str:
    """`text` in which nothing can become a control token of the chat template."""
    return text.replace("<|", "< |").replace("|>", "| >")


def call_line(name: str, arguments: dict[str, Any]) -> str:
    """A call as the model writes it: `{"name": {"argument": value}}` on one line."""
    return json.dumps({name: arguments}, ensure_ascii=False)


def read_call(text: str) -> tuple[str, dict[str, Any]] | None:
    """The name and arguments of a call line; None for anything else."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict) or len(said) != 1:
        return None
    name, arguments = next(iter(said.items()))
    return (name, arguments) if isinstance(arguments, dict) else None


def head(lines: Sequence[str], goal: str) -> str:
    """The part of the prompt that stays the same through a run."""
    goal = shortened(plain(goal.strip()), MAX_GOAL)
    listed = "\n".join([SYSTEM, *lines])
    return f"{OPEN}system\n{listed}{CLOSE}\n{OPEN}user\n{goal}{CLOSE}\n{OPEN}assistant\n"


def turn(done: Turn) -> str:
    """A call that was made and its observation, up to where the model speaks again."""
    return f"{done.call}{CLOSE}\n{OPEN}user\n{observed(done)}{CLOSE}\n{OPEN}assistant\n"


def observed(done: Turn) -> str:
    """What the model is shown of an observation."""
    return f"{'Result' if done.ok else 'Error'}: {shortened(plain(done.seen.strip()), MAX_SEEN)}"


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` characters, the cut marked."""
    return text if len(text) <= most else text[: most - 2].rstrip() + " …"


def render(lines: Sequence[str], goal: str, history: Sequence[Turn] = ()) -> str:
    """The whole prompt of one step."""
    return head(lines, goal) + "".join(turn(done) for done in history)
