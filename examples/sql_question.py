"""A question on a file of rows, answered in SQL: python examples/sql_question.py "What was sold in the North?" [MODEL]

The model writes the SQL; DuckDB answers it in a child process that can open nothing but the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from outrider.agent import Agent, Budget


def main(goal: str, model: str = "starter") -> None:
    folder = str(Path(__file__).parent)  # sales.csv is beside this file
    agent = Agent(model=model, tools=["table"], workspace=folder, memory="sqlite:///runs.db", budget=Budget(steps=8))
    run = agent.run(goal)
    print(run.state, "·", run.answer)
    for citation in run.citations:
        print(f"  event {citation.seq}: {citation.quote}")


if __name__ == "__main__":
    main(*sys.argv[1:])
