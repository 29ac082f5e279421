"""The program, ready to be started in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """`outrider`, with a home and a workspace of its own."""
    return Program(tmp_path)
