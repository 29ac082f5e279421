"""A LangChain tool in a run, and the agent as a LangChain tool.

python examples/langchain_tool.py "How many minutes are 3.5 hours?"
"""

import sys

from langchain_core.tools import tool

from outrider.agent import Agent, Budget
from outrider.tools.langchain import from_langchain


@tool
def minutes(hours: float) -> float:
    """How many minutes a number of hours is."""
    return hours * 60


def main(goal: str, model: str | None = None) -> None:
    """Answer the goal; LangChain does not know what a tool may do, so that is said here."""
    agent = Agent(model, tools=from_langchain(minutes, effect="read"), budget=Budget(steps=6))
    print(agent.as_langchain_tool().invoke({"goal": goal}))


if __name__ == "__main__":
    main(*sys.argv[1:])
