"""How long a step of the built-in language model takes, and what memory it needs: `python -m benchmarks.builtin.speed`.

What it is: the process that holds the model, asked as the product asks it: the first call of a goal, a further step,
and an answer; the median of some goals. May touch: the prepared base in the data folder. Does not promise: an idle machine.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from outrider.agent.models.llama.tuned import TunedModel
from outrider.agent.models.model import CallDraft, Message, Request, ToolSpec
from outrider.tools.builtin import BUILT_IN, built_in

GOALS = (
    "A crate holds 24 bottles and I have 7 crates. How many bottles?",
    "Which region sold most in sales.csv?",
    "what does notes.txt say about the launch?",
)
LOOK = "9 rows and 3 columns in sales.csv\ncolumns: region (text), amount (number), day (date)\nfirst 5 rows:\nregion | amount | day\nNorth | 3.5 | 2026-01-02"


async def main() -> None:
    """Print the table."""
    specs = [ToolSpec(n, (t := built_in(n)).description, t.parameters) for n in BUILT_IN]
    began = time.perf_counter()
    model = TunedModel()
    await model.ready()
    print(f"load                {time.perf_counter() - began:6.2f} s")
    first, further = [], []
    for goal in GOALS * 3:
        messages = [Message("user", goal)]
        began = time.perf_counter()
        reply = await model.reply(Request(messages, specs, 440))
        first.append(time.perf_counter() - began)
        if reply.calls:
            call = CallDraft(id="1", name=reply.calls[0].name, arguments=reply.calls[0].arguments)
            seen = LOOK if call.name == "table" else "168"
            messages += [Message("assistant", "", (call,)), Message("tool", seen, call_id="1", label=call.name)]
            began = time.perf_counter()
            await model.reply(Request(messages, specs, 440))
            further.append(time.perf_counter() - began)
    print(f"first call, median  {sorted(first)[len(first) // 2]:6.2f} s (longest {max(first):.2f})")
    print(f"further step        {sorted(further)[len(further) // 2]:6.2f} s (longest {max(further):.2f})")
    print(f"memory              {_peak_mb(model):6.0f} MB at most")
    await model.aclose()


def _peak_mb(model: TunedModel) -> float:
    child = model._process._child
    status = Path(f"/proc/{child.pid if child else 'self'}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    asyncio.run(main())
