"""`outrider show --children`: child runs told under their parent."""

from __future__ import annotations

from tests.cli.program import Program


def test_show_tells_children_under_their_parent(program: Program) -> None:
    """With --children each child's own transcript stands indented where it ended, and its own child's deeper."""
    model = program.script(
        {"calls": [{"tool": "delegate", "arguments": {"goal": "part one"}}]}, {"text": "all of it is done"}
    )
    program("run", "the whole", "--model", model)
    plain, told = program("show", "last"), program("show", "last", "--children")
    assert not [line for line in plain.out.splitlines() if line.startswith("    │ ")]
    indented = [line for line in told.out.splitlines() if line.startswith("    │ ")]
    assert any("goal" in line and "part one" in line for line in indented)
    assert any(line.startswith("    │     │ ") for line in indented)
