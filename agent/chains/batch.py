"""Runs a chain over documents. Each answer is a run of its own, in the database with the others, and kept when it comes.
May touch: the model, through runs; one file of answers. Does not promise: the same answer from a model asked again; an answer that
is kept is not asked for again (same model, prompt, examples, type and text).

All runs share one ledger: what one may use is set aside before it begins, so that together they keep the limits.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from outrider.agent.agent import Agent
from outrider.agent.budget import Budget, Ledger, share_of
from outrider.agent.chains.documents import Document
from outrider.agent.history.run_view import Run
from outrider.memory.errors import UsageError, words_of
from outrider.memory.events import ChildEnded, ChildStarted, Share
from outrider.tools.prompts.prompt import Chain, Prompt, said

MOST_STEPS = 6  # times a model is asked for one answer: a few misfits, then it is said to have none


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one prompt to one text. key: what it is the answer to. usd: dollars."""

    key: str
    document: str
    prompt: str
    value: Any
    run: str
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Row:
    """What came of one document. wrong: why the chain stopped there, "" if it did not. kept: answers that were there already."""

    document: str
    answers: dict[str, Any] = field(default_factory=dict)
    last: Any = None
    label: Any = None
    wrong: str = ""
    kept: int = 0
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    runs: list[str] = field(default_factory=list)


class Kept:
    """Answers on disk, one a line, whole before the next begins."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answers: dict[str, Answer] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lines = file.read_bytes().split(b"\n") if file.exists() else []
        except OSError as error:
            raise UsageError(f"{str(file)!r} cannot be used", words_of(error), "name another with --answers") from error
        self._cut = bool(lines and lines[-1])  # a kill cut the last line in two
        for line in lines:
            try:
                one = Answer(**json.loads(line))
            except (ValueError, TypeError):
                continue
            self._answers[one.key] = one

    def get(self, key: str) -> Answer | None:
        """The answer that is there."""
        return self._answers.get(key)

    def add(self, one: Answer) -> None:
        """Keep an answer: on disk when this returns."""
        with self._file.open("ab") as file:
            file.write((b"\n" if self._cut else b"") + json.dumps(asdict(one)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._cut = False
        self._answers[one.key] = one


class Batch:
    """One chain over documents with one model. budget: of all of it together."""

    def __init__(self, agent: Agent, model: str, chain: Chain, kept: Kept, budget: Budget, parallel: int) -> None:
        self._agent, self._model, self._chain, self._kept = agent, model, chain, kept
        self._budget, self._parallel = budget, max(1, parallel)
        self._ledger: Ledger | None = None
        self._number = 0

    async def run(self, documents: Sequence[Document], tell: Callable[[Row], None]) -> list[Row]:
        """A row for each document, in their order; `tell` is called with each as it is done."""
        opened = await self._agent.open_model()
        self._ledger = Ledger(self._budget, opened.price)
        gate = asyncio.Semaphore(self._parallel)

        async def one(document: Document) -> Row:
            async with gate:
                row = await self._row(document)
                tell(row)
                return row

        return list(await asyncio.gather(*(one(document) for document in documents)))

    async def _row(self, document: Document) -> Row:
        row, text = Row(document.name, label=document.label), document.text
        for step in self._chain.steps:
            key = self._key(step, text)
            found = self._kept.get(key)
            if found is None:
                found, row.wrong = await self._ask(step, text, document.name, key, row)
                if found is None:
                    return row
            else:
                row.kept += 1
            row.answers[step.name] = row.last = found.value
            row.runs.append(found.run)
            text = said(found.value)
        return row

    def _key(self, step: Prompt, text: str) -> str:
        schema = json.dumps(step.schema if step.output is not None else None, sort_keys=True)
        parts = (self._model, step.system(), schema, text)
        return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()

    async def _ask(self, step: Prompt, text: str, document: str, key: str, row: Row) -> tuple[Answer | None, str]:
        if not text.strip():
            return None, f"{step.name} has no text to work on"
        ledger = self._ledger
        assert ledger is not None
        part = ledger.carve(1 / (2 * self._parallel))
        if isinstance(part, str):
            return None, f"the limit of {part} for all documents is reached"
        self._number += 1
        name = str(self._number)
        budget = part.raised(steps=min(part.steps or MOST_STEPS, MOST_STEPS))
        ledger.add(ChildStarted(call_id=name, child=name, share=share_of(budget)))
        cost = Share()
        try:
            done = await self._agent.arun(
                step.goal(text, key[:8]), system=step.system(), tools=(), budget=budget,
                schema=step.schema if step.output is not None else None, label=f"chain {self._chain.name}: {step.name}",
            )  # fmt: skip
            spent = done.spent
            cost = Share(usd=spent.usd, tokens=spent.tokens, steps=spent.steps, calls=spent.calls)
        finally:
            ledger.add(ChildEnded(call_id=name, child=name, cost=cost))
        row.tokens, row.usd, row.seconds = (
            row.tokens + spent.tokens,
            row.usd + float(spent.usd),
            row.seconds + spent.seconds,
        )
        return self._kept_answer(step, document, key, done)

    def _kept_answer(self, step: Prompt, document: str, key: str, done: Run) -> tuple[Answer | None, str]:
        value = done.value if step.output is not None else str(done.answer)
        if done.state != "answered" or value is None or value == "":
            return None, f"{step.name}: {done.state} ({done.detail or done.stop_reason}), run {done.id}"
        spent = done.spent
        one = Answer(key, document, step.name, value, done.id, spent.tokens, float(spent.usd), round(spent.seconds, 3))
        self._kept.add(one)
        return one, ""


def score(rows: Sequence[Row]) -> tuple[int, int]:
    """(rows whose last answer is their label, rows that have a label); one without an answer is not right."""
    labelled = [row for row in rows if row.label is not None]
    return sum(not row.wrong and row.last == row.label for row in labelled), len(labelled)


def interval(right: int, total: int) -> tuple[float, float]:
    """The share's 95 % interval (Wilson), 0 to 1."""
    if not total:
        return 0.0, 1.0
    z = 1.96
    p, n = right / total, float(total)
    middle, half = (p + z * z / (2 * n)) / (1 + z * z / n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    half /= 1 + z * z / n
    return max(0.0, middle - half), min(1.0, middle + half)
