"""An agent as a LangChain tool: a goal goes in, the answer comes out, and the whole run is the artifact.
May touch: what the agent may. Does not promise: a person to ask; what its policy asks about is refused, unless its own
`approve` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from outrider.memory.errors import OutriderError

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from outrider.agent.history.run_view import Run

SAYS = (
    "Hand a whole goal to an agent with tools of its own and a budget of its own. Say all it needs in the goal; it returns "
    "its answer, and says so if it did not reach the goal."
)


class Worker(Protocol):
    """What is wrapped: an `Agent`."""

    def run(self, goal: str, **changes: Any) -> Run:
        """Work on a goal."""
        ...

    async def arun(self, goal: str, **changes: Any) -> Run:
        """The same, for async code."""
        ...


def as_tool(agent: Worker, name: str, description: str) -> BaseTool:
    """The tool. Its artifact is `Run.as_json()`."""
    from langchain_core.tools import StructuredTool, ToolException

    def work(goal: str) -> tuple[str, dict[str, Any]]:
        try:
            return _told(agent.run(goal))
        except OutriderError as error:
            raise ToolException(str(error)) from error

    async def awork(goal: str) -> tuple[str, dict[str, Any]]:
        try:
            return _told(await agent.arun(goal))
        except OutriderError as error:
            raise ToolException(str(error)) from error

    return StructuredTool.from_function(
        func=work,
        coroutine=awork,
        name=name,
        description=description or SAYS,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _told(run: Run) -> tuple[str, dict[str, Any]]:
    said = str(run.answer) or "(no answer)"
    if run.state != "answered":
        said += f"\n[the run ended {run.state}: {run.detail or run.unfinished or run.stop_reason}]"
    return said, run.as_json()
