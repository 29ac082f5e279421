"""Acts. What a tool's author needs is here: `tool`, `ToolContext`, `Observation`, `ToolError`, `File`, `Tool`.

Not imported late: the function `tool` must win over the module of the same name.
"""

from __future__ import annotations

from outrider.tools.tool import File, Observation, Tool, ToolContext, ToolError, tool

__all__ = ["File", "Observation", "Tool", "ToolContext", "ToolError", "tool"]
