"""A hub model on a picture: python examples/hub_picture.py cat.png "What does it show?" [MODEL] [hub setting=value …]

The agent has one tool, `hub_run`. It takes a model that is on this machine, or asks an inference provider; when a model is
dead, gated or refused by the policy below, the next of the ranking is used and the transcript says why.
"""

from __future__ import annotations

import sys
from pathlib import Path

from outrider.agent import Agent, Budget


def main(picture: str, goal: str, model: str = "starter", *hub: str) -> None:
    settings = {"licences": ["apache-2.0", "mit"]} | dict(one.split("=", 1) for one in hub)  # such as endpoint=http://…
    agent = Agent(
        model=model, tools=["hub_run"], workspace=str(Path(picture).resolve().parent), memory="sqlite:///runs.db",
        budget=Budget(steps=8), tool_settings={"hub": settings}, policy={"tools": {"hub_run": "allow"}},
    )  # fmt: skip
    run = agent.run(f"{goal} The picture is {Path(picture).name}.")
    print(run.state, "·", run.answer)
    for stored in run.events():
        if stored.event.kind == "tool_returned":
            print(stored.event.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
