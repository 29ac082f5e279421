"""Check the export: the same choice from torch and from llama.cpp, question by question.

`python -m examples.train_starter.parity .train/first starter.gguf` prints how many of the questions got the same
greedy token and the largest difference of a score; `--write FILE` keeps questions and llama.cpp's choices for the test
that has no torch. May touch: the files named. Does not promise: equal scores, for half precision rounds them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import threading
import time
from pathlib import Path

from examples.train_starter import dataset
from examples.train_starter.tokenizer import Tokenizer
from outrider.agent.models.choice.steps import LABELS
from outrider.agent.models.llama.worker import Worker


def prompts(count: int, seed: int = 99) -> list[list[str]]:
    """Questions of random goals, with random labels, longest never above 400 pieces."""
    rng = random.Random(seed)
    flat = itertools.chain.from_iterable(dataset.stream(seed))
    short = (one for one in flat if len(one.decision.options) > 2)
    return [one.decision.prompt(rng.randrange(len(LABELS))) for one in itertools.islice(short, count)]


def main() -> None:
    """The command line."""
    import torch

    from examples.train_starter.train import Trainer

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    trainer, tokens = Trainer.load(arguments.folder / "last.pt"), Tokenizer.load(arguments.folder / "merges.json")
    trainer.net.load_state_dict(trainer.average)
    worker = Worker(threading.Event(), lambda message: None)
    worker.load(str(arguments.gguf), 2048, 1)
    same, worst, kept = 0, 0.0, []
    for prompt in prompts(arguments.count):
        ids = tokens.encode(prompt)
        if ids != worker.ids(prompt):
            raise SystemExit(f"the tokenizers differ on {prompt}")
        with torch.no_grad():
            ours = trainer.net.logits(trainer.net(torch.tensor([ids]))[0, -1])
        worker.deadline = time.monotonic() + 60
        worker.evaluate(ids)
        theirs = torch.from_numpy(worker.logits().copy())
        same += int(ours.argmax() == theirs.argmax())
        worst = max(worst, float((ours - theirs).abs().max()))
        kept.append([prompt, len(ids), tokens.tokens[int(ours.argmax())]])
    print(f"{same} of {arguments.count} greedy tokens are the same; scores differ by {worst:.3f} at most")
    if arguments.write:
        arguments.write.write_text(json.dumps(kept, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
