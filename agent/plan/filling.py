"""Puts the results of plan steps in the place of `@id` in the arguments of a call.
Touches the journal, to read a result that was too long to be shown. Does not promise: that a result fits its place; the
tool's check says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outrider.agent.live_run import LiveRun
from outrider.memory.events import ToolReturned
from outrider.tools.control.references import filled, finder
from outrider.tools.tool import ToolError
from outrider.tools.toolbox import Fill


def fill_of(live: LiveRun) -> Fill | None:
    """What puts results into arguments; None where the plan names no tool, so that there are no results to refer to."""
    graph = live.state.graph
    if not any(step.tool for step in graph.steps):
        return None
    pattern = finder(step.id for step in graph.steps)
    if pattern is None:
        return None
    used: dict[str, str] = {}

    def result(name: str) -> str:
        came = _came(live, name)
        used[name] = came.call_id
        return result_of(live, came)

    def fill(arguments: dict[str, Any], schema: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        used.clear()
        made = filled(arguments, schema, pattern, result)
        return made, ", ".join(f"@{name} is the result of call {call}" for name, call in used.items())

    return fill


def _came(live: LiveRun, name: str) -> ToolReturned:
    """What the step of this id gave. Raises ToolError where it gave nothing."""
    graph = live.state.graph
    node = next(node for node in graph.nodes() if node.id == name)
    came = graph.returned.get(node.calls[0]) if node.tool and node.calls else None
    if came is None or not came.ok:
        why = "it names no tool" if not node.tool else f"it is {node.state}"
        raise ToolError(
            f"@{name} has no result",
            f"step {name!r} of the plan: {why}",
            f"write the value out, or @@{name} for the words",
        )
    return came


def result_of(live: LiveRun, came: ToolReturned) -> str:
    """The whole text of a result."""
    if not came.blob:
        return came.text
    data = live.blobs.get(came.blob) or live.journal.store.get_blob(came.blob)
    return came.text if data is None else data.decode("utf-8", "replace")
