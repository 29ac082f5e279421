"""The built-in starter model: a tiny GGUF of our own, so that the main job runs with nothing else on the machine.

What it is: the file (STARTER_PATH), what it says of itself (`describe`), and, in the other files, everything that made
it: data (traces.py), training (train.py), export and scores. What it may touch: nothing; importing it reads no file.
Does not promise: more than simple goals; docs/decisions/0006-starter.md has the measured scores and the recipe.
"""

from __future__ import annotations

from pathlib import Path

STARTER_PATH = Path(__file__).parent / "starter.gguf"
ADAPTER_PATH = Path(__file__).parent / "adapter.gguf"
PARAMETERS = 1000704

__all__ = ["ADAPTER_PATH", "PARAMETERS", "STARTER_PATH", "describe"]


def describe() -> str:
    """One line for people: what the starter is and what to use for real work."""
    return (
        f"built-in starter model, {PARAMETERS / 1e6:.1f} M parameters: simple goals only; for real work set "
        "OPENAI_API_KEY, start Ollama, or `outrider models pull …`"
    )
