"""What is said of a model that was found: why, and what it is if it is ours. Touches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider.agent.models.detect import Found

STARTER = (
    "the built-in starter model{size}: simple goals only; for real work set OPENAI_API_KEY, start Ollama, "
    "or `outrider models pull OWNER/NAME`"
)

BUILTIN = (
    "the built-in language model, 135 M parameters, tuned for tools: simple goals only; for real work set OPENAI_API_KEY, "
    "start Ollama, or `outrider models pull OWNER/NAME`"
)


def about(found: Found) -> str:
    """Why a model was found, and what it is if it is ours."""
    if found.spec == "builtin" and found.ok:
        return BUILTIN
    if found.spec != "starter" or not found.ok:
        return found.why
    try:
        from outrider.agent.models.builtin import PARAMETERS

        size = f", {PARAMETERS / 1e6:.1f} M parameters"
    except ImportError:
        size = ""
    return STARTER.format(size=size)
