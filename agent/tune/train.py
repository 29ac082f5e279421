"""Trains the adapter: reply tokens only, short sequences, resumable; a line of progress and a loss log as it goes.

What it is: `train`, one process. What it may touch: the folder `work` (checkpoints, loss log).
Needs the extra `train`. Does not promise: the same weights on two machines; the data is the same. Start at `train`.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

Pieces = list[tuple[str, bool]]  # text, whether the model writes it
Batch = list[tuple[list[int], list[bool]]]
Source = Callable[[int], Iterable[Pieces]]
STATE = "optimizer.pt"
TELL_S = 15.0


@dataclass(frozen=True, slots=True)
class Settings:
    """minutes: of this call. rate: the highest learning rate. tokens: of a batch, about. longest: tokens of one example."""

    minutes: float
    rate: float = 1.2e-3
    tokens: int = 1600
    longest: int = 720
    save_every_s: float = 60.0
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
    lora: Any, tokenizer: Any, source: Source, work: Path, settings: Settings, say: Callable[[str], None]
) -> dict[str, float]:
    """Train `lora` in place for `settings.minutes`; the adapter and the optimizer are kept in `work/adapter`.

    source: makes examples without end from a seed. What is taken up again gets other examples than it began with.
    """
    import torch

    optimizer = torch.optim.AdamW(_trained(lora), lr=settings.rate, weight_decay=0.0)
    before = _resumed(optimizer, kept(work) / STATE)
    seed = settings.seed + before["steps"]
    torch.manual_seed(seed)
    lora.train()
    begun = saved = told = time.monotonic()
    step = tokens = 0
    smooth, total = 0.0, dict(before)
    with (work / "loss.jsonl").open("a", encoding="utf-8") as log:
        for batch in batches(tokenizer, source(seed), settings, random.Random(seed)):
            done = (time.monotonic() - begun) / (settings.minutes * 60)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate_at(done, step, settings)
            loss = _learn(lora, optimizer, batch)
            step, tokens = step + 1, tokens + sum(len(ids) for ids, _ in batch)
            smooth = loss if step == 1 else 0.95 * smooth + 0.05 * loss
            total = {"steps": before["steps"] + step, "tokens": before["tokens"] + tokens}
            now = time.monotonic()
            _log(log, total, smooth)
            if step == 1 or now - told > TELL_S:
                told = now
                _tell(say, total, smooth, tokens / (now - begun), settings.minutes - (now - begun) / 60)
            if now - saved > settings.save_every_s:
                saved = now
                save(lora, optimizer, work, total)
    save(lora, optimizer, work, total)
    return total | {"loss": round(smooth, 4)}


def _trained(lora: Any) -> list[Any]:
    return [one for one in lora.parameters() if one.requires_grad]


def _learn(lora: Any, optimizer: Any, batch: Batch) -> float:
    """One step; returns its loss."""
    import torch

    loss = loss_of(lora, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(_trained(lora), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.item())


def _log(log: TextIO, done: dict[str, int], loss: float) -> None:
    log.write(json.dumps({"step": done["steps"], "tokens": done["tokens"], "loss": round(loss, 4)}) + "\n")
    log.flush()


def _tell(say: Callable[[str], None], done: dict[str, int], loss: float, speed: float, left: float) -> None:
    rest = f"{max(0.0, left):.1f} minutes left"
    say(f"step {done['steps']}  loss {loss:.3f}  {done['tokens']:,} tokens  {speed:.0f}/s  {rest}")


def _resumed(optimizer: Any, state: Path) -> dict[str, int]:
    import torch

    if not state.is_file():
        return {"steps": 0, "tokens": 0}
    kept = torch.load(state)
    optimizer.load_state_dict(kept["optimizer"])
    done: dict[str, int] = kept["done"]
    return done


def save(lora: Any, optimizer: Any, work: Path, done: dict[str, int]) -> None:
    """Whole or not at all: what is killed while it saves goes on from the one before."""
    import torch

    now, fresh, old = work / "adapter", work / "adapter.new", work / "adapter.old"
    shutil.rmtree(fresh, ignore_errors=True)
    lora.save_pretrained(str(fresh), save_embedding_layers=False)  # "auto" asks the network
    torch.save({"optimizer": optimizer.state_dict(), "done": done}, fresh / STATE)
    shutil.rmtree(old, ignore_errors=True)
    if now.is_dir():
        now.replace(old)
    fresh.replace(now)
    shutil.rmtree(old, ignore_errors=True)


def kept(work: Path) -> Path:
    """The folder of the adapter that was saved last; it need not exist."""
    now, old = work / "adapter", work / "adapter.old"
    if old.is_dir() and not now.is_dir():  # killed between the two moves of `save`
        old.replace(now)
    return now
