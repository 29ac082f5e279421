"""`outrider diff A B`: two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out_json, out_lines

if TYPE_CHECKING:
    from outrider.agent.history.run_view import Run
    from outrider.agent.review.diff import Move, Row
    from outrider.agent.review.lines import Line

MOST_LINES = 12  # of one changed result


def command(
    left: Annotated[str, typer.Argument(metavar="A", help="A run.", show_default=False)],
    right: Annotated[str, typer.Argument(metavar="B", help="Another.", show_default=False)],
    every: Annotated[bool, typer.Option("--all", help="Steps that are the same, too.", show_default=False)] = False,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Compare two runs: calls aligned, what differs in arguments, results and outcome; then cost, time and end."""
    from outrider.agent.history.run_view import read_run
    from outrider.agent.review.diff import compare, first_difference, moves
    from outrider.agent.review.story import steps
    from outrider.memory.journal import Journal

    store = open_store(memory)
    journals = [Journal.open_for_reading(store, one) for one in (left, right)]
    rows = compare(*(moves(steps(journal.read())) for journal in journals))
    runs = [read_run(store, journal.run_id) for journal in journals]
    if json:
        first = first_difference(rows)
        out_json(
            {
                "runs": [one.as_json() for one in runs],
                "first_difference": _plain(first),
                "rows": [_plain(r) for r in rows],
            }
        )
        return
    out_lines(_lines(rows, every))
    out_lines(_totals(*runs))


def _plain(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    sides = {
        name: None if move is None else {"event": move.seq, "step": move.step, "what": move.what, "arguments": move.arguments, "result": move.result, "ok": move.ok}
        for name, move in (("left", row.left), ("right", row.right))
    }  # fmt: skip
    return {"kind": row.kind, "changes": list(row.changes), **sides}


def _lines(rows: list[Row], every: bool) -> Iterator[Line]:
    from outrider.agent.review.lines import Line, count

    same = 0
    for row in rows:
        if row.kind == "same" and not every:
            same += 1
            continue
        if same:
            yield Line(((f"  {count(same, 'step')} the same", "dim"),))
            same = 0
        yield from _row(row)
    if same:
        yield Line(((f"  {count(same, 'step')} the same", "dim"),))


def _row(row: Row) -> Iterator[Line]:
    from outrider.agent.review.lines import Line

    if row.kind in ("left", "right"):
        move = row.left or row.right
        assert move is not None
        sign, style = ("- ", "bad") if row.kind == "left" else ("+ ", "good")
        yield Line(_title(move), ((sign, style),), right=f"event {move.seq}")  # type: ignore[arg-type]
        return
    assert row.left is not None
    assert row.right is not None
    yield Line(
        _title(row.right),
        (("  " if row.kind == "same" else "~ ", "warn"),),
        right=f"event {row.left.seq} / {row.right.seq}",
    )
    if "arguments" in row.changes:
        yield from _change(row.left.arguments, row.right.arguments)
    if "outcome" in row.changes:
        yield from _change(_outcome(row.left), _outcome(row.right))
    if "result" in row.changes:
        yield from _change(row.left.result, row.right.result)


def _title(move: Move) -> tuple[Any, ...]:
    from outrider.agent.review.lines import one_line

    return ((f"{one_line(move.what, 64)}  ", "tool"), (one_line(move.arguments, 120), "plain"))


def _outcome(move: Move) -> str:
    return "it worked" if move.ok else "it failed"


def _change(before: str, after: str) -> Iterator[Line]:
    from outrider.agent.review.lines import Line, one_line
    from outrider.agent.review.page.render import text_diff

    for sign, line in text_diff(before, after, most=MOST_LINES):
        if line.startswith("@@"):
            continue
        style = {"+": "good", "-": "bad"}.get(sign, "dim")
        yield Line(((one_line(line, 200), style),), ((f"    {sign} ", style),))  # type: ignore[arg-type]


def _totals(left: Run, right: Run) -> Iterator[Line]:
    from outrider.agent.review.lines import Line, dollars, duration

    yield Line()
    for name, one, other in (
        ("end", left.state, right.state),
        ("steps", f"{left.spent.steps:,}", f"{right.spent.steps:,}"),
        ("calls", f"{left.spent.calls:,}", f"{right.spent.calls:,}"),
        ("tokens", f"{left.spent.tokens:,}", f"{right.spent.tokens:,}"),
        ("cost", dollars(float(left.spent.usd)), dollars(float(right.spent.usd))),
        ("time", duration(left.spent.seconds), duration(right.spent.seconds)),
    ):
        style = "plain" if one == other or name == "time" else "warn"
        yield Line(((f"{one}  →  {other}", style),), ((f"  {name:8}", "dim"),))  # type: ignore[arg-type]
