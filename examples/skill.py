"""An Agent Skill in a run: its instructions are loaded when the goal is of its kind, its script runs in the sandbox.

python examples/skill.py "How long is letter.txt, and which word is the most frequent?"
"""

import sys
from pathlib import Path

from outrider.agent import Agent, Budget

SKILLS = Path(__file__).parent / "skills"  # a skill, or a folder of them


def main(goal: str, model: str | None = None) -> None:
    """Answer the goal; every call of a skill's script is an ordinary call of `shell`."""
    agent = Agent(model, tools=["shell", "read_file"], skills=(str(SKILLS),), budget=Budget(steps=8))
    run = agent.run(goal)
    print(run.state, "·", run.answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
