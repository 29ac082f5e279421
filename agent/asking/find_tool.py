"""`find_tool`: how a model finds a tool it was not offered, where the window is too small for the whole list.
Touches nothing. Does not promise: to understand the query; it compares words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from outrider.agent.asking.offered import FINDER, found_names
from outrider.agent.models.model import ToolSpec
from outrider.tools.builtin import BUILT_IN, built_in
from outrider.tools.tool import Tool, ToolContext, ToolError, shape
from outrider.tools.toolbox import Toolbox

_SCHEMA = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "what it should do, in a few words"}},
    "required": ["query"],
}


def finder(specs: Sequence[ToolSpec]) -> Tool:
    """The tool that looks through `specs`."""

    def run(arguments: dict[str, Any], context: ToolContext) -> str:
        found = found_names(specs, str(arguments["query"]))
        lines = [f"- {shape(spec.name, spec.parameters)}: {spec.description}" for spec in found]
        return "\n".join(["These can be called from now on:", *lines])

    return Tool(FINDER, "Find a tool that is not in your list; it can be called afterwards.", _SCHEMA, run, _check)


def specs_of(toolbox: Toolbox) -> tuple[ToolSpec, ...]:
    """What a model is told of the tools, the finder last; puts the finder into the toolbox."""
    specs = tuple(
        ToolSpec(one.name, one.description, one.parameters, ours=one.name in BUILT_IN and built_in(one.name) is one)
        for one in toolbox.tools.values()
    )
    found = toolbox.tools.setdefault(FINDER, finder(specs))
    if any(spec.name == FINDER for spec in specs):
        return specs
    return (*specs, ToolSpec(found.name, found.description, found.parameters, ours=True))


def _check(arguments: Any) -> dict[str, Any]:
    query = arguments.get("query")
    if not isinstance(query, str) or not query.strip():
        raise ToolError("find_tool needs a query", "it was not given as text", f"call it as {shape(FINDER, _SCHEMA)}")
    return {"query": query}


def found_before(text: str) -> list[str]:
    """The names of the tools that a result of `find_tool` told."""
    return [line[2:].partition("(")[0] for line in text.splitlines() if line.startswith("- ")]
