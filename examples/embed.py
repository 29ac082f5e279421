"""Outrider inside a program: your own functions as tools, a budget, the answer and its citations."""

from __future__ import annotations

from outrider.agent import Agent, Budget
from outrider.tools import tool


@tool(effect="read")
def stock(symbol: str) -> str:
    """Closing price of a share.

    symbol: ticker, for example "ABC"
    """
    return f"{symbol} closed at 41.5 dollars"


def main() -> None:
    agent = Agent(model="starter", tools=[stock], memory="sqlite:///runs.db", budget=Budget(steps=8, seconds=120))
    run = agent.run("What is the stock price of ABC?")
    print(run.state, "·", run.answer)
    for citation in run.citations:
        print(f"  event {citation.seq}: {citation.quote}")
    print("spent:", run.spent.as_json())


if __name__ == "__main__":
    main()
