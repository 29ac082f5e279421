"""smolagents: `ToolCallingAgent` with `OpenAIModel`. Keeps nothing; many runs go in threads, because it has no async way."""

from __future__ import annotations

from pathlib import Path

import drive
from smolagents import OpenAIServerModel, ToolCallingAgent, tool


@tool
def look(n: int) -> str:
    """Look at one thing.

    Args:
        n: which thing, from 0
    """
    return drive.looked(n)


class Smolagents(drive.Subject):
    """See the module."""

    kind = "final"

    def run(self, url: str, steps: int, folder: Path) -> None:
        model = OpenAIServerModel("m", api_base=url, api_key="x")
        agent = ToolCallingAgent(tools=[look], model=model, max_steps=steps + 2, verbosity_level=0)
        drive.is_answer(agent.run("look at everything"))

    def snippet(self, folder: Path) -> None:
        """Its interpreter of Python's syntax tree, in this process."""
        from smolagents.local_python_executor import LocalPythonExecutor

        runner = LocalPythonExecutor([])
        runner.send_tools({})
        runner("x = 1 + 1")


if __name__ == "__main__":
    drive.serve(Smolagents())
