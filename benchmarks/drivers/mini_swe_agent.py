"""mini-swe-agent: `DefaultAgent` with its litellm model, its run kept as its program keeps it: one JSON file, written each step.

Its only tool is bash. So that the agent is measured and not a shell, what executes a command is a class of ours here that
returns the same text as the other subjects' tool; `snippet` measures its own bubblewrap environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import drive
from minisweagent.agents.default import DefaultAgent
from minisweagent.exceptions import Submitted
from minisweagent.models.litellm_model import LitellmModel

SUBMITTED = {"exit_status": "Submitted", "submission": drive.ANSWER}


class Environment:
    """Executes nothing."""

    config: Any = None

    def execute(self, action: dict[str, Any], cwd: str = "") -> dict[str, Any]:
        """The observation; raises Submitted for the command that submits."""
        command = action["command"]
        if "COMPLETE_TASK" in command:
            raise Submitted({"role": "exit", "content": drive.ANSWER, "extra": SUBMITTED})
        return {"output": drive.looked(command), "returncode": 0, "exception_info": ""}

    def get_template_vars(self, **more: Any) -> dict[str, Any]:
        """None of its own."""
        return more

    def serialize(self) -> dict[str, Any]:
        """Nothing of its own."""
        return {}


class MiniSweAgent(drive.Subject):
    """See the module."""

    kind = "bash"

    def run(self, url: str, steps: int, folder: Path) -> None:
        model = LitellmModel(model_name="openai/m", model_kwargs={"api_base": url, "api_key": "x"})
        agent = DefaultAgent(
            model, Environment(), system_template=drive.SYSTEM, instance_template="{{task}}", cost_limit=0.0,
            output_path=folder / "run.json",
        )  # fmt: skip
        drive.is_answer(agent.run("look at everything")["submission"])

    def snippet(self, folder: Path) -> None:
        """A command in its bubblewrap environment."""
        from minisweagent.environments.extra.bubblewrap import BubblewrapEnvironment

        done = BubblewrapEnvironment(cwd=str(folder)).execute({"command": "echo 2"})
        if done["returncode"]:
            raise RuntimeError(done["output"][:200])


if __name__ == "__main__":
    drive.serve(MiniSweAgent())
