"""What masking secrets adds to a step: its events and its texts, by the number of secrets and the size of a result.

    python -m benchmarks.masking      a table of milliseconds of CPU, some seconds

A step is what a run masks in one: the result as the tool gave it, as it is trimmed and as its event, the request, the reply
and the call. Each number is the best of 30 rounds. Target: about 0.2 ms at usual sizes (20 secrets, 4,000 characters).
"""

from __future__ import annotations

import random
import string
import sys
import time

from outrider.memory.events import CallDraft, Event, ModelAsked, ModelReplied, ToolCalled, ToolReturned
from outrider.memory.redaction import Masker

SECRETS, SIZES = (1, 5, 20, 100), (500, 4_000, 12_000)


def words(chance: random.Random, size: int) -> str:
    """Random words of lower case letters."""
    letters = ("".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 9))) for _ in range(size // 4))
    return " ".join(letters)[:size]


def step_s(masker: Masker, text: str) -> float:
    """Seconds of CPU of one step, the least of 30 rounds."""
    call = CallDraft(id="c", name="read_file", arguments='{"path": "notes.txt"}')
    best = float("inf")
    for _ in range(30):
        fresh = [f"{text}{number}" for number in range(10)]  # a result nobody has looked through yet
        events: list[Event] = [
            ModelAsked(step=2),
            ModelReplied(step=2, text=text[:300], calls=(call,)),
            ToolCalled(
                call_id="2.0", tool="read_file", arguments={"path": "notes.txt"}, effect="read", decision="allow"
            ),
        ]
        began = time.process_time()
        for result in fresh:
            seen = masker.text(masker.text(result))
            masker.model(ToolReturned(call_id="1.0", tool="read_file", text=seen))
            for event in events:
                masker.model(event)
        best = min(best, (time.process_time() - began) / len(fresh))
    return best


def main() -> int:
    """Print the table."""
    chance = random.Random(1)
    sys.stdout.write("secrets  " + "".join(f"{size:>9,} chars" for size in SIZES) + "\n")
    for count in SECRETS:
        values = {f"S{n}": "".join(chance.choices(string.ascii_letters + string.digits, k=40)) for n in range(count)}
        costs = [step_s(Masker(values), words(chance, size)) for size in SIZES]
        sys.stdout.write(f"{count:>7}  " + "".join(f"{cost * 1e3:>12.3f} ms" for cost in costs) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
