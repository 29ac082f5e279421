"""Totals what runs spent, by day, model, label or tool: a table and bars, CSV, JSON lines.
May touch: reads the database, writes stdout. Does not promise: dollars by tool: those are the model's.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.listing.databases import asked
from outrider.agent.cli.listing.runs import columns, since_of
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.run_index import Spending

BAR = 30  # columns of the longest bar


class By(StrEnum):
    """What spending is told by."""

    day = "day"
    model = "model"
    label = "label"
    tool = "tool"


@dataclass(slots=True)
class Total:
    """What came together under one name. `runs`: that had a part in it."""

    runs: int = 0
    steps: int = 0
    calls: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)


def tell_usage(
    by: By = By.day,
    since: str = "",
    label: str = "",
    model: str = "",
    plot: bool = False,
    as_csv: bool = False,
    memory: str | None = None,
    json: bool = False,
) -> int:
    """Print the totals; returns the exit code."""
    from outrider.memory.run_index import spending

    if json and as_csv:
        raise UsageError("--json and --csv are both given", "stdout holds one of them", "leave one out")
    begin = since_of(since)
    with asked(memory) as ask:
        if ask is None:
            return 0
        totals = totals_of(spending(ask, label=label, tools=by is By.tool), by, begin[:10], model.lower())
    if json:
        for name, one in totals.items():
            out_json({by.value: name} | _plain(one))
    elif as_csv:
        _write_csv(totals, by)
    elif totals:
        _show(totals, by, plot)
    else:
        say("nothing was used")
    return 0


def totals_of(spent: Iterable[Spending], by: By, first_day: str, model: str) -> dict[str, Total]:
    """The totals by name: days in order, else most dollars, tokens and calls first.

    first_day: nothing before it. model: only models whose name holds this (of tools, which tell of no model, all).
    """
    totals: dict[str, Total] = {}
    for many, began, label, days, tools, calls in spent:
        if by is By.tool:
            for name, count in tools.items() if began >= first_day else ():
                total = totals.setdefault(name, Total())
                total.runs, total.calls = total.runs + many, total.calls + many * count
            continue
        names = list(_spend(totals, by, label or "(none)", days, first_day, model, many))
        for name in set(names):
            totals[name].runs += many
        if names:
            totals[names[0]].calls += many * calls  # a run's calls are told once, where it began
    if by is By.day:
        return dict(sorted(totals.items()))
    return dict(sorted(totals.items(), key=lambda one: (-one[1].usd, -one[1].tokens, -one[1].calls, one[0])))


def _spend(
    totals: dict[str, Total], by: By, label: str, days: Mapping[str, Any], first_day: str, model: str, many: int
) -> Iterator[str]:
    """Add runs that are alike; the names they had a part in."""
    for day, models in days.items():
        if day < first_day:
            continue
        for named, (usd, tokens, steps) in models.items():
            if model and model not in named.lower():
                continue
            name = day if by is By.day else named if by is By.model else label
            if (total := totals.get(name)) is None:
                total = totals[name] = Total()
            if usd != "0":
                total.usd += many * Decimal(usd)
            total.tokens, total.steps = total.tokens + many * tokens, total.steps + many * steps
            yield name


def _plain(total: Total) -> dict[str, Any]:
    return {
        "runs": total.runs, "steps": total.steps, "calls": total.calls, "tokens": total.tokens, "usd": float(total.usd),
    }  # fmt: skip


def _write_csv(totals: dict[str, Total], by: By) -> None:
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([by.value, *_plain(Total())])
    for name, one in totals.items():
        writer.writerow([_cell(name), *_plain(one).values()])
    out(text.getvalue())


def _cell(name: str) -> str:
    """A name as a spreadsheet may open it: one that begins like a formula is text."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name


def _show(totals: dict[str, Total], by: By, plot: bool) -> None:
    from outrider.agent.review.lines import Line, one_line

    room = columns()
    cells = _cells if room >= 60 else _few_cells
    wide = max(5, min(40, max(len(by.value), *(len(name) for name in totals)), room - len(cells(None)) - 2))
    every = Total(steps=sum(one.steps for one in totals.values()), calls=sum(one.calls for one in totals.values()),
                  tokens=sum(one.tokens for one in totals.values()), usd=sum((one.usd for one in totals.values()), Decimal(0)))  # fmt: skip
    out_lines([Line(((f"{by.value:{wide}}  {cells(None)}", "dim"),))])
    for name, one in totals.items():
        out_lines([Line(((cells(one), "plain"),), ((f"{one_line(name, wide):{wide}}  ", "strong"),))])
    if len(totals) > 1 and by is not By.tool:
        out_lines([Line(((f"{'total':{wide}}  {cells(every, total=True)}", "strong"),))])
    if plot:
        _draw(totals, wide, by, max(5, min(BAR, room - wide - 2)))


def _cells(one: Total | None, total: bool = False) -> str:
    from outrider.agent.review.lines import dollars

    if one is None:
        return f"{'runs':>6} {'steps':>7} {'calls':>7} {'tokens':>12} {'cost':>10}"
    runs = "" if total else f"{one.runs:,}"  # a run that went on for days counts on each
    return f"{runs:>6} {one.steps:>7,} {one.calls:>7,} {one.tokens:>12,} {dollars(float(one.usd)):>10}"


def _few_cells(one: Total | None, total: bool = False) -> str:
    from outrider.agent.review.lines import dollars

    return f"{'tokens':>10} {'cost':>9}" if one is None else f"{one.tokens:>10,} {dollars(float(one.usd)):>9}"


def _draw(totals: dict[str, Total], wide: int, by: By, longest: int) -> None:
    """One bar a name: of dollars if any were spent, else of tokens, of calls for tools."""
    from outrider.agent.review.lines import Line, one_line

    unit = "calls" if by is By.tool else "usd" if any(one.usd for one in totals.values()) else "tokens"
    most = max(float(getattr(one, unit)) for one in totals.values()) or 1.0
    out_lines([Line(), Line(((unit, "dim"),))])
    for name, one in totals.items():
        value = float(getattr(one, unit))
        bar = "█" * round(value / most * longest) or ("▏" if value else "")
        out_lines([Line(((bar, "tool"),), ((f"{one_line(name, wide):{wide}}  ", "strong"),))])
