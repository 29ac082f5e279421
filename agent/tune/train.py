"""Trains the adapter: reply tokens only, short sequences, resumable; a line of progress and a loss log as it goes.

What it is: `train`, one process, one thread. What it may touch: the folder `work` (checkpoints, loss log).
Needs the extra `train`. Does not promise: the same weights on two machines; the data is the same. Start at `train`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

Pieces = list[tuple[str, bool]]  # text, whether the model writes it
Batch = list[tuple[list[int], list[bool]]]


@dataclass(frozen=True, slots=True)
class Settings:
    """minutes: of this call. rate: the highest learning rate. tokens: of a batch, about. longest: tokens of one example."""

    minutes: float
    rate: float = 1.2e-3
    tokens: int = 1600
    longest: int = 720
    save_every_s: float = 240.0
    seed: int = 0
    final: bool = True  # the learning rate falls towards the end


def encoded(tokenizer: Any, pieces: Pieces) -> tuple[list[int], list[bool]]:
    """Token ids and, for each, whether it is learned."""
    ids: list[int] = []
    learned: list[bool] = []
    for text, ours in pieces:
        found = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += found
        learned += [ours] * len(found)
    return ids, learned


def batches(tokenizer: Any, source: Iterable[Pieces], settings: Settings, rnd: random.Random) -> Iterator[Batch]:
    """Batches of about `settings.tokens` tokens, of examples alike in length: little is spent on padding."""
    pool: Batch = []
    for pieces in source:
        one = encoded(tokenizer, pieces)
        if len(one[0]) <= settings.longest:
            pool.append(one)
        if len(pool) == 256:
            yield from _cut(pool, settings.tokens, rnd)
            pool = []
    if pool:
        yield from _cut(pool, settings.tokens, rnd)


def _cut(pool: Batch, most: int, rnd: random.Random) -> list[Batch]:
    pool.sort(key=lambda one: len(one[0]))
    out: list[Batch] = []
    batch: Batch = []
    for one in pool:
        if batch and len(one[0]) * (len(batch) + 1) > most:
            out.append(batch)
            batch = []
        batch.append(one)
    out += [batch] if batch else []
    rnd.shuffle(out)
    return out


def loss_of(lora: Any, batch: Batch) -> Any:
    """Mean loss over the reply tokens; logits are made at those places only, for the vocabulary is the dear part."""
    import torch
    import torch.nn.functional as f

    width = max(len(ids) for ids, _ in batch)
    x = torch.full((len(batch), width), 2)
    seen = torch.zeros((len(batch), width), dtype=torch.long)
    want = torch.full((len(batch), width), -100)
    for at, (ids, learned) in enumerate(batch):
        x[at, : len(ids)] = torch.tensor(ids)
        seen[at, : len(ids)] = 1
        want[at, : len(ids)] = torch.tensor([i if ours else -100 for i, ours in zip(ids, learned, strict=True)])
    device = next(lora.parameters()).device
    x, seen, want = x.to(device), seen.to(device), want.to(device)
    hidden = lora.base_model.model.model(input_ids=x, attention_mask=seen).last_hidden_state[:, :-1]
    places = want[:, 1:] != -100
    logits = (hidden[places] @ lora.base_model.model.lm_head.weight.T).float()
    return f.cross_entropy(logits, want[:, 1:][places])


def rate_at(done: float, step: int, settings: Settings) -> float:
    """Ten steps of warm-up, then level, then (if `final`) down to a twentieth over the last half of the time."""
    fall = max(0.05, min(1.0, (1 - done) / 0.5)) if settings.final else 1.0
    return settings.rate * min(1.0, (step + 1) / 10) * fall


def train(
    lora: Any, tokenizer: Any, source: Iterable[Pieces], work: Path, settings: Settings, say: Callable[[str], None]
) -> dict[str, float]:
    """Train `lora` in place for `settings.minutes`; the adapter and the optimizer are kept in `work/adapter`."""
    import torch

    torch.manual_seed(settings.seed)
    params = [one for one in lora.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=settings.rate, weight_decay=0.0)
    state = work / "adapter" / "optimizer.pt"
    before = _resumed(optimizer, state)
    lora.train()
    begun = saved = time.monotonic()
    step = tokens = 0
    smooth = 0.0
    with (work / "loss.jsonl").open("a", encoding="utf-8") as log:
        for batch in batches(tokenizer, source, settings, random.Random(settings.seed)):
            done = (time.monotonic() - begun) / (settings.minutes * 60)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate_at(done, step, settings)
            loss = loss_of(lora, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            step, tokens = step + 1, tokens + sum(len(ids) for ids, _ in batch)
            smooth = loss.item() if step == 1 else 0.95 * smooth + 0.05 * loss.item()
            if step % 5 == 1:
                row = {"step": before["steps"] + step, "tokens": before["tokens"] + tokens, "loss": round(smooth, 4)}
                _told(log, row, tokens / (time.monotonic() - begun), say)
            if time.monotonic() - saved > settings.save_every_s:
                saved = time.monotonic()
                _save(lora, optimizer, state, {"steps": before["steps"] + step, "tokens": before["tokens"] + tokens})
    total = {"steps": before["steps"] + step, "tokens": before["tokens"] + tokens}
    _save(lora, optimizer, state, total)
    return total | {"loss": round(smooth, 4)}


def _told(log: TextIO, row: dict[str, float], speed: float, say: Callable[[str], None]) -> None:
    log.write(json.dumps(row) + "\n")
    log.flush()
    say(f"step {row['step']}  loss {row['loss']:.3f}  {row['tokens']:,} tokens  {speed:.0f}/s")


def _resumed(optimizer: Any, state: Path) -> dict[str, int]:
    import torch

    if not state.is_file():
        return {"steps": 0, "tokens": 0}
    kept = torch.load(state)
    optimizer.load_state_dict(kept["optimizer"])
    done: dict[str, int] = kept["done"]
    return done


def _save(lora: Any, optimizer: Any, state: Path, done: dict[str, int]) -> None:
    """Whole or not at all: a killed run goes on from the one before."""
    import torch

    state.parent.mkdir(parents=True, exist_ok=True)
    lora.save_pretrained(str(state.parent))
    fresh = state.with_suffix(".new")
    torch.save({"optimizer": optimizer.state_dict(), "done": done}, fresh)
    fresh.replace(state)
