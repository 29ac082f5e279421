"""The architecture page: its drawing shows the imports as they are, and its steps are names of the code."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_architecture_drawing_is_current() -> None:
    """docs/architecture.svg shows the imports as they are; after a change: python docs/draw_architecture.py"""
    done = subprocess.run([sys.executable, "docs/draw_architecture.py", "--check"], cwd=ROOT, timeout=240, check=False)
    assert done.returncode == 0, (
        "the imports have changed: run `python docs/draw_architecture.py` and commit the drawing"
    )


def test_architecture_page_names_only_what_is_there() -> None:
    """Every step of the two ways is a name that can be imported."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\| \d+ \| `([\w.]+)(?::(\w+))?` ", page, re.MULTILINE)
    assert len(steps) == 16
    for module, name in steps:
        found = importlib.import_module(module)
        assert not name or hasattr(found, name), f"{module} has no {name}"
    for path in re.findall(r"`((?:agent|tools|memory)/[\w/.]+)`", page):
        assert (ROOT / path).exists(), path
