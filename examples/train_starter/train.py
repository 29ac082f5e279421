"""Train the starter model: `python -m examples.train_starter.train --minutes 90 --out .train/first`.

What it is: questions without end from traces.py (made in a second process), loss on the option chosen, torch's Muon for the
matrices and AdamW for the rest, a running average of the weights, checkpoints that resume. CPU or GPU, the same code.
May touch: the folder it is told to write. Does not promise: the same weights on another machine.
Start reading at `run`. Recipe and measured scores: docs/decisions/0006-starter.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing as mp
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from queue import Full
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from examples.train_starter import dataset
from examples.train_starter import tokenizer as bpe
from examples.train_starter.network import Network, Shape
from outrider.agent.models.choice.steps import DID, LABELS, NO, STOP, YES

MUON_RATE, ADAM_RATE = 0.006, 1.5e-3
HIDDEN_WEIGHT = 1.5  # of the loss that asks at each option "is this the one?" beside the choice itself


@dataclass(slots=True)
class Batch:
    """Questions of like length, padded on the right. `at` is the place of CHOOSE, `wanted` the id that is right there;
    `marks` are (row, place, right?) of every option's label."""

    ids: Tensor
    at: Tensor
    wanted: Tensor
    marks: Tensor


def encode(
    question: dataset.Question, tokens: bpe.Tokenizer, first: int
) -> tuple[list[int], int, list[tuple[int, int]]]:
    """(ids, the id that is right, [(place of a label, right?)]) of a question whose labels start at `first`."""
    ids = tokens.encode(question.decision.prompt(first))
    right = tokens.ids[LABELS[(question.right + first) % len(LABELS)]]
    labels = range(tokens.ids[LABELS[0]], tokens.ids[LABELS[-1]] + 1)
    return ids, right, [(place, int(one == right)) for place, one in enumerate(ids) if one in labels]


def batches(seed: int, tokens: bpe.Tokenizer, size: int, pool: int = 1500) -> Any:
    """Batches of about `size` tokens; questions are pooled and sorted by length so that little is padded."""
    rng = random.Random(seed)
    flat = itertools.chain.from_iterable(dataset.stream(seed))
    kept = (one for one in flat if not _easy(one) or rng.random() < 0.2)
    while True:
        rows = [encode(one, tokens, rng.randrange(len(LABELS))) for one in itertools.islice(kept, pool)]
        rows.sort(key=lambda row: len(row[0]))
        groups: list[list[Any]] = [[]]
        for row in rows:
            if groups[-1] and (len(groups[-1]) + 1) * len(row[0]) > size:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        yield from (collate(group) for group in groups)


def _easy(question: dataset.Question) -> bool:
    """Questions that are soon known: whether to answer after an observation, and those of two options."""
    ends = question.decision.options[question.right].value == STOP
    later = ends and question.decision.about == "next" and DID in question.decision.head
    return later or len(question.decision.options) == 2


