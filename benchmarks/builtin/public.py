"""Public function-calling questions: `python -m benchmarks.builtin.public [--count 50] [--adapter OLD.gguf …]`.

What it is: questions of the package `bfcl-eval` (Apache-2.0; `pip install --no-deps bfcl-eval`), read out of the installed
package and never copied: "simple" (one tool on offer) and "multiple" (two to four). Right tool, and exact call: every
argument among the answers that the package allows. Beside a random tool, the tool that shares most words with the
question, the small chooser, and the language model under one or more adapters. May touch: the installed package.
Does not promise: a leaderboard's number; only the first calls are looked at, with our own tools not on offer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outrider.agent.models.choice.words import pieces, stems
from outrider.agent.models.model import Message, Model, Request, ToolSpec

SETS = {"simple": "BFCL_v4_simple_python.json", "multiple": "BFCL_v4_multiple.json"}
KINDS = {"dict": "object", "float": "number", "tuple": "array", "any": "string", "list": "array"}
Question = tuple[str, list[ToolSpec], dict[str, dict[str, list[Any]]]]


def questions(name: str, count: int) -> list[Question]:
    """(question, tools, {right tool: {argument: allowed values}}), evenly out of a set."""
    package = importlib.metadata.distribution("bfcl-eval")
    asked, answers = (
        [json.loads(line) for line in Path(str(package.locate_file(f"bfcl_eval/data/{at}{SETS[name]}"))).read_text("utf-8").splitlines()]
        for at in ("", "possible_answer/")
    )  # fmt: skip
    step = max(1, len(asked) // count)
    return [
        (one["question"][0][0]["content"], [_spec(f) for f in one["function"]], {_plain(k): v for k, v in right["ground_truth"][0].items()})
        for one, right in list(zip(asked, answers, strict=True))[::step][:count]
    ]  # fmt: skip


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _spec(function: dict[str, Any]) -> ToolSpec:
    return ToolSpec(_plain(function["name"]), function["description"], _schema(function["parameters"]))


def _schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    out = {key: _schema(value) for key, value in node.items() if key != "optional"}
    if isinstance(out.get("type"), str):
        out["type"] = KINDS.get(out["type"], out["type"])
    return out


def exact(arguments: dict[str, Any], allowed: dict[str, list[Any]]) -> bool:
    """Whether each argument is one that the answers allow, and none that must be there is missing."""
    if set(arguments) - set(allowed):
        return False
    return all(
        any(_same(arguments[key], value) for value in values) if key in arguments else "" in values
        for key, values in allowed.items()
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return bool(re.sub(r"[ ,./\-_*^'\"]", "", one.lower()) == re.sub(r"[ ,./\-_*^'\"]", "", other.lower()))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


async def asked(model: Model, one: Question) -> tuple[bool, bool]:
    """(right tool, exact call) of a model's first call."""
    reply = await model.reply(Request([Message("user", one[0])], one[1], 440))
    if not reply.calls or reply.calls[0].name not in one[2]:
        return False, False
    arguments: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        arguments = json.loads(reply.calls[0].arguments)
    return True, exact(arguments, one[2][reply.calls[0].name])


def by_words(one: Question) -> str:
    """The tool whose name and description share most words with the question."""
    words = stems(pieces(one[0], 200))
    return max(one[1], key=lambda t: len(words & stems(pieces(f"{t.name} {t.description}", 200)))).name


async def table(names: Sequence[str], count: int) -> None:
    """Print the table."""
    from outrider.agent.models.llama.model import LlamaModel
    from outrider.agent.models.llama.tuned import TunedModel

    print("| set | asked | tool chooser | right tool | exact call |\n|---|---|---|---|---|")
    for name in SETS:
        found = questions(name, count)
        rnd = random.Random(1)
        chosen = {
            "a random tool": [rnd.choice(one[1]).name in one[2] for one in found],
            "most words shared": [by_words(one) in one[2] for one in found],
        }
        for who, right in chosen.items():
            print(f"| {name} | {len(found)} | {who} | {sum(right)} | - |", flush=True)
        for who in ("starter", *names):
            model = LlamaModel("starter") if who == "starter" else TunedModel(adapter=None if who == "builtin" else who)
            scores = [await asked(model, one) for one in found]
            await model.aclose()
            tools, calls = (sum(one[at] for one in scores) for at in (0, 1))
            print(f"| {name} | {len(found)} | {Path(who).name} | {tools} | {calls} |", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=50, help="questions of each set")
    parser.add_argument("--adapter", action="append", default=[], help="another adapter to score beside ours")
    told = parser.parse_args()
    asyncio.run(table(["builtin", *told.adapter], told.count))


if __name__ == "__main__":
    main()
