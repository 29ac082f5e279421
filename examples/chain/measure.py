"""How many examples a prompt needs: the share of right labels with 0, 1, 3 and 5 of them, as a table and a plot.

    python examples/chain/measure.py llama:smollm2 route shots.svg

It takes a model, a prompt or chain of support.toml, and where the plot goes (needs matplotlib). Stop it and start it again: answers are kept.
"""

import asyncio
import sys
from pathlib import Path

from outrider.agent import Agent, Budget
from outrider.agent.chains.batch import Batch, Kept, interval, score
from outrider.agent.chains.documents import read_documents
from outrider.tools.prompts.prompt import Chain
from outrider.tools.prompts.reading import read_prompts

HERE = Path(__file__).parent
SHOTS = (0, 1, 3, 5)


async def measure(model: str, name: str, documents: str, answers: str) -> list[tuple[int, int, int]]:
    """(examples, right, all) for each number of examples."""
    found = []
    async with Agent(model) as agent:
        for shots in SHOTS:
            prompts, chains = read_prompts(HERE / "support.toml", shots)
            chain = chains.get(name) or Chain(name, (prompts[name],))
            batch = Batch(agent, model, chain, Kept(Path(answers)), Budget(usd=1), parallel=1)
            rows = await batch.run(read_documents([documents]), lambda row: None)
            found.append((shots, *score(rows)))
            low, high = interval(*found[-1][1:])
            print(f"| {shots} | {found[-1][1]} of {found[-1][2]} | {low:.0%} to {high:.0%} |", flush=True)
    return found


def plot(found: list[tuple[int, int, int]], file: str) -> None:
    """The shares with their 95 % intervals."""
    import matplotlib.pyplot as plt

    shares = [right / total for _, right, total in found]
    spans = [interval(right, total) for _, right, total in found]
    below = [share - low for share, (low, _) in zip(shares, spans, strict=True)]
    above = [high - share for share, (_, high) in zip(shares, spans, strict=True)]
    figure, axes = plt.subplots(figsize=(6, 3.2))
    axes.errorbar([shots for shots, _, _ in found], shares, yerr=[below, above], marker="o", capsize=4)
    axes.axhline(1 / 3, linestyle=":", color="grey", label="guessing")
    axes.set(
        xlabel="examples shown", ylabel="share of right labels", ylim=(0, 1), xticks=[shots for shots, _, _ in found]
    )
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def main(model: str, name: str, picture: str = "", documents: str = "", answers: str = "answers.jsonl") -> None:
    """Measure, print the table, draw the plot."""
    found = asyncio.run(measure(model, name, documents or str(HERE / "transcripts.jsonl"), answers))
    if picture:
        plot(found, picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
