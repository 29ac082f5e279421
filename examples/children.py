"""Child agents: parts of a goal handed on, each with the tools it needs and a slice of the budget, at the same time.

python examples/children.py "Add up the amounts in sales.csv, and count its lines, each by a helper of its own"
"""

import sys

from outrider.agent import Agent, Budget
from outrider.memory.events import ChildEnded


def main(goal: str, model: str | None = None) -> None:
    """Answer the goal, then say what each child used; together they kept the limits."""
    budget = Budget(tokens=200_000, steps=30, calls=20)
    run = Agent(model, tools=["delegate", "table", "read_file"], budget=budget).run(goal)
    for event in (stored.event for stored in run.events()):
        if isinstance(event, ChildEnded):
            print(f"child of call {event.call_id}: {event.cost.tokens} tokens, {event.cost.calls} calls")
    print(run.state, "·", run.answer, "·", run.spent.tokens, "tokens")


if __name__ == "__main__":
    main(*sys.argv[1:])
