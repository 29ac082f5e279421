"""What a tool author needs: `tool`, `ToolContext`, `Observation`, `ToolError`, `File`. Imported late, so it stays light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outrider.tools.tool import File, Observation, Tool, ToolContext, ToolError, tool

__all__ = ["File", "Observation", "Tool", "ToolContext", "ToolError", "tool"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from outrider.tools import tool as contract

        return getattr(contract, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