def collate(rows: list[Any]) -> Batch:
    """One batch of encoded questions."""
    longest = max(len(ids) for ids, _, _ in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    for i, (row, _, _) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    marks = [(i, place, right) for i, (_, _, row) in enumerate(rows) for place, right in row]
    return Batch(
        ids,
        torch.tensor([len(row) - 1 for row, _, _ in rows]),
        torch.tensor([right for _, right, _ in rows]),
        torch.tensor(marks),
    )


def _produce(seed: int, merges: Path, size: int, queue: Any) -> None:
    torch.set_num_threads(1)
    queue.cancel_join_thread()  # a trainer that is gone reads no more: do not wait for it
    tokens = bpe.Tokenizer.load(merges)
    for batch in batches(seed, tokens, size):
        while True:
            try:
                queue.put((batch.ids.numpy(), batch.at.numpy(), batch.wanted.numpy(), batch.marks.numpy()), timeout=5)
                break
            except Full:
                if mp.parent_process() is None or not mp.parent_process().is_alive():  # type: ignore[union-attr]
                    return


def loss_of(net: Network, batch: Batch, yes: int, no: int) -> tuple[Tensor, float]:
    """(loss, share of questions chosen right without a grammar)."""
    states = net(batch.ids)
    scores = net.logits(states[torch.arange(len(batch.at)), batch.at])
    chosen = F.cross_entropy(scores, batch.wanted)
    pair = F.linear(states[batch.marks[:, 0], batch.marks[:, 1]], net.embed.weight[[no, yes]])
    weight = torch.where(batch.marks[:, 2] == 1, 3.0, 1.0)
    hidden = (F.cross_entropy(pair, batch.marks[:, 2], reduction="none") * weight).sum() / weight.sum()
    return chosen + HIDDEN_WEIGHT * hidden, float((scores.argmax(-1) == batch.wanted).float().mean())


@dataclass(slots=True)
class Trainer:
    """The network, its optimisers and the running average, all in one checkpoint."""

    net: Network
    average: dict[str, Tensor]
    muon: torch.optim.Muon
    adam: torch.optim.AdamW
    step: int = 0
    spent_s: float = 0.0

    @classmethod
    def fresh(cls, shape: Shape) -> Trainer:
        """A new network."""
        net = Network(shape)
        matrices = [p for name, p in net.named_parameters() if p.ndim == 2 and "embed" not in name]
        rest = [p for name, p in net.named_parameters() if p.ndim < 2 or "embed" in name]
        return cls(
            net,
            {k: v.clone() for k, v in net.state_dict().items()},
            torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.05, momentum=0.95),
            torch.optim.AdamW(rest, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0),
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        temporary = path.with_suffix(".new")
        torch.save(
            {
                "shape": self.net.shape.as_dict(),
                "net": self.net.state_dict(),
                "average": self.average,
                "step": self.step,
                "muon": self.muon.state_dict(),
                "adam": self.adam.state_dict(),
                "spent_s": self.spent_s,
            },
            temporary,
        )
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Trainer:
        """Read what `save` wrote."""
        kept = torch.load(path, weights_only=True)
        self = cls.fresh(Shape(**{k: int(v) if k != "rope_base" else v for k, v in kept["shape"].items()}))
        self.net.load_state_dict(kept["net"])
        self.average, self.step, self.spent_s = kept["average"], kept["step"], kept["spent_s"]
        self.muon.load_state_dict(kept["muon"])
        self.adam.load_state_dict(kept["adam"])
        return self

    def learn(self, batch: Batch, yes: int, no: int, share: float) -> tuple[float, float]:
        """One step at `share` (0..1) of the full rate."""
        loss, right = loss_of(self.net, batch, yes, no)
        self.net.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.muon.param_groups[0]["lr"], self.adam.param_groups[0]["lr"] = MUON_RATE * share, ADAM_RATE * share
        self.muon.step()
        self.adam.step()
        self.step += 1
        keep = min(0.998, (1 + self.step) / (20 + self.step))
        for key, value in self.net.state_dict().items():
            self.average[key].lerp_(value, 1 - keep)
        return float(loss.detach()), right


def rate(step: int, passed: float) -> float:
    """Share of the full learning rate: a short warm-up, then full, then falling over the last two fifths."""
    return min(1.0, (step + 1) / 60) * min(1.0, max(0.02, (1 - passed) / 0.4))


def merges_for(out: Path, size: int) -> Path:
    """The tokenizer of this run, trained on the words of 4,000 scenarios if it is not there yet."""
    path = out / "merges.json"
    if not path.exists():
        counts: Counter[str] = Counter()
        for played in itertools.islice(dataset.stream(7), 4000):
            for one in played:
                counts.update(piece for piece in one.decision.prompt() if not piece.startswith("<|"))
        bpe.Tokenizer(bpe.train({word: int(n**0.5) + 1 for word, n in counts.items()}, size)).save(path)
    return path


def run(args: argparse.Namespace) -> None:
    """Train for `args.minutes` in all, resuming from the last checkpoint of the folder."""
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    merges = merges_for(out, args.vocab)
    tokens = bpe.Tokenizer.load(merges)
    shape = Shape(len(tokens.tokens), args.dim, args.layers, args.heads, args.ff)
    last = out / "last.pt"
    trainer = Trainer.load(last) if last.exists() else Trainer.fresh(shape)
    trainer.net.to(device)
    queue: Any = mp.get_context("spawn").Queue(32)
    maker = mp.get_context("spawn").Process(
        target=_produce, args=(args.seed + trainer.step, merges, args.batch, queue), daemon=True
    )
    maker.start()
    print(
        json.dumps({"parameters": sum(p.numel() for p in trainer.net.parameters()), "vocab": len(tokens.tokens)}),
        flush=True,
    )
    started, seen, saved, shown = time.monotonic() - trainer.spent_s, 0, time.monotonic(), [0.0, 0.0, 0]
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))  # save first
    while (passed := (time.monotonic() - started) / 60 / args.minutes) < 1 and not stopping:
        batch = Batch(*(torch.from_numpy(part).to(device) for part in queue.get()))
        loss, right = trainer.learn(batch, tokens.ids[YES], tokens.ids[NO], rate(trainer.step, passed))
        seen += batch.ids.numel()
        shown = [shown[0] + loss, shown[1] + right, shown[2] + 1]
        if trainer.step % 50 == 0:
            print(
                json.dumps(
                    {
                        "step": trainer.step,
                        "loss": round(shown[0] / shown[2], 4),
                        "right": round(shown[1] / shown[2], 4),
                        "tokens": seen,
                        "minutes": round(passed * args.minutes, 1),
                    }
                ),
                flush=True,
            )
            shown = [0.0, 0.0, 0]
        if time.monotonic() - saved > 120:
            trainer.spent_s, saved = time.monotonic() - started, time.monotonic()
            trainer.save(last)
    trainer.spent_s = time.monotonic() - started
    trainer.save(last)
    maker.terminate()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", default=".train/starter", help="folder for checkpoints and the tokenizer")
    for flag, default in (
        ("vocab", 1536),
        ("dim", 128),
        ("layers", 4),
        ("heads", 4),
        ("ff", 352),
        ("batch", 4096),
        ("threads", 1),
        ("seed", 1),
    ):
        parser.add_argument(f"--{flag}", type=int, default=default)
    parser.add_argument("--minutes", type=float, default=90.0, help="time for training in all, over every resume")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
