"""Decides: the loop and everything that talks to people or models. START at loop.py.

The public names are here and imported when they are first used, so that `import outrider.agent` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.answers.answer import Answer
    from outrider.agent.budget import Budget
    from outrider.agent.history.run_view import Run

__all__ = ["Agent", "Answer", "Budget", "Run"]
_WHERE = {"Agent": "agent", "Answer": "answers.answer", "Budget": "budget", "Run": "history.run_view"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(f"outrider.agent.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
